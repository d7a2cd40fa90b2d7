/** Directories of the product and those on the way to its files: made, narrowed, or no place for what is to be put there. */
import { InstallerError } from '../../errors.ts';
import type { FileIdentity } from '../../facts.ts';
import type { Operation } from '../../machines/types.ts';
import type { DesiredDirectory } from '../../products/product.ts';
import type { FileStatus } from '../host/port.ts';
import type { Scope } from '../scope.ts';

/** Takes rights away from a file or a directory, and leaves everything else of it. */
export function narrow(path: string, role: string, before: FileIdentity, mode: number): Operation {
  return {
    kind: 'narrowMode',
    path,
    role,
    action: 'replace',
    before,
    after: { ...before, mode },
    detail: [mode.toString(8).padStart(4, '0')],
    because: `mode ${before.mode.toString(8).padStart(4, '0')}`,
  };
}

/** What stands in the place of a directory has to be one, or a link that leads to one inside the root: E_PATH_UNSAFE. */
function mustBeDirectory(scope: Scope, path: string, type: FileStatus['type']): void {
  const why =
    type === 'link'
      ? scope.host.list(path) === null && 'the symlink leads to no directory below the root'
      : type !== 'directory' && 'it is not a directory';
  if (why === false) return;
  throw new InstallerError('E_PATH_UNSAFE', {
    path,
    why,
    remedy: 'Put a directory there, and run this again; it was not touched.',
  });
}

/** What is to be done about one directory; null: nothing. E_PATH_UNSAFE */
export function directory(scope: Scope, wanted: DesiredDirectory): Operation | null {
  const { path, mode, shared } = wanted;
  const status = scope.host.lstat(path);
  const identity: FileIdentity = {
    type: 'directory',
    hash: null,
    mode,
    uid: scope.host.owner,
    gid: scope.host.group,
  };
  if (status === null) {
    return {
      kind: 'makeDirectory',
      path,
      role: 'directory',
      action: 'create',
      before: null,
      after: identity,
      detail: [],
      because: null,
    };
  }
  mustBeDirectory(scope, path, status.type);
  if (shared || status.type !== 'directory' || status.mode === mode) return null;
  const { uid, gid } = status;
  return narrow(path, 'directory', { type: 'directory', hash: null, mode: status.mode, uid, gid }, mode);
}
