/** Before a change: what is about to happen goes on record, so that whatever comes then, undoing and later runs know it. */
import type { Operation } from '../machines/types.ts';
import { insteadOf } from './plan/source.ts';
import type { Applied, Scope } from './scope.ts';

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

/** On record, and on disk before the next change. @returns what undoing needs, once it is begun */
export async function announceReplacing(
  scope: Scope,
  operation: Operation,
  bytes: Uint8Array | null,
): Promise<Applied> {
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
  return { operation, before, bytes, baselines };
}

/** What was announced and never begun is no change of this run; whatever stands there is not its own. */
export function withdraw(scope: Scope, announced: readonly Applied[]): void {
  for (const { operation, baselines } of announced.toReversed())
    scope.record({ fact: 'restored', path: operation.path, baselines });
}

/**
 * As {@link withdraw}, where the journal could not be written: its last record may find room again, and these with it. Of a
 * run that has changed nothing nothing is owed then.
 */
export function takeBack(scope: Scope, announced: readonly Applied[]): void {
  withdraw(scope, announced);
  if (scope.state.applied.length === 0) scope.record({ fact: 'revoked' });
}

/** A file that nothing stood in the place of, and about which nothing more has to be on record. */
export const isPlain = ({ product }: Scope, { kind, path, before }: Operation): boolean =>
  kind === 'writeFile' && before === null && path !== product.envFile;

/** So many at most: what a kill leaves announced, and not made, is looked at by the next run. */
const announcedAtOnce = 100;

/**
 * Announces a new file together with those that come after it, and waits for the disk once: the journal is synced for each
 * hundred of them, and not twice for each.
 */
export async function announceTogether(scope: Scope, index: number): Promise<void> {
  const { operations, announced } = scope.state;
  const next = operations.slice(index, index + announcedAtOnce);
  const end = next.findIndex((each) => !isPlain(scope, each));
  const group = end === -1 ? next : next.slice(0, end);
  const all: Applied[] = [];
  try {
    for (const each of group) all.push(await announceReplacing(scope, each, null));
    await scope.beforeChange();
  } catch (error) {
    takeBack(scope, all);
    throw error;
  }
  for (const each of all) announced.set(each.operation.path, each);
}
