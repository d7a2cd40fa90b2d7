/** `write`: makes one planned change. What is about to happen is on record before it happens. */
import { InstallerError } from '../errors.ts';
import type { Operation, WriteOutput } from '../machines/types.ts';
import type { Change } from './host/port.ts';
import { lookAt } from './identity.ts';
import { installPackages } from './packages.ts';
import { insteadOf } from './plan/source.ts';
import type { Scope } from './scope.ts';
import { secretsThatAre } from './secrets.ts';

/** Shorter values are words of a language too, and stand in paths and names; such a secret only counts after its name. */
const shortestAnywhere = 8;

/** The bytes with every secret hidden; the same object where they hold none. */
function withoutSecrets(scope: Scope, bytes: Uint8Array): Uint8Array {
  const { before, after } = scope.state;
  const original = Buffer.from(bytes).toString('latin1');
  let text = original;
  for (const [name, value] of [...before, ...after]) {
    if (value === '') continue;
    const raw = Buffer.from(value);
    const hidden = `<${name}>`;
    if (value.length < shortestAnywhere) {
      for (const quote of ['', '"', "'"])
        text = text.replaceAll(`${name}=${quote}${raw.toString('latin1')}`, `${name}=${quote}${hidden}`);
      continue;
    }
    const encodings = [
      raw.toString('latin1'),
      raw.toString('base64'),
      raw.toString('base64url'),
      raw.toString('hex'),
    ];
    for (const encoded of encodings) text = text.replaceAll(encoded, hidden);
  }
  return text === original ? bytes : Buffer.from(text, 'latin1');
}

/**
 * A copy of what is replaced, for people and for later undoing. None is made of the env file, and in a file that repeats
 * a secret it is hidden: a copy stays, and would keep the secret of a rotation alive.
 */
async function backup(scope: Scope, path: string, bytes: Uint8Array | null): Promise<string | null> {
  if (bytes === null || path === scope.product.envFile) return null;
  const kept = withoutSecrets(scope, bytes);
  return scope.backup(kept, kept === bytes ? '' : '.masked');
}

/** What undoing has to know of an env file, of which no copy is kept. */
function announceEnv(scope: Scope, stays: boolean): void {
  const { product, state } = scope;
  const { before, after, env, settingsBefore } = state;
  const changed = [...before].flatMap(([name, value]) =>
    value !== '' && value !== after.get(name) ? [name] : [],
  );
  const names = stays ? changed : product.secrets.map(({ name }) => name);
  if (names.length > 0) scope.record({ fact: 'secretsReplaced', names });
  scope.record({ fact: 'settingsFound', settings: env === null ? null : settingsBefore });
}

/** Code of the user's own: given for this run or kept from an earlier one, or put back where an undone run had replaced it. */
function announceSource(scope: Scope, hash: string): void {
  const { source, target } = scope.state;
  const isOwn = source === 'file' || target?.sources.sourcesSupplied.includes(hash) === true;
  if (!isOwn) return;
  const bundled = target?.sources.sourcesInsteadOf[hash] ?? insteadOf(scope, hash);
  scope.record({ fact: 'sourceSupplied', hashes: [hash], only: false, bundled });
}

/** What has to be on record before the bytes are: whose they are, and that this version wrote them. */
function announce(scope: Scope, { path, after }: Operation): void {
  const { product, state } = scope;
  if (scope.memory().installer !== scope.version) scope.record({ fact: 'installer', version: scope.version });
  if (path === product.codeFile && after?.hash != null) announceSource(scope, after.hash);
  const supplied = state.secrets.filter(({ origin }) => origin === 'supplied');
  if (path === product.envFile) announceEnv(scope, after !== null);
  if (path === product.envFile && supplied.length > 0) {
    const fingerprints = Object.fromEntries(supplied.map(({ name, fingerprint }) => [name, fingerprint]));
    scope.record({ fact: 'secretsSupplied', fingerprints, only: false });
  }
}

/** On record, and on disk before the next change. */
async function announceReplacing(
  scope: Scope,
  operation: Operation,
  bytes: Uint8Array | null,
): Promise<void> {
  const { state } = scope;
  const { path, before, after } = operation;
  if (state.services === 'live') {
    for (const due of state.obligations.get(path) ?? []) {
      // The hosts of an image start with what is written.
      if (!state.image || due.what === 'reloadManager') scope.record({ fact: 'owed', ...due });
    }
  }
  announce(scope, operation);
  const baselines = scope.memory().baselines[path] ?? [];
  const due = [...new Set((state.obligations.get(path) ?? []).map(({ what }) => what))];
  scope.record({ fact: 'replacing', path, before, after, backup: await backup(scope, path, bytes), due });
  // Before the change, not after it: a write that fails half way is undone as well.
  state.applied.push({ operation, before, bytes, baselines });
}

/** The facts around a replacement, and the replacement itself. */
async function replace(
  scope: Scope,
  operation: Operation,
  bytes: Uint8Array | null,
  make: () => Promise<Change>,
): Promise<Change> {
  const { path } = operation;
  if (!scope.state.announced.has(path)) await announceReplacing(scope, operation, bytes);
  const outcome = await make();
  scope.record({ fact: 'replaced', path });
  return outcome;
}

/** A file that nothing stood in the place of, and about which nothing more has to be on record. */
const isPlain = ({ product }: Scope, { kind, path, before }: Operation): boolean =>
  kind === 'writeFile' && before === null && path !== product.envFile;

/** So many at most: what a kill leaves announced, and not made, is looked at by the next run. */
const announcedAtOnce = 100;

/**
 * Announces a new file together with those that come after it, and waits for the disk once: the journal is synced for each
 * hundred of them, and not twice for each.
 */
async function announceTogether(scope: Scope, index: number): Promise<void> {
  const { operations, announced } = scope.state;
  const next = operations.slice(index, index + announcedAtOnce);
  const end = next.findIndex((each) => !isPlain(scope, each));
  const group = end === -1 ? next : next.slice(0, end);
  for (const each of group) await announceReplacing(scope, each, null);
  await scope.beforeChange();
  for (const { path } of group) announced.add(path);
}

async function writeFile(scope: Scope, operation: Operation, index: number): Promise<Change> {
  const { host, product, state } = scope;
  const { path, before, after } = operation;
  const content = state.contents.get(path);
  if (content === undefined || after === null)
    throw new InstallerError('E_INTERNAL', { why: `no content for ${path}` });
  const isNext = state.operations[index] === operation && isPlain(scope, operation);
  if (isNext && !state.announced.has(path)) await announceTogether(scope, index);
  const isEnv = path === product.envFile;
  const expectedBytes = isEnv && content.before !== null ? { expectedBytes: content.before } : {};
  const outcome = await replace(scope, operation, content.before, () =>
    host.writeFile(path, content.after, {
      mode: after.mode,
      expected: before,
      announced: state.announced.has(path),
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
