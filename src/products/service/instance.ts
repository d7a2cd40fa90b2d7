/**
 * A service as an installation beside the plain one: another name, its files where that name has them. What its texts
 * write out instead of leaving it to a placeholder stays the plain installation's, and is refused where that can be told.
 */
import { installationName } from '../instances.ts';
import { textOf } from './checks.ts';
import type { ServiceDefinition } from './definition.ts';
import { ownDirectories, ownFiles } from './places.ts';
import type { Problem } from './problems.ts';

/** The same place under the name of the installation. */
function moved(path: string, from: string, to: string): string {
  const file = ownFiles(from).indexOf(path);
  if (file !== -1) return ownFiles(to)[file]!;
  const at = Object.keys(ownDirectories(from)).findIndex((directory) => path.startsWith(`${directory}/`));
  const [before, after] = [Object.keys(ownDirectories(from))[at], Object.keys(ownDirectories(to))[at]];
  return before === undefined || after === undefined ? path : `${after}${path.slice(before.length)}`;
}

/** Places and units of a service of this name that a text writes out; lines of comments count for nothing. */
function writtenOut(text: string, name: string): readonly string[] {
  const plain = text.replace(/^\s*[#;].*$/gmu, '');
  const places = [
    `/(?:etc|run|usr/local/lib|usr/local/share|usr/local/bin|var/lib|var/cache|var/log|etc/logrotate\\.d)/${name}(?![a-z0-9-])`,
    `(?<![a-z0-9-])${name}\\.(?:service|socket)(?![a-z])`,
    `^\\s*(?:Runtime|State|Cache|Logs|Configuration)Directory=(?:.*[\\s:/])?${name}(?![a-z0-9-])`,
    `^\\s*User=${name}\\s*$`,
  ];
  return places.flatMap((place) => new RegExp(place, 'mu').exec(plain)?.[0].trim() ?? []);
}

/** What the installation would share with the plain one. */
function sharedBy(service: ServiceDefinition): readonly Problem[] {
  const { name, unit, socket = '', nginx, files = [] } = service;
  const texts: readonly (readonly [string, Problem['path']])[] = [
    [unit, ['unit']],
    [socket, ['socket']],
    [nginx?.site ?? '', ['nginx', 'site']],
    ...files.flatMap(({ content, template }, index) =>
      template === undefined ? [] : [[textOf(content), ['files', index, 'content']] as const],
    ),
  ];
  const words =
    'for installations beside the plain one it has to be told by {{name}}, {{envFile}} or {{codeDirectory}}';
  const site =
    nginx !== undefined && nginx.serverName === undefined
      ? [{ path: ['nginx'], what: 'for installations beside the plain one it needs a serverName of its own' }]
      : [];
  return [
    ...texts.flatMap(([text, path]) =>
      writtenOut(text, name).map((found) => ({ path, what: `${JSON.stringify(found)}: ${words}` })),
    ),
    ...site,
  ];
}

/** @returns the service under the name of the installation, and what it would share with the plain one */
export function asInstance<T extends ServiceDefinition>(
  service: T,
  instance: string,
): { readonly service: T; readonly problems: readonly Problem[] } {
  const name = installationName(service.name, instance);
  const files = service.files?.map((file) => ({ ...file, path: moved(file.path, service.name, name) }));
  // The plain installation has taken the port that is the default.
  const settings = service.settings?.map((setting) => {
    const { default: preset, ...others } = setting;
    return preset !== undefined && setting.key === service.port ? others : setting;
  });
  const moving = { ...service, name, ...(files && { files }), ...(settings && { settings }) };
  return { service: moving, problems: sharedBy(service) };
}
