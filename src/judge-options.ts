/**
 * Judges what a program without types hands over: an unknown name would silently not count, and a value of a wrong type
 * would fail half way. Values are never repeated, since any of them may be a secret.
 */
import { InstallerError } from './errors.ts';
import type { InstallOptions } from './install.ts';
import type { Request } from './machines/types.ts';
import type { StatusOptions } from './status/index.ts';

interface Kind {
  /** Half a sentence: what a value has to be. */
  readonly what: string;
  readonly is: (value: unknown) => boolean;
}
/** Every name of a type: one that is missing here does not compile. */
type Kinds<T> = Readonly<Record<keyof T, Kind>>;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): boolean => typeof value === 'string';
const areTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);

const text: Kind = { what: 'a string', is: isText };
const truth: Kind = { what: 'true or false', is: (value) => typeof value === 'boolean' };
const listener: Kind = { what: 'a function', is: (value) => typeof value === 'function' };
const object: Kind = { what: 'an object', is: isObject };
const names: Kind = { what: 'a list of names', is: areTexts };
const oneOf = (...values: readonly string[]): Kind => ({
  what: `one of ${values.map((value) => `'${value}'`).join(', ')}`,
  is: (value) => isText(value) && values.includes(value as string),
});
const product: Kind = {
  what: 'a Product: mcpOauthProxy, what defineService returns, or what readProductFile resolves to (await it)',
  is: (value) =>
    isObject(value) &&
    isText(value['name']) &&
    Array.isArray(value['secrets']) &&
    Array.isArray(value['settings']) &&
    typeof value['desired'] === 'function',
};

const requestKinds: Kinds<Request> = {
  product: text,
  rotate: {
    what: "'none', 'all' or a list of names of secrets",
    is: (value) => value === 'none' || value === 'all' || areTexts(value),
  },
  settings: {
    what: 'an object of strings, numbers written as strings too',
    is: (value) =>
      isObject(value) && Object.values(value).every((each) => each === undefined || isText(each)),
  },
  unset: names,
  supplied: names,
  source: oneOf('kept', 'bundled', 'file'),
  edits: oneOf('refuse', 'keep', 'replace'),
  ask: truth,
  packages: truth,
  start: truth,
  image: truth,
  rollback: truth,
  checks: truth,
  downgrade: truth,
  undo: {
    what: "null, { kind: 'rollback', run } or { kind: 'uninstall', purge }",
    is: (value) =>
      value === null ||
      (isObject(value) &&
        ((value['kind'] === 'rollback' && (value['run'] === null || isText(value['run']))) ||
          (value['kind'] === 'uninstall' && typeof value['purge'] === 'boolean'))),
  },
};

const statusKinds: Kinds<StatusOptions> = { product, root: text, host: object };

const installKinds: Kinds<InstallOptions> = {
  ...statusKinds,
  request: object,
  supplied: {
    what: 'a Map of strings by the names of secrets',
    is: (value) => value instanceof Map && areTexts([...value.keys(), ...value.values()]),
  },
  source: { what: 'bytes (Uint8Array)', is: (value) => value instanceof Uint8Array },
  dryRun: truth,
  diffs: truth,
  asker: object,
  command: text,
  sudoCommand: text,
  onEvent: listener,
  onRecord: listener,
  onBug: listener,
  interrupt: { what: 'an AbortSignal', is: (value) => isObject(value) && 'aborted' in value },
};

function mustFit(value: unknown, kinds: Readonly<Record<string, Kind>>, whole: string, prefix: string): void {
  const wrong = (what: string): InstallerError =>
    new InstallerError('E_USAGE', { what, remedy: 'docs/reference/library.md of the package says it.' });
  if (!isObject(value)) throw wrong(`${whole} has to be an object.`);
  for (const [name, given] of Object.entries(value)) {
    if (!Object.hasOwn(kinds, name))
      throw wrong(`${whole} names ${JSON.stringify(name)}; valid: ${Object.keys(kinds).join(', ')}.`);
    const kind = kinds[name];
    if (given !== undefined && kind?.is(given) === false)
      throw wrong(`${prefix}${name} has to be ${kind.what}.`);
  }
}

/** @throws InstallerError E_USAGE for an unknown name, or a value of a wrong type */
export function mustBeInstallOptions(options: InstallOptions): void {
  mustFit(options, installKinds, 'What install is given', '');
  mustFit(options.request ?? {}, requestKinds, 'request', 'request.');
}

/** @throws InstallerError E_USAGE for an unknown name, or a value of a wrong type */
export const mustBeStatusOptions = (options: StatusOptions): void =>
  mustFit(options, statusKinds, 'What status is given', '');
