/**
 * One run as one file, for another host: a line that says what it is and which run, then the journal as it was recorded,
 * checksums and all. What is read back may come from anybody, so its shape is checked too.
 */
import * as v from 'valibot';
import { runId, runOf, type Run } from './reader.ts';
import { parseJournal, type JournalRecord } from './record.ts';

/** Changes with every change of the first line that an older reader would misunderstand. */
const exportVersion = 1;

const header = v.object({
  kind: v.literal('mcp-installer run'),
  v: v.literal(exportVersion),
  run: v.pipe(v.string(), v.regex(runId)),
  /** Length of the journal, in bytes: a file that was cut on its way is no run that was cut off. */
  bytes: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});

/** @param journal the bytes of the run's journal */
export function encodeExport(run: string, journal: Uint8Array): Uint8Array {
  const first: v.InferOutput<typeof header> = {
    kind: 'mcp-installer run',
    v: exportVersion,
    run,
    bytes: journal.byteLength,
  };
  return Buffer.concat([Buffer.from(`${JSON.stringify(first)}\n`), journal]);
}

const nullable = v.nullable(v.string());
/** A name of the machine's: it stands in drawings, where other text would be taken for their own. */
const word = v.pipe(v.string(), v.regex(/^[A-Za-z]{1,40}$/u));
const at = { n: v.number(), t: v.pipe(v.string(), v.isoTimestamp()) };

/** As far as the commands look into records; the machine judges events itself. */
const record = v.variant('k', [
  v.looseObject({
    ...at,
    k: v.literal('run.started'),
    machine: v.object({ id: v.string(), version: v.string() }),
    installer: v.string(),
    command: v.string(),
  }),
  v.looseObject({
    ...at,
    k: v.literal('event'),
    event: v.looseObject({
      type: v.string(),
      actorId: v.optional(v.string()),
      signal: v.optional(v.string()),
    }),
  }),
  v.looseObject({
    ...at,
    k: v.literal('fact'),
    fact: v.looseObject({ fact: v.string(), path: v.optional(v.string()) }),
  }),
  v.looseObject({
    ...at,
    k: v.literal('run.ended'),
    outcome: word,
    exitCode: v.number(),
    mode: word,
    changed: v.boolean(),
    plan: nullable,
    error: nullable,
  }),
]);

/** Deeper than any record that an installer writes, and far from where a program runs out of stack. */
const mostNested = 64;

function isShallow(value: unknown, left: number): boolean {
  if (value === null || typeof value !== 'object') return true;
  return left > 0 && Object.values(value).every((inner) => isShallow(inner, left - 1));
}

const isSound = (candidate: JournalRecord): boolean =>
  isShallow(candidate, mostNested) && v.is(record, candidate);

function headerOf(line: string): v.InferOutput<typeof header> | null {
  try {
    const parsed = v.safeParse(header, JSON.parse(line));
    return parsed.success ? parsed.output : null;
  } catch {
    return null;
  }
}

/**
 * Never throws: what can be read is returned, and `damage` tells what is wrong.
 *
 * @returns null where this is no exported run
 */
export function parseExport(text: string): Run | null {
  const end = text.indexOf('\n');
  const first = headerOf(text.slice(0, end));
  if (end === -1 || first === null) return null;
  // The first line of the journal is the second of the file.
  const journal = text.slice(end + 1);
  const parsed = parseJournal(journal, 2);
  const wrong = parsed.records.findIndex((candidate) => !isSound(candidate));
  if (wrong === -1) {
    const length = Buffer.byteLength(journal);
    if (parsed.damage !== null || length === first.bytes) return runOf(first.run, parsed);
    const damage = `it was cut or added to: ${length} bytes of a journal of ${first.bytes}`;
    return runOf(first.run, { ...parsed, torn: false, damage });
  }
  const records = parsed.records.slice(0, wrong);
  const damage = `line ${wrong + 2} does not hold what its kind should`;
  return runOf(first.run, { ...parsed, records, torn: false, damage });
}
