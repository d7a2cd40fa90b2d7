/** Makes one directory, durably, so that neither a kill nor a power cut leaves it with another mode than it is to have. */
import { fchmodSync, fsyncSync, mkdirSync } from 'node:fs';
import { close } from '../../descriptor.ts';
import { errnoOf } from '../../errno.ts';
import { openDirectory } from '../../opened-directory.ts';
import type { Place } from './resolve.ts';

/**
 * @returns the umask that was in force; null in a worker, which has none to set: there that of whoever embeds us counts
 *   until fchmod
 */
function withoutUmask(): number | null {
  try {
    return process.umask(0);
  } catch (error) {
    // Not by the module that tells which thread this is: every run would load it for this alone.
    if (errnoOf(error) === 'ERR_WORKER_UNSUPPORTED_OPERATION') return null;
    throw error;
  }
}

/**
 * With its final mode from the first instant: a shared directory that a kill left closed would stay so, since what is there
 * already is somebody else's. The umask is the process's; nothing else of it runs until it is put back.
 */
function makeDirectoryWithMode(path: string, mode: number): void {
  const umask = withoutUmask();
  try {
    mkdirSync(path, { mode });
  } finally {
    if (umask !== null) process.umask(umask);
  }
}

/** @throws the system's error: EEXIST where something is there already */
export function makeDirectory(place: Place, mode: number): void {
  makeDirectoryWithMode(place.path, mode);
  const fd = openDirectory(place.path);
  try {
    // A default ACL or a set-group-id bit of the parent may have changed it.
    fchmodSync(fd, mode);
    fsyncSync(fd);
  } finally {
    close(fd);
  }
  fsyncSync(place.fd);
}
