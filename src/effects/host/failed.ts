/** What the system refuses to a change, as the one error that says so. */
import { errnoOf } from '../../errno.ts';
import { InstallerError } from '../../errors.ts';

const remedies: Readonly<Record<string, string>> = {
  ENOSPC: 'Make room on the disk and run this again.',
  EDQUOT: 'Raise the quota or make room, and run this again.',
  EROFS: 'Mount the file system writable and run this again.',
  EACCES: 'Run as root, and look at the permissions of the directory.',
};

/** A system error as an error with a code; one that has a code already passes. */
export function failed(path: string, error: unknown): InstallerError {
  if (error instanceof InstallerError) return error;
  const why = errnoOf(error);
  const remedy = remedies[why];
  return new InstallerError(
    'E_WRITE_FAILED',
    { path, why, ...(remedy === undefined ? {} : { remedy }) },
    error,
  );
}
