/** A journal's text, as anybody can make it: its checksums fit, whatever its records hold. */
import { encodeRecord, type JournalRecord } from '../../src/journal/record.ts';

/** @param records numbered, and at a fixed time, where they do not say otherwise */
export function journalText(records: readonly object[]): string {
  let previous = '';
  return records
    .map((each, n) => {
      const record = { n, t: '2026-11-25T00:00:00.000Z', ...each } as JournalRecord;
      const { line, sum } = encodeRecord(record, previous);
      previous = sum;
      return line;
    })
    .join('');
}
