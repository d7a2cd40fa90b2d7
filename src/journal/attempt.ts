/** What the system refuses to the journal, as the one error that says so. */
import { errnoOf } from '../errno.ts';
import { InstallerError } from '../errors.ts';

/** @throws InstallerError E_JOURNAL with the system's code, in place of the system's error */
export function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof InstallerError) throw error;
    throw new InstallerError('E_JOURNAL', { why: errnoOf(error), path: '/var/lib/mcp-installer' }, error);
  }
}
