/** Where the journal lives below a root, opened so that no symlink and no other user can lead it elsewhere. */
import { lstatSync, readdirSync } from 'node:fs';
import { errnoOf } from './errno.ts';
import { InstallerError } from './errors.ts';
import { createRealHost } from './effects/host/real.ts';
import { locate, type Trust } from './effects/host/resolve.ts';
import { validateInstance } from './products/instances.ts';

/** Where the journal of the plain installation lives, below the root; its lock is that of all installations. */
export const journalDirectory = '/var/lib/mcp-installer';

/** Where the journal of an installation lives, below the root. */
export const journalDirectoryOf = (instance: string | null): string =>
  instance === null ? journalDirectory : `${journalDirectory}/instances/${instance}`;

/** An opened journal. */
export interface JournalHome {
  /** Leads through a descriptor: it stays what it is, whatever becomes of the name. */
  readonly path: string;
  /** The path leads nowhere from then on. */
  close(): void;
}

/**
 * @param instance null for the plain installation
 * @returns null where there is no journal
 * @throws InstallerError E_PATH_UNSAFE; E_NOT_ROOT where this user may not look
 */
export function openJournalHome(trust: Trust, instance: string | null = null): JournalHome | null {
  const place = locate(trust, `${journalDirectoryOf(instance)}/runs`);
  if (place === null) return null;
  // The way to it is trusted; a link in its own place would lead the journal elsewhere.
  if (lstatSync(place.path, { throwIfNoEntry: false })?.isDirectory() === false) {
    place.close();
    const path = `${journalDirectoryOf(instance)}/runs`;
    throw new InstallerError('E_PATH_UNSAFE', { path, why: 'it is not a directory' });
  }
  return { path: `/proc/self/fd/${place.fd}`, close: () => place.close() };
}

/** As {@link openJournalHome}, but a journal that this user may not read counts as none: for those who only look. */
export function openReadableJournalHome(trust: Trust, instance: string | null): JournalHome | null {
  try {
    return openJournalHome(trust, instance);
  } catch (error) {
    if (error instanceof InstallerError) return null;
    throw error;
  }
}

/** Names of the instances that have a journal; `home` is that of the plain installation. */
export function instancesIn(home: string): readonly string[] {
  try {
    return readdirSync(`${home}/instances`)
      .filter((name) => validateInstance(name).ok)
      .sort();
  } catch {
    return [];
  }
}

/** Directories on the way to a journal: shared ones are made where they are missing, the last one is made in any case. */
const waysTo = (instance: string | null): readonly (readonly [string, number])[] => [
  ['/var', 0o755],
  ['/var/lib', 0o755],
  ...(instance === null
    ? []
    : ([
        [journalDirectory, 0o700],
        [`${journalDirectory}/instances`, 0o700],
      ] as const)),
];

/**
 * Makes the directory. Two fresh runs at once: making that of the plain installation decides who is first; those of the
 * instances are made by whoever has its lock.
 *
 * @throws InstallerError E_BUSY where another run was faster, E_JOURNAL where it cannot be made
 */
export async function createJournalHome(trust: Trust, instance: string | null): Promise<JournalHome> {
  const host = createRealHost({ root: trust.root });
  const directory = journalDirectoryOf(instance);
  try {
    for (const [path, mode] of waysTo(instance)) {
      if (host.lstat(path) === null) await host.makeDirectory(path, mode);
    }
    await host.makeDirectory(directory, 0o700);
  } catch (error) {
    const cause = error instanceof InstallerError ? error.cause : error;
    if (errnoOf(cause) === 'EEXIST') throw new InstallerError('E_BUSY');
    const why = cause === undefined && error instanceof InstallerError ? error.message : errnoOf(cause);
    throw new InstallerError('E_JOURNAL', { why, path: directory }, error);
  }
  return openJournalHome(trust, instance)!;
}
