/** `write`: makes one planned change. What is about to happen is on record before it happens. */
import { InstallerError } from '../errors.ts';
import type { Operation, WriteOutput } from '../machines/types.ts';
import type { Change } from './host/port.ts';
import { lookAt } from './identity.ts';
import { installPackages } from './packages.ts';
import type { Scope } from './scope.ts';

const holdsSecret = (scope: Scope, bytes: Uint8Array): boolean => {
  const text = Buffer.from(bytes);
  return [...scope.state.before.values(), ...scope.state.after.values()].some(
    (value) => value !== '' && text.includes(value),
  );
};

/** A copy of what is replaced; of the env file, and of a file that repeats a secret, none is made on disk. */
async function backup(scope: Scope, path: string, bytes: Uint8Array | null): Promise<string | null> {
  if (bytes === null || path === scope.product.envFile || holdsSecret(scope, bytes)) return null;
  return scope.backup(bytes);
}

/** The facts around a replacement, and the replacement itself. */
async function replace(
  scope: Scope,
  operation: Operation,
  bytes: Uint8Array | null,
  make: () => Promise<Change>,
): Promise<Change> {
  const { state } = scope;
  const { path, before, after } = operation;
  if (state.services === 'live') {
    for (const due of state.obligations.get(path) ?? []) scope.record({ fact: 'owed', ...due });
  }
  if (path === scope.product.codeFile) scope.record({ fact: 'source', origin: state.source });
  const baseline = scope.memory().baselines[path]?.at(-1) ?? null;
  scope.record({ fact: 'replacing', path, before, after, backup: await backup(scope, path, bytes) });
  // Before the change, not after it: a write that fails half way is undone as well.
  state.applied.push({ operation, before, bytes, baseline });
  const outcome = await make();
  scope.record({ fact: 'replaced', path });
  return outcome;
}

function secretsWritten(scope: Scope): void {
  const names = (origin: string): readonly string[] =>
    scope.state.secrets.filter((secret) => secret.origin === origin).map(({ name }) => name);
  scope.record({ fact: 'secretsMade', names: scope.product.secrets.map(({ name }) => name) });
  if (names('supplied').length > 0) scope.record({ fact: 'secretsSupplied', names: names('supplied') });
}

async function writeFile(scope: Scope, operation: Operation): Promise<Change> {
  const { host, product, state } = scope;
  const { path, before, after } = operation;
  const content = state.contents.get(path);
  if (content === undefined || after === null)
    throw new InstallerError('E_INTERNAL', { why: `no content for ${path}` });
  const isEnv = path === product.envFile;
  const expectedBytes = isEnv && content.before !== null ? { expectedBytes: content.before } : {};
  const outcome = await replace(scope, operation, content.before, () =>
    host.writeFile(path, content.after, { mode: after.mode, expected: before, ...expectedBytes }),
  );
  if (isEnv) secretsWritten(scope);
  return outcome;
}

async function narrowMode(scope: Scope, operation: Operation): Promise<Change> {
  const { path, before, after } = operation;
  scope.state.applied.push({ operation, before, bytes: null, baseline: null });
  return scope.host.setMode(path, after?.mode ?? 0o600);
}

async function packages(scope: Scope, names: readonly string[]): Promise<Change> {
  const outcome = await installPackages(scope.host, names);
  if (outcome === 'changed') scope.record({ fact: 'packagesInstalled', names });
  return outcome;
}

async function perform(scope: Scope, operation: Operation): Promise<Change> {
  // Also for what turns out to be there already: on a fresh host this is where two runs find out about each other.
  await scope.beforeChange();
  const { host } = scope;
  const { kind, path, before, after } = operation;
  switch (kind) {
    case 'installPackages':
      return packages(scope, operation.detail);
    case 'narrowMode':
      return narrowMode(scope, operation);
    case 'makeDirectory':
      // A package of the same run may have brought it.
      if (lookAt(host, path)?.identity.type === 'directory') return 'changed';
      return replace(scope, operation, null, () => host.makeDirectory(path, after?.mode ?? 0o755));
    case 'writeFile':
      return writeFile(scope, operation);
    case 'makeLink':
      return replace(scope, operation, before?.type === 'file' ? host.readFile(path) : null, () =>
        host.makeLink(path, after?.hash ?? '', before),
      );
    case 'removeFile':
    case 'removeLeftover':
      return host.remove(path);
  }
}

/** @throws InstallerError E_WRITE_FAILED, E_CHANGED_UNDERWAY, E_PATH_UNSAFE, E_PACKAGES_FAILED, E_JOURNAL, E_BUSY */
export async function write(scope: Scope, operation: Operation): Promise<WriteOutput> {
  const work = perform(scope, operation);
  scope.state.inFlight = work.catch(() => undefined);
  const outcome = await work;
  if (outcome === 'predicted') scope.state.predicted = true;
  return { outcome };
}
