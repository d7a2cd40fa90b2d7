/** Closing a descriptor. */
import { closeSync } from 'node:fs';
import { errnoOf } from './errno.ts';

/**
 * Closes what was read, walked through, locked, or synced before: the kernel has let go of the descriptor whatever it says
 * (close(2)), and nothing that is to be kept depends on it. Not for what was written and not synced.
 *
 * @throws the system's EBADF alone: a descriptor that was none is a mistake of ours
 */
export function close(fd: number): void {
  try {
    closeSync(fd);
  } catch (error) {
    if (errnoOf(error) === 'EBADF') throw error;
  }
}
