/** The run that a command is about: one of this host's journal, or one in a file from any host. */
import { constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { close } from '../descriptor.ts';
import { createRealHost } from '../effects/host/real.ts';
import { errnoOf } from '../errno.ts';
import { InstallerError } from '../errors.ts';
import { journalDirectoryOf, openJournalHome } from '../journal-home.ts';
import { isUnderWay } from '../journal/lock.ts';
import { findRun, readRun, runIds, type Run } from '../journal/reader.ts';
import { instanceIn } from './instance.ts';
import { rootOf, type Options } from './inputs.ts';
import { shown, usage } from './usage.ts';

export interface Recorded {
  readonly run: Run;
  /** The journal that it stands in; null where it came in a file. */
  readonly home: string | null;
  /** What holds it, for people. */
  readonly path: string;
}

/** Where the journal of a run stands, for people. */
export const journalOf = (options: Options, run: string): string =>
  `${journalDirectoryOf(instanceIn(options))}/runs/${run}/journal.jsonl`;

export function homeOf(options: Options): string | null {
  const root = rootOf(options);
  // Open as long as the command runs.
  return openJournalHome({ root, owner: createRealHost({ root }).owner }, instanceIn(options))?.path ?? null;
}

/** The newest run, where it has not ended and the lock says that it still goes on. */
export function underWay(home: string, newest: Run | undefined): string | null {
  if (newest?.ended !== null || newest.damage !== null) return null;
  return isUnderWay(home) ? newest.id : null;
}

/** Is its process still at work? Of a run in a file nothing goes on here. */
export const goesOn = ({ run, home }: Recorded): boolean =>
  home !== null && runIds(home).at(-1) === run.id && underWay(home, run) !== null;

export const damaged = (path: string, why: string, remedy: string): InstallerError =>
  new InstallerError('E_JOURNAL_DAMAGED', { path, why, remedy });

/** No id of a run looks like that. */
const isFile = (wanted: string): boolean => wanted.includes('/') || wanted.endsWith('.jsonl');

/** Journals are far smaller. */
const maxBytes = 64 * 1024 * 1024;

const foreign = 'Give a file that `mcp-installer show RUN --export FILE` wrote.';

function textOf(file: string): string {
  let fd: number;
  try {
    // A pipe without a writer must not be waited for.
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw usage(
      `${shown(file)} cannot be read (${errnoOf(error)}).`,
      'Give a file that exists, or the id of a run.',
    );
  }
  try {
    const { size } = fstatSync(fd);
    if (!fstatSync(fd).isFile()) throw usage(`${shown(file)} is not a regular file.`, foreign);
    if (size > maxBytes) throw damaged(file, 'it is larger than any run', foreign);
    return readFileSync(fd, 'utf8');
  } finally {
    close(fd);
  }
}

async function fromFile(file: string): Promise<Recorded> {
  const { parseExport } = await import('../journal/exported.ts');
  const run = parseExport(textOf(file));
  if (run === null) throw damaged(file, 'it is no exported run', foreign);
  return { run, home: null, path: file };
}

/** @throws InstallerError E_USAGE, E_RUN_UNKNOWN; E_JOURNAL_DAMAGED for a file that holds no run */
export async function recordedRun(wanted: string, options: Options): Promise<Recorded> {
  if (wanted === '')
    throw usage('The name of the run is empty.', 'Give its id, the beginning of one, or last.');
  if (isFile(wanted)) return fromFile(wanted);
  const home = homeOf(options);
  const id = home === null ? null : findRun(home, wanted);
  if (home !== null && id !== null) return { run: readRun(home, id), home, path: journalOf(options, id) };
  const meant = home === null ? [] : runIds(home).filter((each) => each.startsWith(wanted));
  if (meant.length > 1) {
    const newest = meant.toReversed().slice(0, 10);
    const more = meant.length > newest.length ? `, and ${meant.length - newest.length} older ones` : '';
    throw usage(
      `${shown(wanted)} is ambiguous: ${meant.length} runs begin like that.`,
      `They are ${newest.join(', ')}${more}.`,
    );
  }
  throw new InstallerError('E_RUN_UNKNOWN', { run: JSON.stringify(wanted.slice(0, 60)) });
}
