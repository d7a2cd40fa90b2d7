/** One managed file: what is there, what should be, what was written last; from these three follows what is done. */
import { posix } from 'node:path';
import type { FileIdentity } from '../../facts.ts';
import type { Note, Operation, Request } from '../../machines/types.ts';
import type { DesiredFile, DesiredLink } from '../../products/product.ts';
import { lookAt, sha256, type Found } from '../identity.ts';
import type { Scope } from '../scope.ts';

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
  | { readonly kind: 'conflict' };

const kept = (path: string): Note => ({
  code: 'edit-kept',
  level: 'info',
  text: `${path} was edited by a person and is kept as it is.`,
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
function offer(scope: Scope, file: DesiredFile): Decision {
  const path = `${file.path}.mcp-new`;
  const found = lookAt(scope.host, path);
  const aside: DesiredFile = { ...file, path, role: `new version of the ${file.role}` };
  const after = desiredIdentity(scope, file.content, file.mode);
  if (found !== null && isAsWanted(found, after))
    return { kind: 'nothing', notes: [kept(file.path)], edited: true };
  return {
    kind: 'offer',
    operation: operation(scope, aside, found, 'the edited file is kept'),
    bytes: file.content,
    notes: [kept(file.path)],
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
  if (baseline === wanted) return { kind: 'nothing', notes: [kept(file.path)], edited: true };
  if (file.satisfiedBy?.(text) === true) return { kind: 'nothing', notes: [kept(file.path)], edited: true };
  // No journal knows this host: a site counts as edited, and what it would have been written as is not offered twice.
  if (baseline === undefined && file.unknown === 'keep')
    return { kind: 'nothing', notes: [kept(file.path)], edited: true };
  if (edits === 'keep') return offer(scope, file);
  return { kind: 'conflict' };
}

/** @returns what to do about one file; `conflict` where a person's edit meets a change of ours and nobody said */
export function decideFile(scope: Scope, file: DesiredFile, edits: Request['edits']): Decision {
  const found = lookAt(scope.host, file.path);
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
  if (found.identity.hash !== null && known?.includes(found.identity.hash)) return write(null);
  return decideEdited(scope, file, found, edits, known?.at(-1));
}

export function decideLink(scope: Scope, link: DesiredLink): Operation | null {
  const found = lookAt(scope.host, link.path);
  const target = found?.identity.type === 'link' ? found.identity.hash : null;
  // A relative link to the same place is as good: Debian's own tools make those.
  if (target !== null && posix.resolve(posix.dirname(link.path), target) === link.target) return null;
  return {
    kind: 'makeLink',
    path: link.path,
    role: link.role,
    action: found === null ? 'create' : 'replace',
    before: found?.identity ?? null,
    after: { type: 'link', hash: link.target, mode: 0o777, uid: scope.host.owner, gid: scope.host.group },
    detail: [link.target],
    because: null,
  };
}
