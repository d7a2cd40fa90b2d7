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
  /** All of it is on disk when this returns. E_WRITE_FAILED for the first that cannot be synced; the others are. */
  sync(): void;
  /** Gives up what nobody waits for any more. */
  close(): void;
}

/** As many as are kept open at most. */
const mostOpen = 64;

export function createUnsynced(): Unsynced {
  const open = new Map<string, { readonly fd: number; readonly path: string }>();
  function sync(): void {
    const problems: unknown[] = [];
    for (const [key, { fd, path }] of open) {
      open.delete(key);
      try {
        fsyncSync(fd);
      } catch (error) {
        problems.push(failed(path, error));
      } finally {
        close(fd);
      }
    }
    if (problems.length > 0) throw problems[0];
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
    close: () => {
      for (const { fd } of open.values()) close(fd);
      open.clear();
    },
  };
}
