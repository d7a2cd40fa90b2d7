/** `fresh`, `existing`, `forceRotate`: the secrets that shall be. Values stay in the scope; names and origins go out. */
import { InstallerError } from '../errors.ts';
import type { Mode, Note, Request, SecretReport, SecretsOutput } from '../machines/types.ts';
import type { GeneratedSecret, OptionalSecret, SecretSpec } from '../products/product.ts';
import { refused } from './refusal.ts';
import type { Scope } from './scope.ts';

interface Chosen {
  readonly value: string;
  readonly origin: SecretReport['origin'];
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** As many letters and digits as hold `bytes` random bytes; each is as likely as any other. */
function alphanumeric(scope: Scope, bytes: number): string {
  const length = Math.ceil((bytes * 8) / Math.log2(letters.length));
  const fair = 256 - (256 % letters.length);
  let value = '';
  while (value.length < length) {
    const drawn = [...scope.randomBytes(length)].filter((byte) => byte < fair);
    value += drawn.map((byte) => letters[byte % letters.length]).join('');
  }
  return value.slice(0, length);
}

function generate(scope: Scope, { bytes, format = 'hex' }: GeneratedSecret): string {
  if (format === 'alphanumeric') return alphanumeric(scope, bytes);
  return Buffer.from(scope.randomBytes(bytes)).toString(format);
}

const isNamed = (request: Request, name: string): boolean =>
  request.rotate === 'all' || (request.rotate !== 'none' && request.rotate.includes(name));

/** By the value: one that was generated, or typed by hand, after a supplied one is none. */
export const isSupplied = (scope: Scope, name: string, value: string): boolean =>
  scope.memory().secretsSupplied[name]?.includes(scope.fingerprint(value)) ?? false;

/** A value from a file for this run: E_SECRET_DIFFERS where it would replace one that nobody gave up. */
function bring(request: Request, mode: Mode, name: string, current: string, supplied: string): Chosen {
  if (supplied === current) return { value: current, origin: 'preserved' };
  const mayReplace = current === '' || (mode === 'forceRotate' && isNamed(request, name));
  if (!mayReplace) throw new InstallerError('E_SECRET_DIFFERS', { name });
  return { value: supplied, origin: 'supplied' };
}

/** @returns null where there is none and none is asked for */
function chooseOptional(
  scope: Scope,
  request: Request,
  spec: OptionalSecret,
  current: string,
  notes: Note[],
): Chosen | null {
  const { name, fileOption } = spec;
  const isForgotten = request.unset.includes(name);
  if (current === '') {
    if (!isForgotten && scope.memory().secretsSupplied[name] !== undefined) {
      const text = `${name}, which an earlier run was given, is not in ${scope.product.envFile} and is not made up: --${fileOption} FILE brings it back.`;
      notes.push({ code: 'optional-secret-gone', level: 'warning', text });
    }
    return null;
  }
  if (isForgotten) return { value: '', origin: 'removed' };
  if (isNamed(request, name)) {
    const text = `${name} is never generated, so it is not rotated; give a new file (--${fileOption}) to replace it.`;
    notes.push({ code: 'supplied-secret-kept', level: 'warning', text });
  }
  return { value: current, origin: 'preserved' };
}

/** In an image: nothing, until each host that is made from it makes its own. E_IMAGE_SECRETS. */
function mustBeEmpty({ product, state }: Scope): void {
  const names = product.secrets
    .map(({ name }) => name)
    .filter((name) => (state.env?.file.get(name) ?? '') !== '');
  if (names.length > 0)
    throw new InstallerError('E_IMAGE_SECRETS', { path: product.envFile, names: names.join(', ') });
}

function choose(scope: Scope, request: Request, mode: Mode, spec: SecretSpec, notes: Note[]): Chosen | null {
  const { name } = spec;
  const current = scope.state.env?.file.get(name) ?? '';
  if (request.image) return spec.optional === true ? null : { value: '', origin: 'deferred' };
  const supplied = scope.supplied.get(name);
  if (supplied !== undefined) return bring(request, mode, name, current, supplied);
  if (spec.optional === true) return chooseOptional(scope, request, spec, current, notes);
  if (mode === 'fresh') return { value: generate(scope, spec), origin: 'generated' };
  if (current === '') {
    const path = scope.product.envFile;
    if (scope.state.env !== null) {
      notes.push({
        code: 'secret-healed',
        level: 'warning',
        text: `${name} was missing in ${path}: it is generated, alone. ${spec.afterRotation}`,
      });
    }
    return { value: generate(scope, spec), origin: scope.state.env === null ? 'rotated' : 'healed' };
  }
  if (mode === 'existing' || !isNamed(request, name)) return { value: current, origin: 'preserved' };
  if (isSupplied(scope, name, current)) {
    notes.push({
      code: 'supplied-secret-kept',
      level: 'warning',
      text: `${name} was supplied from a file, so it is not rotated; give a new file to replace it.`,
    });
    return { value: current, origin: 'preserved' };
  }
  return { value: generate(scope, spec), origin: 'rotated' };
}

/** Names of the secrets that the env file holds when the run has ended. */
export const secretsThatAre = ({ state }: Scope): readonly string[] =>
  state.secrets.filter(({ origin }) => origin !== 'removed' && origin !== 'deferred').map(({ name }) => name);

/** Of nothing there is none: it would look like that of a secret. */
const fingerprintOf = (scope: Scope, value: string): string => (value === '' ? '' : scope.fingerprint(value));

/** @returns names, origins and fingerprints; refuses with E_SECRET_DIFFERS, E_IMAGE_SECRETS */
export function secrets(scope: Scope, request: Request, mode: Mode): SecretsOutput {
  const { product, state } = scope;
  const notes: Note[] = [];
  const before = new Map<string, string>();
  const after = new Map<string, string>();
  try {
    if (request.image) mustBeEmpty(scope);
    state.secrets = product.secrets.flatMap((spec): SecretReport[] => {
      const { name } = spec;
      const chosen = choose(scope, request, mode, spec, notes);
      const current = state.env?.file.get(name) ?? '';
      before.set(name, current);
      after.set(name, chosen?.value ?? '');
      if (chosen === null) return [];
      const { value, origin } = chosen;
      return [{ name, origin, fingerprint: fingerprintOf(scope, origin === 'removed' ? current : value) }];
    });
  } catch (error) {
    if (error instanceof InstallerError) return refused(error);
    throw error;
  }
  state.before = before;
  state.after = after;
  return { kind: 'ready', secrets: state.secrets, notes };
}
