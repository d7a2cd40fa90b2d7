/**
 * Replacing a file so that, whatever happens, its name shows the old bytes or the new ones, and never more than its
 * final mode.
 *
 * Own code, since no library found does all of it: write-file-atomic reports success on a full disk and leaves a
 * truncated file (docs/decisions/0003-own-atomic-file.md).
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeSync,
  type Stats,
} from 'node:fs';
import { through } from '../../opened-directory.ts';
import type { Place } from './resolve.ts';

const suffix = '.mcp-installer-tmp';

/** Hidden, unguessable (64 bits), and recognised as ours when a killed run has left it behind. */
const temporaryName = (name: string): string => `.${name}.${randomBytes(8).toString('hex')}${suffix}`;

/** Is this a temporary name of anything? */
export const isTemporary = (candidate: string): boolean => candidate.endsWith(suffix);

/** Is this a temporary name of {@link replaceFile} or {@link replaceLink} for `name`? */
export const isTemporaryOf = (candidate: string, name: string): boolean =>
  candidate.startsWith(`.${name}.`) &&
  /^\.[0-9a-f]{16}\.mcp-installer-tmp$/u.test(candidate.slice(name.length + 1));

export interface Ownership {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A write may take fewer bytes than it was given (a nearly full disk); the rest is tried until it fails. */
function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at, bytes.length - at);
}

/** Mode and owner are final before anybody can see the name; fchown first, since it may clear mode bits. */
function settle(fd: number, { mode, uid, gid }: Ownership): void {
  const made = fstatSync(fd);
  if (made.uid !== uid || made.gid !== gid) fchownSync(fd, uid, gid);
  fchmodSync(fd, mode);
}

/** A disk or a layer above it that only says that a rename was made: the old file stands there then, or none. */
function mustShow(path: string, made: Stats): void {
  const { ino, dev } = lstatSync(path);
  if (ino === made.ino && dev === made.dev) return;
  throw Object.assign(new Error('the rename was not made'), { code: 'EIO' });
}

function discard(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // The failure that led here is the one worth telling; a leftover is removed by the next run.
  }
}

/**
 * The bytes are durable when this returns; that they have the name is once the directory is synced as well.
 *
 * @param lastLook throws where the name no longer holds what is to be replaced; asked as late as possible
 * @throws system errors (ENOSPC, EROFS, EIO …); the old file is then untouched and the temporary one removed
 */
export function replaceFile(
  place: Place,
  bytes: Uint8Array,
  ownership: Ownership,
  lastLook: () => void,
): void {
  const temporary = through(place.fd, temporaryName(place.name));
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const fd = openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  let open = true;
  try {
    writeAll(fd, bytes);
    settle(fd, ownership);
    const made = fstatSync(fd);
    // A failed fsync is never retried: the kernel has dropped the pages. The whole file is made again by a rerun.
    fsyncSync(fd);
    open = false;
    closeSync(fd);
    lastLook();
    renameSync(temporary, place.path);
    mustShow(place.path, made);
  } catch (error) {
    if (open) closeSync(fd);
    discard(temporary);
    throw error;
  }
}

/**
 * A symlink; where something is there already, made in `elsewhere` (a directory of the same file system) and renamed
 * in: a temporary link beside it would be read by nginx as one more site.
 */
export function replaceLink(place: Place, target: string, elsewhere: Place | null): void {
  if (elsewhere === null) {
    symlinkSync(target, place.path);
  } else {
    const temporary = through(elsewhere.fd, temporaryName(place.name));
    symlinkSync(target, temporary);
    try {
      renameSync(temporary, place.path);
    } catch (error) {
      discard(temporary);
      throw error;
    }
  }
  fsyncSync(place.fd);
}
