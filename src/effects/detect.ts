/** `detect`: fresh, in service, or in service with its secrets lost? Reads the env file as the data that it is. */
import { InstallerError } from '../errors.ts';
import type { DetectOutput, Request } from '../machines/types.ts';
import { firstBootName, firstBootTraces } from '../products/first-boot.ts';
import type { Product, Settings } from '../products/product.ts';
import { mustBeOnlyOne } from './beside.ts';
import { parsedEnv } from './env-parsed.ts';
import { lookAt, type Found } from './identity.ts';
import { refused } from './refusal.ts';
import type { EnvOnDisk, Scope } from './scope.ts';
import { isRunning } from './units.ts';

const unsafe = (path: string, why: string, remedy: string): InstallerError =>
  new InstallerError('E_PATH_UNSAFE', { path, why, remedy });

/** Type, owner and mode of the env file; E_PATH_UNSAFE. Readable by others is no reason to refuse: that is narrowed. */
function mustBeTrusted(scope: Scope, path: string): 'absent' | 'present' {
  const status = scope.host.lstat(path);
  if (status === null) return 'absent';
  const aside = 'Replace it by a regular file that belongs to root, with mode 0600.';
  if (status.type === 'link') throw unsafe(path, 'it is a symlink', aside);
  if (status.type === 'directory') throw unsafe(path, 'it is a directory', aside);
  if (status.type !== 'file') throw unsafe(path, 'it is not a regular file', aside);
  if (status.uid !== scope.host.owner) {
    throw unsafe(
      path,
      `it belongs to uid ${status.uid}`,
      `Check its content, then: chown ${scope.host.owner} ${path}`,
    );
  }
  if ((status.mode & 0o022) !== 0) {
    throw unsafe(
      path,
      `others may write it (mode ${status.mode.toString(8).padStart(4, '0')})`,
      `Check its content, then: chmod 600 ${path}`,
    );
  }
  return 'present';
}

function read(scope: Scope, path: string): Found | null {
  try {
    return lookAt(scope.host, path);
  } catch (error) {
    const cause = error instanceof InstallerError ? error.cause : error;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable';
    throw new InstallerError('E_ENV_UNREADABLE', { path, why: code }, error);
  }
}

/** The env file, or null where there is none. E_PATH_UNSAFE, E_ENV_UNREADABLE, E_ENV_INVALID, E_ENV_FOREIGN. */
export function readEnvFile(scope: Scope): EnvOnDisk | null {
  const { product } = scope;
  const path = product.envFile;
  if (mustBeTrusted(scope, path) === 'absent') return null;
  const found = read(scope, path);
  if (found?.bytes == null) return null;
  const file = parsedEnv(product, found.bytes);
  // An optional secret alone makes no installation.
  const own = product.secrets.filter(({ optional }) => optional !== true).map(({ name }) => name);
  if (!own.some((name) => file.has(name))) {
    throw new InstallerError('E_ENV_FOREIGN', { path, names: own.join(', ') });
  }
  // No hash of a file that holds secrets leaves the effects: its bytes are compared instead.
  return { bytes: found.bytes, identity: { ...found.identity, hash: null }, file };
}

/** Settings that an env file holds. */
export const settingsIn = ({ settings }: Product, env: EnvOnDisk | null): Settings =>
  Object.fromEntries(
    settings.flatMap(({ key }) => {
      const value = env?.file.get(key) ?? '';
      return value === '' ? [] : [[key, value] as const];
    }),
  );

/** What tells that there was an installation though its env file is gone. */
function tracesOf(scope: Scope): readonly string[] {
  const { host, product, state } = scope;
  const files = product.traces.filter((path) => host.lstat(path) !== null).map((path) => `${path} is there`);
  const running = isRunning(state.unitsBefore.get(product.service)) ? [`${product.service} is running`] : [];
  const made = scope.memory().secretsMade ? ['the journal says that secrets were made'] : [];
  return [...files, ...running, ...made];
}

/**
 * A run that does not know that this is an image would put secrets into it, and so into every host that is made from it.
 * One that is asked for new secrets does know.
 */
function mustHaveBooted({ host, product }: Scope, request: Request, env: EnvOnDisk): void {
  if (request.image || request.undo !== null || request.rotate === 'all') return;
  // One that is only ever brought along says nothing of whether the others were made.
  const isWaiting = product.secrets.every(
    ({ name, optional }) => optional === true || (env.file.get(name) ?? '') === '',
  );
  // A run may have been killed between the env file and the unit.
  if (isWaiting && firstBootTraces(product).some((path) => host.lstat(path) !== null))
    throw new InstallerError('E_IMAGE_UNBOOTED', { unit: firstBootName(product) });
}

/** @returns what the host is, or a refusal; the env file's content stays in the scope */
export function detect(scope: Scope, request: Request): DetectOutput {
  mustBeOnlyOne(scope);
  const env = readEnvFile(scope);
  scope.state.env = env;
  scope.state.settingsBefore = settingsIn(scope.product, env);
  if (env !== null) {
    mustHaveBooted(scope, request, env);
    return { kind: 'existing', notes: [] };
  }
  const traces = tracesOf(scope);
  // Of an image's secrets nothing is lost, unless it is an installation that serves.
  const runs = isRunning(scope.state.unitsBefore.get(scope.product.service));
  if (traces.length === 0 || (request.image && !runs)) return { kind: 'fresh', notes: [] };
  // Only giving up all of them mends a loss: the ones not named would be new as well.
  if (request.rotate === 'all') {
    return {
      kind: 'lost',
      notes: [
        {
          code: 'env-lost',
          level: 'warning',
          text: `${scope.product.envFile} is missing (${traces.join('; ')}): all secrets are made anew.`,
        },
      ],
    };
  }
  return refused(
    new InstallerError('E_ENV_LOST', { path: scope.product.envFile, traces: traces.join('; ') }),
  );
}
