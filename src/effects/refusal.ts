/** A refusal is a result, not a crash: the machine leads it to its own final state. */
import { InstallerError } from '../errors.ts';
import type { Refused } from '../machines/types.ts';

export const refused = (error: InstallerError): Refused => ({ kind: 'refused', error: error.toJSON() });

/** Runs a look at the host; what it finds unacceptable becomes a refusal, what is a bug stays thrown. */
export async function orRefused<T>(look: () => T | Promise<T>): Promise<T | Refused> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof InstallerError) return refused(error);
    throw error;
  }
}
