/**
 * A product from a description: one service with its unit, its secrets, its settings and its files. What a program hands
 * over and what a product file says go this way alike.
 */
import type { InferOutput } from 'valibot';
import { InstallerError } from '../../errors.ts';
import type { Instances } from '../instances.ts';
import type { Product, SecretSpec, Settings } from '../product.ts';
import { invalid, ok } from '../validators.ts';
import { problemsOf } from './checks.ts';
import { serviceSchema, type SecretDefinition, type ServiceDefinition } from './definition.ts';
import { asInstance } from './instance.ts';
import { readAs, type Problem } from './problems.ts';
import { Service } from './service.ts';
import { settingSpec } from './settings.ts';
import { stateOf } from './units.ts';

/**
 * What only a program can add to a description: `proveRotation` (asks the running service whether new secrets count and
 * old ones do not), `settingsChanged` (notes where settings change), `nextSteps` (the lines after a run).
 */
export type ServiceFunctions = Partial<Pick<Product, 'nextSteps' | 'proveRotation' | 'settingsChanged'>>;

const supplied = /^[A-Za-z0-9._~+/=:,@%!?*-]{12,4096}$/u;

const validateSupplied = (value: string) =>
  supplied.test(value)
    ? ok(value)
    : invalid(
        'it must hold one line of 12 to 4096 of the characters A-Z a-z 0-9 . _ ~ + / = : , @ % ! ? * - and nothing else',
      );

function secretSpec(secret: SecretDefinition): SecretSpec {
  const { name, purpose, afterRotation, bytes: count = 32, format = 'hex', fileOption } = secret;
  const about = { name, purpose, afterRotation };
  if (secret.optional === true && fileOption !== undefined)
    return { ...about, optional: true, fileOption, validate: validateSupplied };
  return {
    ...about,
    bytes: count,
    format,
    ...(fileOption === undefined ? {} : { fileOption, validate: validateSupplied }),
  };
}

const problemLine = ({ path, what }: Problem): string =>
  `${path.map((at, index) => (typeof at === 'number' ? `[${at}]` : index === 0 ? at : `.${at}`)).join('')}: ${what}`;

function invalidService(problems: readonly Problem[]): InstallerError {
  const lines = problems.map((problem) => `  ${problemLine(problem)}`).join('\n');
  return new InstallerError('E_PRODUCT_INVALID', { what: `The service cannot be used:\n${lines}` });
}

/** A description that is known to be one. */
type Checked = InferOutput<typeof serviceSchema>;

function instancesOf(checked: Checked, functions: ServiceFunctions, instance: string | null): Instances {
  const { name, port, nginx, settings = [] } = checked;
  const preset = Number(settings.find(({ key }) => key === port)?.default);
  const service = new Service(checked);
  return {
    product: name,
    instance,
    freePorts: instance === null || port === undefined ? null : { key: port, from: preset + 1, count: 1 },
    claims: (values) => {
      const listens = service.listenPort(values);
      const domain = nginx?.serverName === undefined ? undefined : values[nginx.serverName];
      return { ports: listens === null ? [] : [listens], domains: domain === undefined ? [] : [domain] };
    },
    make: (other) => {
      if (other === null) return productOf(checked, functions, null);
      const { problems } = asInstance(checked, other);
      if (problems.length > 0) throw invalidService(problems);
      return productOf(checked, functions, other);
    },
  };
}

function productOf(checked: Checked, functions: ServiceFunctions, instance: string | null): Product {
  const definition = instance === null ? checked : asInstance(checked, instance).service;
  const service = new Service(definition);
  const { places } = service;
  const { name, url, settings = [], socket } = definition;
  const endpoint = (values: Settings): string | null =>
    url === undefined ? null : service.text(url, 'words', values);
  return {
    name,
    instances: instancesOf(checked, functions, instance),
    description: `Installs ${name}: ${definition.description}.`,
    directory: places.directory,
    envFile: places.envFile,
    codeFile: null,
    bundledCode: new Uint8Array(),
    service: places.service,
    socket: socket === undefined ? null : places.socket,
    state: stateOf(definition.unit, name),
    webUnit: 'nginx.service',
    traces: socket === undefined ? [places.serviceFile] : [places.serviceFile, places.socketFile],
    secrets: definition.secrets.map(secretSpec),
    settings: settings.map(settingSpec),
    healthPaths: definition.health ?? [],
    listenPort: (values) => service.listenPort(values),
    endpoint,
    backend: () => null,
    words: { endpoint: 'URL', backend: '' },
    askFor: settings.filter(({ ask }) => ask === true).map(({ key }) => key),
    desired: (input) => service.desired(input),
    webOnDisk: (values, view) => service.webOnDisk(values, view),
    proveRotation: functions.proveRotation ?? (() => Promise.resolve({ failed: null, notes: [] })),
    settingsChanged:
      functions.settingsChanged ??
      ((before, after) => {
        const [from, to] = [endpoint(before), endpoint(after)];
        if (from === to) return [];
        const text = `The URL of ${name} changes from ${from ?? ''} to ${to ?? ''}: whoever uses it has to be told.`;
        return [{ code: 'public-url-changed', level: 'warning', text }];
      }),
    nextSteps: functions.nextSteps ?? ((finished) => service.nextSteps(finished)),
  };
}

/** @returns the product, or everything that keeps the description from being one */
export function serviceOf(
  description: unknown,
  functions: ServiceFunctions = {},
):
  | { readonly ok: true; readonly product: Product }
  | { readonly ok: false; readonly problems: readonly Problem[] } {
  const read = readAs(serviceSchema, description);
  if (!read.ok) return read;
  const problems = problemsOf(read.value);
  return problems.length > 0
    ? { ok: false, problems }
    : { ok: true, product: productOf(read.value, functions, null) };
}

/**
 * A product of one's own.
 *
 * @param definition the service: its name, unit, secrets, settings, files; the reference is docs/reference/product.md
 * @param functions what only a program can add: how a rotation is proven, what people are told
 * @returns what `install({ product })` and `status({ product })` take
 * @throws InstallerError E_PRODUCT_INVALID with everything that is wrong, one line each
 */
export function defineService(definition: ServiceDefinition, functions: ServiceFunctions = {}): Product {
  const made = serviceOf(definition, functions);
  if (made.ok) return made.product;
  throw invalidService(made.problems);
}
