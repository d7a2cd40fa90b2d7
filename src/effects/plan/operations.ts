/** From what is there and what should be to the list of changes, in the order in which they are made. */
import type { FileIdentity } from '../../facts.ts';
import type { Mode, Note, Operation, Request } from '../../machines/types.ts';
import type { Desired, DesiredFile, DesiredLink } from '../../products/product.ts';
import type { FileChange, KeptEdit, Scope } from '../scope.ts';
import { directory, narrow } from './directories.ts';
import { desiredEnv, maskedEnv } from './env.ts';
import { decideFile, decideLink } from './files.ts';
import { goneFrom, type Forgotten } from './gone.ts';
import { leftovers } from './leftovers.ts';
import { createMasking, type Masking } from './masking.ts';
import { sha256 } from '../identity.ts';

export interface Changes {
  readonly operations: readonly Operation[];
  readonly changes: readonly FileChange[];
  readonly notes: readonly Note[];
  /** Files that a person edited where a change of ours meets the edit, and nobody said what to do. */
  readonly conflicts: readonly string[];
  /** Those of them that lack what others of ours rely on. */
  readonly breaking: readonly string[];
  readonly kept: readonly KeptEdit[];
  readonly forgotten: readonly Forgotten[];
}

const text = (bytes: Uint8Array | null): string =>
  bytes === null ? '' : Buffer.from(bytes).toString('utf8');

/** The env file's operations: first its mode, then, in one step, what has to change in it. */
function envOperations(
  scope: Scope,
  mode: Mode,
  changes: FileChange[],
): { first: Operation[]; later: Operation[] } {
  const { product, state, host } = scope;
  const path = product.envFile;
  const { env } = state;
  const after: FileIdentity = { type: 'file', hash: null, mode: 0o600, uid: host.owner, gid: host.group };
  const first =
    env !== null && (env.identity.mode & 0o077) !== 0 ? [narrow(path, 'env', env.identity, 0o600)] : [];
  const bytes = desiredEnv(scope, mode, state.settings);
  if (env !== null && Buffer.compare(env.bytes, bytes) === 0) return { first, later: [] };
  state.contents.set(path, { after: bytes, before: env?.bytes ?? null });
  changes.push({
    path,
    before: maskedEnv(scope, env?.bytes ?? null, 'before'),
    after: maskedEnv(scope, bytes, 'after'),
  });
  const touched = state.secrets
    .filter(({ origin }) => origin !== 'preserved')
    .map(({ name, origin }) => `${name}: ${origin}`);
  return {
    first,
    later: [
      {
        kind: 'writeFile',
        path,
        role: 'env',
        action: env === null ? 'create' : 'replace',
        before: env?.identity ?? null,
        after,
        detail: touched,
        because: touched.length === 0 ? 'settings' : null,
      },
    ],
  };
}

/** A file before and after as a diff may show it. */
export function changeOf(
  scope: Scope,
  masking: Masking,
  path: string,
  before: Uint8Array | null,
  after: Uint8Array,
): FileChange {
  const own = text(after);
  const isOwn = before === null || scope.memory().baselines[path]?.includes(sha256(before)) === true;
  // Only where somebody wants a diff: of many files this is most of what a plan has to do.
  return {
    path,
    get before() {
      return isOwn ? masking.own(text(before)) : masking.foreign(text(before), own);
    },
    get after() {
      return masking.own(own);
    },
  };
}

/** A person's edit, from what would be written to what they wrote; theirs may hold secrets of theirs. */
function keptChange(masking: Masking, { path, content }: DesiredFile, theirs: Uint8Array): FileChange {
  const ours = text(content);
  return { path, before: masking.own(ours), after: masking.foreign(text(theirs), ours), kept: true };
}

/** @param packages those that are about to be installed */
export function changesOf(
  scope: Scope,
  desired: Desired,
  mode: Mode,
  edits: Request['edits'],
  packages: readonly string[],
): Changes {
  const { state } = scope;
  state.contents.clear();
  const changes: FileChange[] = [];
  const notes: Note[] = [];
  const conflicts: string[] = [];
  const breaking: string[] = [];
  const kept: KeptEdit[] = [];
  const notOurs = new Set<string>();
  const env = envOperations(scope, mode, changes);
  const masking = createMasking(scope);

  const fileOperation = (file: DesiredFile): Operation[] => {
    const decision = decideFile(scope, file, edits);
    if (decision.kind === 'conflict') {
      conflicts.push(file.path);
      if (decision.breaks) breaking.push(file.path);
      return [];
    }
    if (decision.kind !== 'write') {
      notes.push(...decision.notes);
      if (decision.kind === 'offer' || decision.edited)
        kept.push({ path: file.path, offered: sha256(file.content) });
      // A note tells of a file that is not as ours would be; most are, and are not read again.
      if (decision.notes.length > 0) {
        const bytes = scope.host.readFile(file.path);
        if (bytes !== null) changes.push(keptChange(masking, file, bytes));
        if (file.isOurs?.(text(bytes)) === false) notOurs.add(file.path);
      }
    }
    if (decision.kind === 'nothing') return [];
    const { operation, bytes } = decision;
    const before = decision.kind === 'write' ? decision.before : scope.host.readFile(operation.path);
    state.contents.set(operation.path, { after: bytes, before });
    changes.push(changeOf(scope, masking, operation.path, before, bytes));
    return [operation];
  };

  const linkOperation = (link: DesiredLink): Operation[] => {
    const file = desired.files.find(({ path }) => path === link.target);
    const decision = decideLink(scope, link, file, edits);
    if (decision.kind === 'conflict') {
      conflicts.push(link.path);
      return [];
    }
    notes.push(...decision.notes);
    if (decision.kind === 'make') return [decision.operation];
    if (decision.kept !== null) kept.push(decision.kept);
    return [];
  };

  const installing = packages.length > 0 && scope.host.root === '/';
  const directories = desired.directories
    .filter(({ providedBy }) => providedBy === undefined || !installing || !packages.includes(providedBy))
    .map((wanted) => directory(scope, wanted))
    .filter((operation) => operation !== null);
  const files = desired.files.flatMap(fileOperation);
  const links = desired.links
    // A site that was there before us is its owner's to enable.
    .filter(({ target }) => !notOurs.has(target))
    .flatMap(linkOperation);
  const gone = goneFrom(scope, desired, kept);
  notes.push(...gone.notes);
  const packageOperation: Operation[] = installing
    ? [
        {
          kind: 'installPackages',
          path: '/',
          role: 'packages',
          action: 'create',
          before: null,
          after: null,
          detail: packages,
          because: null,
        },
      ]
    : [];
  return {
    operations: [
      ...env.first,
      ...packageOperation,
      ...leftovers(scope, {
        files: [scope.product.envFile, ...desired.files.map(({ path }) => path)],
        links: desired.links.map(({ path }) => path),
      }),
      ...directories,
      ...env.later,
      ...files,
      ...links,
      // Last: until then what is still in force may rely on them.
      ...gone.operations.toReversed(),
    ],
    changes,
    notes,
    conflicts,
    breaking,
    kept,
    forgotten: gone.forgotten,
  };
}
