/**
 * Directories in which names have changed that a power cut would still bring back: synced once for all of them, before
 * anything says that they are done.
 */
import { fstatSync, fsyncSync } from 'node:fs';
import { close } from '../../descriptor.ts';
import { openDirectory, through } from '../../opened-directory.ts';
import { failed } from './failed.ts';
import type { Place } from './resolve.ts';

export interface Unsynced {
  /** The name at this place has changed. */
  add(place: Place, path: string): void;
  /** All of it is on disk when this returns. E_WRITE_FAILED. */
  sync(): void;
}

/** As many as are kept open at most. */
const mostOpen = 64;

export function createUnsynced(): Unsynced {
  const open = new Map<string, { readonly fd: number; readonly path: string }>();
  function sync(): void {
    for (const [key, { fd, path }] of open) {
      open.delete(key);
      try {
        fsyncSync(fd);
      } catch (error) {
        throw failed(path, error);
      } finally {
        close(fd);
      }
    }
  }
  return {
    add: (place, path) => {
      const { dev, ino } = fstatSync(place.fd);
      const key = `${dev}:${ino}`;
      if (open.has(key)) return;
      if (open.size >= mostOpen) sync();
      open.set(key, { fd: openDirectory(through(place.fd, '.')), path });
    },
    sync,
  };
}
