/** How commands end that only show what the journal tells. */
import { toPublicError, type InstallerError } from '../errors.ts';
import type { RunEvent } from '../run-events.ts';
import { typeable } from './called.ts';

/** 65 where something of it could not be read. */
export const shownResult = (command: string, error: InstallerError | null): RunEvent => ({
  v: 1,
  type: 'result',
  command,
  outcome: error === null ? 'shown' : 'damaged',
  exitCode: error === null ? 0 : 65,
  changed: false,
  plan: null,
  run: null,
  error: typeable(error === null ? null : toPublicError(error)),
});

export const notStopped = 'A new install is not stopped by it; a restart then counts as owed.';
