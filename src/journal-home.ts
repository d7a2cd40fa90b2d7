/** Where the journal lives below a root, opened so that no symlink and no other user can lead it elsewhere. */
import { InstallerError } from './errors.ts';
import { createRealHost } from './effects/host/real.ts';
import { errnoOf, locate, type Trust } from './effects/host/resolve.ts';

/** Where the journal lives, below the root. */
export const journalDirectory = '/var/lib/mcp-installer';

/** An opened journal. */
export interface JournalHome {
  /** Leads through a descriptor: it stays what it is, whatever becomes of the name. */
  readonly path: string;
  /** The path leads nowhere from then on. */
  close(): void;
}

/**
 * @returns null where there is no journal
 * @throws InstallerError E_PATH_UNSAFE; E_NOT_ROOT where this user may not look
 */
export function openJournalHome(trust: Trust): JournalHome | null {
  const place = locate(trust, `${journalDirectory}/runs`);
  return place === null ? null : { path: `/proc/self/fd/${place.fd}`, close: () => place.close() };
}

/** As {@link openJournalHome}, but a journal that this user may not read counts as none: for those who only look. */
export function openReadableJournalHome(trust: Trust): JournalHome | null {
  try {
    return openJournalHome(trust);
  } catch (error) {
    if (error instanceof InstallerError) return null;
    throw error;
  }
}

/**
 * Makes the directory. Two fresh runs at once: making it decides who is first.
 *
 * @throws InstallerError E_BUSY where another run was faster, E_JOURNAL where it cannot be made
 */
export async function createJournalHome(trust: Trust): Promise<JournalHome> {
  const host = createRealHost({ root: trust.root });
  try {
    for (const path of ['/var', '/var/lib']) {
      if (host.lstat(path) === null) await host.makeDirectory(path, 0o755);
    }
    await host.makeDirectory(journalDirectory, 0o700);
  } catch (error) {
    const cause = error instanceof InstallerError ? error.cause : error;
    if (errnoOf(cause) === 'EEXIST') throw new InstallerError('E_BUSY');
    const why = cause === undefined && error instanceof InstallerError ? error.message : errnoOf(cause);
    throw new InstallerError('E_JOURNAL', { why, path: journalDirectory }, error);
  }
  return openJournalHome(trust)!;
}
