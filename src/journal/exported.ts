/**
 * One run as one file, for another host: a line that says what it is and which run, then the journal as it was recorded,
 * checksums and all. What is read back may come from anybody.
 */
import * as v from 'valibot';
import { runId, runOf, type Run } from './reader.ts';
import { parseJournal } from './record.ts';

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
  const length = Buffer.byteLength(journal);
  if (parsed.damage !== null || length === first.bytes) return runOf(first.run, parsed);
  const damage = `it was cut or added to: ${length} bytes of a journal of ${first.bytes}`;
  return runOf(first.run, { ...parsed, torn: false, damage });
}
