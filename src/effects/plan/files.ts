/** One managed file: what is there, what should be, what was written last; from these three follows what is done. */
import { posix } from 'node:path';
import { InstallerError } from '../../errors.ts';
import type { FileIdentity } from '../../facts.ts';
import type { Note, Operation, Request } from '../../machines/types.ts';
import type { DesiredFile, DesiredLink } from '../../products/product.ts';
import { lookAt, sha256, type Found } from '../identity.ts';
import type { KeptEdit, Scope } from '../scope.ts';

export type Decision =
  | { readonly kind: 'nothing'; readonly notes: readonly Note[]; readonly edited: boolean }
  | {
      readonly kind: 'write';
      readonly operation: Operation;
      readonly bytes: Uint8Array;
      readonly before: Uint8Array | null;
    }
  | {
      readonly kind: 'offer';
      readonly operation: Operation;
      readonly bytes: Uint8Array;
      readonly notes: readonly Note[];
    }
  | { readonly kind: 'conflict'; readonly breaks: boolean };

/** A file or a link. */
interface Standing extends Found {
  readonly identity: FileIdentity & { readonly hash: string };
}

/** What stands there, where it is something that may be replaced at all: E_PATH_UNSAFE for a FIFO, a device, a directory. */
function standingAt(scope: Scope, path: string): Standing | null {
  const found = lookAt(scope.host, path);
  if (found === null) return null;
  const { identity, bytes } = found;
  const { type, hash } = identity;
  if (hash !== null) return { identity: { ...identity, hash }, bytes };
  const why = type === 'directory' ? 'it is a directory' : 'it is not a regular file';
  throw new InstallerError('E_PATH_UNSAFE', {
    path,
    why,
    remedy: 'Move it away, and run this again; it was not touched.',
  });
}

const kept = (path: string): Note => ({
  code: 'edit-kept',
  level: 'info',
  text: `${path} was edited by a person and is kept as it is.`,
});

const keptBroken = (path: string): Note => ({
  code: 'edit-breaks',
  level: 'warning',
  text: `${path} was edited by a person and is kept, but it lacks what others of the installer's files rely on. To have it replaced: --force-config`,
});

const desiredIdentity = (scope: Scope, bytes: Uint8Array, mode: number): FileIdentity => ({
  type: 'file',
  hash: sha256(bytes),
  mode,
  uid: scope.host.owner,
  gid: scope.host.group,
});

const operation = (
  scope: Scope,
  file: DesiredFile,
  found: Found | null,
  because: string | null,
): Operation => ({
  kind: 'writeFile',
  path: file.path,
  role: file.role,
  action: found === null ? 'create' : 'replace',
  before: found?.identity ?? null,
  after: desiredIdentity(scope, file.content, file.mode),
  detail: [],
  because,
});

const isAsWanted = (found: Found, after: FileIdentity): boolean =>
  found.identity.type === 'file' &&
  found.identity.hash === after.hash &&
  found.identity.mode === after.mode &&
  found.identity.uid === after.uid;

/** Lays what the installer would have written beside the edited file, once. */
function offer(scope: Scope, file: DesiredFile, note = kept(file.path)): Decision {
  const path = `${file.path}.mcp-new`;
  const found = standingAt(scope, path);
  const aside: DesiredFile = { ...file, path, role: `new version of the ${file.role}` };
  const after = desiredIdentity(scope, file.content, file.mode);
  if (found !== null && isAsWanted(found, after)) return { kind: 'nothing', notes: [note], edited: true };
  return {
    kind: 'offer',
    operation: operation(scope, aside, found, 'the edited file is kept'),
    bytes: file.content,
    notes: [note],
  };
}

function decideEdited(
  scope: Scope,
  file: DesiredFile,
  found: Found,
  edits: Request['edits'],
  baseline: string | undefined,
): Decision {
  const wanted = sha256(file.content);
  const text = found.bytes === null ? '' : Buffer.from(found.bytes).toString('utf8');
  const replace: Decision = {
    kind: 'write',
    operation: operation(scope, file, found, 'edited: a backup is kept'),
    bytes: file.content,
    before: found.bytes,
  };
  if (edits === 'replace') return replace;
  const breaks = file.tunable === true && file.satisfiedBy?.(text) === false;
  // It works only as long as nobody makes it be read again: that is told before a reload or the next boot does.
  if (breaks)
    return edits === 'keep' ? offer(scope, file, keptBroken(file.path)) : { kind: 'conflict', breaks };
  if (baseline === wanted) return { kind: 'nothing', notes: [kept(file.path)], edited: true };
  if (file.satisfiedBy?.(text) === true) return { kind: 'nothing', notes: [kept(file.path)], edited: true };
  // No journal knows this host: a site counts as edited, and what it would have been written as is not offered twice.
  if (baseline === undefined && file.unknown === 'keep')
    return { kind: 'nothing', notes: [kept(file.path)], edited: true };
  if (edits === 'keep') return offer(scope, file);
  return { kind: 'conflict', breaks };
}

/** @returns what to do about one file; `conflict` where a person's edit meets a change of ours and nobody said; E_PATH_UNSAFE */
export function decideFile(scope: Scope, file: DesiredFile, edits: Request['edits']): Decision {
  const found = standingAt(scope, file.path);
  const write = (because: string | null): Decision => ({
    kind: 'write',
    operation: operation(scope, file, found, because),
    bytes: file.content,
    before: found?.bytes ?? null,
  });
  if (found === null) return write(null);
  if (isAsWanted(found, desiredIdentity(scope, file.content, file.mode)))
    return { kind: 'nothing', notes: [], edited: false };
  const known = scope.memory().baselines[file.path];
  const sameBytes = found.identity.type === 'file' && found.identity.hash === sha256(file.content);
  // Only mode or owner differ: the bytes are ours, so putting them right loses nothing.
  if (sameBytes) return write('mode or owner');
  if (known === undefined && file.unknown === 'adopt') return write('adopted: a backup is kept');
  if (known?.includes(found.identity.hash) === true) return write(null);
  return decideEdited(scope, file, found, edits, known?.at(-1));
}

export type LinkDecision =
  | { readonly kind: 'nothing'; readonly notes: readonly Note[]; readonly kept: KeptEdit | null }
  | { readonly kind: 'make'; readonly operation: Operation; readonly notes: readonly Note[] }
  | { readonly kind: 'conflict' };

const linkOperation = (scope: Scope, link: DesiredLink, found: Found | null): Operation => ({
  kind: 'makeLink',
  path: link.path,
  role: link.role,
  action: found === null ? 'create' : 'replace',
  before: found?.identity ?? null,
  after: { type: 'link', hash: link.target, mode: 0o777, uid: scope.host.owner, gid: scope.host.group },
  detail: [link.target],
  because: null,
});

const replacedLink = (path: string, words: string): Note => ({
  code: 'link-replaced',
  level: 'warning',
  text: `${path} ${words}: it is replaced by the link.`,
});

/** Is it a copy of what the link leads to: of what is there, of what is written, or of what was? */
function isCopy(scope: Scope, link: DesiredLink, file: DesiredFile | undefined, hash: string): boolean {
  const target = lookAt(scope.host, link.target);
  return (
    hash === target?.identity.hash ||
    (file !== undefined && hash === sha256(file.content)) ||
    scope.memory().baselines[link.target]?.includes(hash) === true
  );
}

/**
 * What stands in place of a link is somebody's edit of the file that the link leads to: it is kept as long as that file
 * would be written as it was when they were told to keep it.
 *
 * @param file the managed file that the link leads to
 */
function decideReplacedLink(
  scope: Scope,
  link: DesiredLink,
  found: Standing,
  file: DesiredFile | undefined,
  edits: Request['edits'],
): LinkDecision {
  const { path } = link;
  const offered = file === undefined ? link.target : sha256(file.content);
  const operation = linkOperation(scope, link, found);
  const { hash } = found.identity;
  const what = found.bytes === null ? `was a link to ${hash}` : 'was a file of its own';
  if (edits === 'replace') {
    const words = found.bytes === null ? what : `${what}, of which a backup is kept`;
    return { kind: 'make', operation, notes: [replacedLink(path, words)] };
  }
  if (edits === 'keep' || scope.memory().baselines[path]?.at(-1) === offered) {
    return { kind: 'nothing', notes: [kept(path)], kept: { path, offered } };
  }
  return { kind: 'conflict' };
}

/** @returns what to do about one link; `conflict` where a person put something else in its place; E_PATH_UNSAFE */
export function decideLink(
  scope: Scope,
  link: DesiredLink,
  file: DesiredFile | undefined,
  edits: Request['edits'],
): LinkDecision {
  const found = standingAt(scope, link.path);
  const operation = linkOperation(scope, link, found);
  if (found === null) return { kind: 'make', operation, notes: [] };
  const { type, hash } = found.identity;
  if (type === 'link') {
    // A relative link to the same place is as good: Debian's own tools make those.
    if (posix.resolve(posix.dirname(link.path), hash) === link.target) {
      return { kind: 'nothing', notes: [], kept: null };
    }
    if (scope.memory().baselines[link.path]?.includes(hash) === true) {
      return { kind: 'make', operation, notes: [] };
    }
    if (link.unknown === 'adopt') {
      return { kind: 'make', operation, notes: [replacedLink(link.path, `was a link to ${hash}`)] };
    }
  } else if (isCopy(scope, link, file, hash)) {
    return { kind: 'make', operation, notes: [replacedLink(link.path, `was a copy of ${link.target}`)] };
  } else if (link.unknown === 'adopt') {
    const words = 'was a file of its own, of which a backup is kept';
    return { kind: 'make', operation, notes: [replacedLink(link.path, words)] };
  }
  return decideReplacedLink(scope, link, found, file, edits);
}
