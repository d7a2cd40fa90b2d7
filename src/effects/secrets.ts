/** `fresh`, `existing`, `forceRotate`: the secrets that shall be. Values stay in the scope; names and origins go out. */
import { InstallerError } from '../errors.ts';
import type { Mode, Note, Request, SecretReport, SecretsOutput } from '../machines/types.ts';
import type { SecretSpec } from '../products/product.ts';
import { refused } from './refusal.ts';
import type { Scope } from './scope.ts';

interface Chosen {
  readonly value: string;
  readonly origin: SecretReport['origin'];
}

const generate = (scope: Scope, spec: SecretSpec): string =>
  Buffer.from(scope.randomBytes(spec.bytes)).toString('hex');

const isNamed = (request: Request, name: string): boolean =>
  request.rotate === 'all' || (request.rotate !== 'none' && request.rotate.includes(name));

/** By the value: one that was generated, or typed by hand, after a supplied one is none. */
export const isSupplied = (scope: Scope, name: string, value: string): boolean =>
  scope.memory().secretsSupplied[name]?.includes(scope.fingerprint(value)) ?? false;

function choose(scope: Scope, request: Request, mode: Mode, spec: SecretSpec, notes: Note[]): Chosen {
  const { name } = spec;
  const current = scope.state.env?.file.get(name) ?? '';
  const supplied = scope.supplied.get(name);
  if (supplied !== undefined) {
    if (supplied === current) return { value: current, origin: 'preserved' };
    const mayReplace = current === '' || (mode === 'forceRotate' && isNamed(request, name));
    if (!mayReplace) throw new InstallerError('E_SECRET_DIFFERS', { name });
    return { value: supplied, origin: 'supplied' };
  }
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

/** @returns names, origins and fingerprints; refuses with E_SECRET_DIFFERS */
export function secrets(scope: Scope, request: Request, mode: Mode): SecretsOutput {
  const { product, state } = scope;
  const notes: Note[] = [];
  const before = new Map<string, string>();
  const after = new Map<string, string>();
  try {
    state.secrets = product.secrets.map((spec) => {
      const { value, origin } = choose(scope, request, mode, spec, notes);
      before.set(spec.name, state.env?.file.get(spec.name) ?? '');
      after.set(spec.name, value);
      return { name: spec.name, origin, fingerprint: scope.fingerprint(value) };
    });
  } catch (error) {
    if (error instanceof InstallerError) return refused(error);
    throw error;
  }
  state.before = before;
  state.after = after;
  return { kind: 'ready', secrets: state.secrets, notes };
}
