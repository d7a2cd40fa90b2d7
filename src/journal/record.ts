/**
 * Records of a journal: one JSON object a line, numbered, timed, each with a checksum that is chained to the one before,
 * so that a line that was changed, lost or moved is noticed.
 */
import { createHash } from 'node:crypto';
import type { Fact } from '../facts.ts';
import type { Memory } from '../memory.ts';
import { isKind, isMemory, isSound } from './shape.ts';

/** Changes with every change of records that an older reader would misunderstand. */
export const journalFormat = 2;

export interface RunStarted {
  readonly k: 'run.started';
  readonly format: typeof journalFormat;
  readonly machine: { readonly id: string; readonly version: string };
  readonly installer: string;
  readonly command: string;
  readonly input: unknown;
  /** What earlier runs left to know: the newest journal alone is enough for a later run. */
  readonly inherited: Memory;
}

/** An event as the machine received it; allow-listed fields only. */
export interface EventRecord {
  readonly k: 'event';
  readonly event: {
    readonly type: string;
    readonly actorId?: string;
    readonly output?: unknown;
    readonly error?: unknown;
    readonly signal?: string;
  };
}

export interface FactRecord {
  readonly k: 'fact';
  readonly v: 1;
  readonly fact: Fact;
}

export interface RunEnded {
  readonly k: 'run.ended';
  readonly outcome: string;
  readonly exitCode: number;
  readonly mode: string;
  readonly changed: boolean;
  readonly plan: string | null;
  readonly error: string | null;
}

export type RecordBody = RunStarted | EventRecord | FactRecord | RunEnded;

/** One line of a journal. */
export type JournalRecord = RecordBody & {
  /** Position in the journal, from 0. */
  readonly n: number;
  /** Time of day in UTC, ISO 8601. */
  readonly t: string;
};

const checksum = (previous: string, text: string): string =>
  createHash('sha256').update(previous).update(text).digest('hex').slice(0, 16);

/** @returns the line with its line end, and its checksum, which the next line needs */
export function encodeRecord(record: JournalRecord, previous: string): { line: string; sum: string } {
  const { n, t, ...body } = record;
  const text = JSON.stringify({ n, t, ...body });
  const sum = checksum(previous, text);
  return { line: `${text.slice(0, -1)},"c":"${sum}"}\n`, sum };
}

export interface ParsedJournal {
  /** Records up to the first damage. */
  readonly records: readonly JournalRecord[];
  /** The last record was cut by a power cut or a kill; it is left out. */
  readonly torn: boolean;
  /** What is wrong otherwise, with the line; null where nothing is. */
  readonly damage: string | null;
  /** Version of the installer that wrote a journal of a format that this one does not know. */
  readonly writtenBy: string | null;
}

function decodeRecord(
  line: string,
  expected: number,
  previous: string,
): { record: JournalRecord; sum: string } | string {
  const match = /^(.*),"c":"([0-9a-f]{16})"\}$/su.exec(line);
  if (match === null) return 'is no record';
  const [, head, sum] = match as unknown as [string, string, string];
  if (checksum(previous, `${head}}`) !== sum) return 'does not fit its checksum';
  // JSON that ends in a brace is an object.
  let value: { readonly n?: unknown; readonly k?: unknown };
  try {
    value = JSON.parse(`${head}}`) as typeof value;
  } catch {
    // Anybody can make a checksum that fits.
    return 'is no record';
  }
  if (!('n' in value) || !('k' in value)) return 'is no record';
  if (value.n !== expected) return 'is out of order';
  if (!isKind(value.k)) return `is of an unknown kind`;
  // What is in it is looked at once the first record has told whether the format is known.
  return { record: value as JournalRecord, sum };
}

/** Why a first record with a good checksum is no start of a run that can be read; null where it is one. */
function foreignStart(
  record: JournalRecord,
  line: number,
): Pick<ParsedJournal, 'damage' | 'writtenBy'> | null {
  if (record.k !== 'run.started')
    return { damage: `line ${line} is not the start of a run`, writtenBy: null };
  // What a file says may be anything, whatever its type promises.
  const { format, installer, inherited }: Readonly<Record<'format' | 'installer' | 'inherited', unknown>> =
    record;
  if (format === journalFormat)
    return isMemory(inherited)
      ? null
      : { damage: `line ${line} does not say what is known`, writtenBy: null };
  const writtenBy = typeof installer === 'string' ? installer : null;
  return { damage: `it has format ${String(format)}, and this installer reads ${journalFormat}`, writtenBy };
}

/**
 * Never throws: what can be read is returned, and what is wrong is told.
 *
 * @param firstLine where the journal begins in its file, whose lines are told
 */
export function parseJournal(text: string, firstLine = 1): ParsedJournal {
  const lines = text.split('\n');
  // Without a line end the last line was being written when the power went.
  const tail = lines.pop()!;
  const records: JournalRecord[] = [];
  let previous = '';
  for (const [index, line] of lines.entries()) {
    const decoded = decodeRecord(line, index, previous);
    if (typeof decoded === 'string') {
      const last = index === lines.length - 1 && tail === '';
      // A power cut leaves zeros where the size was written before the data.
      if (last && line.includes('\0')) return { records, torn: true, damage: null, writtenBy: null };
      return { records, torn: false, damage: `line ${firstLine + index} ${decoded}`, writtenBy: null };
    }
    const foreign = index === 0 ? foreignStart(decoded.record, firstLine) : null;
    if (foreign !== null) return { records, torn: false, ...foreign };
    if (!isSound(decoded.record)) {
      const damage = `line ${firstLine + index} does not hold what its kind should`;
      return { records, torn: false, damage, writtenBy: null };
    }
    records.push(decoded.record);
    previous = decoded.sum;
  }
  return { records, torn: tail !== '', damage: null, writtenBy: null };
}
