/**
 * Removes a directory with everything in it. What is in it may be somebody else's, who could swap a directory for a link
 * while we walk: each is opened without following links, and what is in it is named through its descriptor. Node's own
 * `rmSync` walks by paths.
 */
import { fstatSync, lstatSync, rmdirSync, unlinkSync } from 'node:fs';
import { close } from '../../descriptor.ts';
import { errnoOf } from '../../errno.ts';
import { namesIn, openDirectory, through } from '../../opened-directory.ts';

/** Where it turns out to be no directory, null. */
function opened(path: string): number | null {
  try {
    return openDirectory(path);
  } catch (error) {
    if (['ENOTDIR', 'ELOOP', 'ENOENT'].includes(errnoOf(error))) return null;
    throw error;
  }
}

function remove(path: string, device: number): void {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return;
  const fd = status.isDirectory() ? opened(path) : null;
  if (fd === null) {
    unlinkSync(path);
    return;
  }
  try {
    // What is mounted there is not this directory's: it stays, and so does the directory (EBUSY).
    if (fstatSync(fd).dev === device) for (const name of namesIn(fd)) remove(through(fd, name), device);
  } finally {
    close(fd);
  }
  rmdirSync(path);
}

/** @throws the system's error where something in it cannot be removed; what was removed by then is gone */
export function removeTree({ fd, path }: { readonly fd: number; readonly path: string }): void {
  remove(path, fstatSync(fd).dev);
}
