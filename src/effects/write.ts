/** `write`: makes one planned change, once it is on record. */
import { InstallerError } from '../errors.ts';
import type { Operation, WriteOutput } from '../machines/types.ts';
import { announceReplacing, announceTogether, isPlain, takeBack } from './announce.ts';
import type { Change } from './host/port.ts';
import { lookAt } from './identity.ts';
import { installPackages } from './packages.ts';
import type { Scope } from './scope.ts';
import { secretsThatAre } from './secrets.ts';

const isJournal = (error: unknown): boolean => error instanceof InstallerError && error.code === 'E_JOURNAL';

/** The facts around a replacement, and the replacement itself. */
async function replace(
  scope: Scope,
  operation: Operation,
  bytes: Uint8Array | null,
  make: () => Promise<Change>,
): Promise<Change> {
  const { path } = operation;
  const { announced, applied } = scope.state;
  const begun = announced.get(path) ?? (await announceReplacing(scope, operation, bytes));
  announced.delete(path);
  // Before the change, not after it: a write that fails half way is undone as well.
  applied.push(begun);
  try {
    const outcome = await make();
    scope.record({ fact: 'replaced', path });
    return outcome;
  } catch (error) {
    // The journal comes first: without it nothing was touched.
    if (isJournal(error)) takeBack(scope, applied.splice(-1));
    throw error;
  }
}

async function writeFile(scope: Scope, operation: Operation, index: number): Promise<Change> {
  const { host, product, state } = scope;
  const { path, before, after } = operation;
  const content = state.contents.get(path);
  if (content === undefined || after === null)
    throw new InstallerError('E_INTERNAL', { why: `no content for ${path}` });
  const isNext = state.operations[index] === operation && isPlain(scope, operation);
  if (isNext && !state.announced.has(path)) await announceTogether(scope, index);
  const announced = state.announced.has(path);
  const isEnv = path === product.envFile;
  const expectedBytes = isEnv && content.before !== null ? { expectedBytes: content.before } : {};
  const outcome = await replace(scope, operation, content.before, () =>
    host.writeFile(path, content.after, {
      mode: after.mode,
      expected: before,
      announced,
      ...expectedBytes,
      ...(after.uid === host.owner && after.gid === host.group
        ? {}
        : { ownership: { uid: after.uid, gid: after.gid } }),
    }),
  );
  // Not before the file: secrets that were never written must not look like secrets that were lost.
  const names = isEnv ? secretsThatAre(scope) : [];
  // None in an image: its hosts make theirs.
  if (names.length > 0) scope.record({ fact: 'secretsMade', names });
  return outcome;
}

const narrowMode = (scope: Scope, operation: Operation): Promise<Change> =>
  replace(scope, operation, null, () => scope.host.setMode(operation.path, operation.after?.mode ?? 0o600));

/** On record before it begins: what a kill leaves half installed is the installer's doing all the same. */
function packages(scope: Scope, names: readonly string[]): Promise<Change> {
  scope.state.packages = names;
  scope.record({ fact: 'packagesRequested', names });
  return installPackages(scope.host, names);
}

/** Secrets that go with the env file were taken away, not lost: on record before they are. */
function remove(scope: Scope, operation: Operation): Promise<Change> {
  const { host, product } = scope;
  const { path, before } = operation;
  const isEnv = path === product.envFile;
  const bytes = before?.type === 'file' ? host.readFile(path) : null;
  return replace(scope, operation, bytes, () => {
    if (isEnv) scope.record({ fact: 'secretsPurged' });
    return host.remove(path);
  });
}

async function perform(scope: Scope, operation: Operation, index: number): Promise<Change> {
  const { target, applied } = scope.state;
  if (target !== null && applied.length === 0) scope.record({ fact: 'undoing', to: target.to });
  // Also for what turns out to be there already: on a fresh host this is where two runs find out about each other. Later
  // ones wait for the journal as they are made.
  if (applied.length === 0) await scope.beforeChange();
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
      return writeFile(scope, operation, index);
    case 'makeLink':
      return replace(scope, operation, before?.type === 'file' ? host.readFile(path) : null, () =>
        host.makeLink(path, after?.hash ?? '', before),
      );
    case 'removeFile':
      return remove(scope, operation);
    case 'removeLeftover':
      return host.remove(path);
  }
}

/** @throws InstallerError E_WRITE_FAILED, E_CHANGED_UNDERWAY, E_PATH_UNSAFE, E_PACKAGES_FAILED, E_JOURNAL, E_BUSY */
export async function write(scope: Scope, operation: Operation, index: number): Promise<WriteOutput> {
  const work = perform(scope, operation, index);
  scope.state.inFlight = work.catch(() => undefined);
  const outcome = await work;
  if (outcome === 'predicted') scope.state.predicted = true;
  return { outcome };
}
