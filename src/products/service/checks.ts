/** What the fields of a service have to do with each other: everything that is wrong, all at once. */
import type { SecretDefinition, ServiceDefinition, SettingDefinition } from './definition.ts';
import type { Problem } from './problems.ts';
import { ancestorsOf, misplaced, placesOf } from './places.ts';
import { isReservedKey, isReservedName, isReservedOption, valueNameOf } from './reserved.ts';
import { defaultOf, endsOf, optionOf, validatorOf } from './settings.ts';
import { fits, isUnbalanced, namesIn, type Target } from './templates.ts';
import { siteProblems, socketProblems, unitProblems } from './units.ts';

type At = Problem['path'];

export const textOf = (content: string | Uint8Array): string =>
  typeof content === 'string' ? content : Buffer.from(content).toString('utf8');

/** Each name that stands there again. */
function repeated(
  names: readonly (readonly [string, At])[],
  what: string,
  meaning = (name: string): string => name,
): Problem[] {
  const seen = new Set<string>();
  return names.flatMap(([name, path]) => {
    if (seen.has(meaning(name))) return [{ path, what: `${JSON.stringify(name)} is ${what} already` }];
    seen.add(meaning(name));
    return [];
  });
}

function settingProblems(setting: SettingDefinition, at: At): Problem[] {
  const { key, type, choices, minimum, maximum } = setting;
  const problems: Problem[] = [];
  const add = (field: string, what: string): void => void problems.push({ path: [...at, field], what });
  if (isReservedKey(key)) add('key', `${key} is set or read by others; it needs another name`);
  if (isReservedOption(optionOf(setting)))
    add(
      setting.option === undefined ? 'key' : 'option',
      `--${optionOf(setting)} is an option of the installer; give it another one`,
    );
  if (type === 'choice' && choices === undefined) add('type', 'a choice needs choices');
  if (type !== 'choice' && choices !== undefined) add('choices', 'only a setting of type choice has choices');
  if (type !== 'integer' && (minimum ?? maximum) !== undefined)
    add(minimum === undefined ? 'maximum' : 'minimum', 'only a setting of type integer has ends');
  const [lowest, highest] = endsOf(setting);
  if (lowest > highest)
    add(minimum === undefined ? 'maximum' : 'minimum', `nothing is between ${lowest} and ${highest}`);
  const preset = defaultOf(setting);
  if (type === 'flag' && preset !== undefined) add('default', 'a flag has none: it is off until it is given');
  else if (preset !== undefined) {
    const valid = validatorOf(setting)(preset);
    if (!valid.ok) add('default', valid.why);
  }
  return problems;
}

function secretProblems(secret: SecretDefinition, at: At): Problem[] {
  const problems: Problem[] = [];
  const add = (field: string, what: string): void => void problems.push({ path: [...at, field], what });
  if (isReservedKey(secret.name))
    add('name', `${secret.name} is set or read by others; it needs another name`);
  if (secret.fileOption !== undefined && isReservedOption(secret.fileOption))
    add('fileOption', `--${secret.fileOption} is an option of the installer; give it another one`);
  if (secret.optional !== true) return problems;
  if (secret.fileOption === undefined)
    add('optional', 'an optional secret needs a fileOption that brings it along');
  for (const field of ['bytes', 'format'] as const)
    if (secret[field] !== undefined) add(field, 'an optional secret is never generated');
  return problems;
}

function nameProblems(service: ServiceDefinition): Problem[] {
  const { name, secrets, settings = [] } = service;
  const keys = [
    ...secrets.map((each, index) => [each.name, ['secrets', index, 'name'] as At] as const),
    ...settings.map((each, index) => [each.key, ['settings', index, 'key'] as At] as const),
  ];
  const options = [
    ...secrets.flatMap(({ fileOption }, index) =>
      fileOption === undefined ? [] : [[fileOption, ['secrets', index, 'fileOption'] as At] as const],
    ),
    ...settings.map(
      (each, index) =>
        [optionOf(each), ['settings', index, each.option === undefined ? 'key' : 'option'] as At] as const,
    ),
  ];
  const own = isReservedName(name)
    ? [{ path: ['name'], what: `${name} is a name of the installer's own, or of other software` }]
    : [];
  const generated = secrets.some(({ optional }) => optional !== true);
  const none = generated
    ? []
    : [
        {
          path: ['secrets'],
          what: 'at least one has to be generated: it tells that the service is installed',
        },
      ];
  return [...own, ...none, ...repeated(keys, 'a name'), ...repeated(options, 'an option', valueNameOf)];
}

/** A text with placeholders: each is a setting that may stand there, or one of our own names. */
function templateProblems(
  service: ServiceDefinition,
  text: string,
  target: Target,
  own: readonly string[],
  at: At,
): Problem[] {
  const { secrets, settings = [] } = service;
  const problems = [...new Set(namesIn(text))].flatMap((name): string[] => {
    if (own.includes(name)) return [];
    if (secrets.some((secret) => secret.name === name))
      return [
        `{{${name}}} is a secret, which stands in the env file alone: the service reads it from its environment`,
      ];
    const setting = settings.find(({ key }) => key === name);
    if (setting === undefined) {
      const known = [...own, ...settings.map(({ key }) => key)];
      return [`there is no {{${name}}}; valid: ${known.map((each) => `{{${each}}}`).join(', ')}`];
    }
    return fits(setting, target)
      ? []
      : [
          `{{${name}}} is of type text, which could mean something else here: the service reads it from its environment${target === 'plain' && at[0] === 'files' ? ', or use template: json' : ''}`,
        ];
  });
  if (isUnbalanced(text)) problems.push('{{ and }} stand around names of settings alone');
  return problems.map((what) => ({ path: at, what }));
}

/** Names of our own in a unit, a socket and a file. */
const ownNames: readonly string[] = ['name', 'envFile', 'codeDirectory'];

function fileProblems(service: ServiceDefinition): Problem[] {
  const { name, files = [] } = service;
  const paths = files.map(({ path }) => path);
  const all = new Set(paths);
  const inTheWay = files.flatMap(({ path }, index) =>
    ancestorsOf(path).some((each) => all.has(each))
      ? [{ path: ['files', index, 'path'], what: 'it is below a path that is a file' }]
      : [],
  );
  return [
    ...files.flatMap(({ path, content, template }, index): Problem[] => {
      const why = misplaced(name, path);
      const placed =
        why === null ? [] : [{ path: ['files', index, 'path'], what: `${JSON.stringify(path)}: ${why}` }];
      if (template === undefined) return placed;
      const at = ['files', index, 'content'];
      return [...placed, ...templateProblems(service, textOf(content), template, ownNames, at)];
    }),
    ...repeated(
      paths.map((path, index) => [path, ['files', index, 'path']] as const),
      'installed',
    ),
    ...inTheWay,
  ];
}

function portProblems({ port, socket, health, nginx, settings = [] }: ServiceDefinition): Problem[] {
  const setting = settings.find(({ key }) => key === port);
  if (port === undefined) {
    const wanting = { socket, health, nginx };
    return Object.entries(wanting).flatMap(([field, value]) =>
      value === undefined
        ? []
        : [{ path: [field], what: 'it needs a port: the setting that is the port of the service' }],
    );
  }
  if (setting?.type !== 'port') return [{ path: ['port'], what: `${port} is no setting of type port` }];
  return setting.default === undefined
    ? [{ path: ['port'], what: `the setting ${port} needs a default` }]
    : [];
}

/** Everything that is wrong with a definition whose fields are right one by one. */
export function problemsOf(service: ServiceDefinition): readonly Problem[] {
  const { secrets, settings = [], unit, socket, url, next = [], nginx } = service;
  const places = placesOf(service.name);
  const template = (text: string, target: Target, at: At, own = ownNames): Problem[] =>
    templateProblems(service, text, target, own, at);
  return [
    ...nameProblems(service),
    ...secrets.flatMap((secret, index) => secretProblems(secret, ['secrets', index])),
    ...settings.flatMap((setting, index) => settingProblems(setting, ['settings', index])),
    ...portProblems(service),
    ...template(unit, 'systemd', ['unit']),
    ...unitProblems(unit, places).map((what) => ({ path: ['unit'], what })),
    ...(socket === undefined ? [] : template(socket, 'systemd', ['socket'])),
    ...(socket === undefined
      ? []
      : socketProblems(socket, service.port ?? '').map((what) => ({ path: ['socket'], what }))),
    ...(nginx === undefined ? [] : template(nginx.site, 'plain', ['nginx', 'site'], [...ownNames, 'marker'])),
    ...siteProblems(service),
    ...fileProblems(service),
    ...(url === undefined ? [] : template(url, 'words', ['url'])),
    ...next.flatMap((line, index) => template(line, 'words', ['next', index])),
  ];
}
