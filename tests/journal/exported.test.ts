/** One run as one file: what is made is read back, and what is not that is told or is no run. */
import { describe, expect, test } from 'vitest';
import { encodeExport, parseExport } from '../../src/journal/exported.ts';
import { emptyMemory } from '../../src/memory.ts';
import { journalText } from '../support/journal-text.ts';

const id = '20261125T000000Z-abcd';
const records = [
  {
    k: 'run.started',
    format: 2,
    machine: { id: 'installer', version: '1' },
    installer: '0.1.0',
    command: 'install',
    input: { request: { product: 'thing' } },
    inherited: emptyMemory,
  },
  // Not of one byte a letter: the length is told in bytes.
  { k: 'event', event: { type: 'of a name like Müller' } },
].map((each, n) => ({ n, t: '2026-11-25T00:00:00.000Z', ...each }));
const journal = journalText(records);
const bytes = Buffer.byteLength(journal);
const first = `{"kind":"mcp-installer run","v":1,"run":"${id}","bytes":${bytes}}`;
const whole = `${first}\n${journal}`;

const run = {
  id,
  records,
  started: records[0],
  ended: null,
  product: 'thing',
  torn: false,
  damage: null,
  unread: null,
  writtenBy: null,
};

test('a run is one line that says what it is, and its journal to the byte', () => {
  expect(Buffer.from(encodeExport(id, Buffer.from(journal))).toString('utf8')).toBe(whole);
});

test('what was exported is the run', () => {
  expect(parseExport(whole)).toEqual(run);
});

test('a run that was cut off at home is exported as one', () => {
  const cut = Buffer.from(journal).subarray(0, -5);
  const text = Buffer.from(encodeExport(id, cut)).toString('utf8');
  expect(parseExport(text)).toEqual({ ...run, records: records.slice(0, 1), torn: true });
});

describe('a file that is not as long as it says is damaged and not torn:', () => {
  test.each([
    ['cut within a record', whole.slice(0, -5), 1],
    ['cut between records', whole.slice(0, whole.lastIndexOf('\n', whole.length - 2) + 1), 1],
    ['cut to its first line', `${first}\n`, 0],
    ['begun anew at its end', `${whole}{`, 2],
  ])('%s', (_, text, count) => {
    const length = Buffer.byteLength(text) - Buffer.byteLength(`${first}\n`);
    expect(parseExport(text)).toEqual({
      ...run,
      records: records.slice(0, count),
      started: count === 0 ? null : records[0],
      product: count === 0 ? null : 'thing',
      damage: `it was cut or added to: ${length} bytes of a journal of ${bytes}`,
    });
  });
});

test('damage of the journal itself is told by the line of the file, whatever its length is', () => {
  const changed = journal.replace('Müller', 'Mueller!');
  const damaged = { ...run, records: records.slice(0, 1), damage: 'line 3 does not fit its checksum' };
  expect(parseExport(`${first}\n${changed}`)).toEqual(damaged);
  expect(parseExport(Buffer.from(encodeExport(id, Buffer.from(changed))).toString('utf8'))).toEqual(damaged);
});

describe('no exported run is', () => {
  test.each([
    ['an empty file', ''],
    ['a journal without the first line', journal],
    ['a first line of another kind', whole.replace('mcp-installer run', 'mcp-installer plan')],
    ['a first line of a later version', whole.replace('"v":1', '"v":2')],
    ['a first line without an id', whole.replace(id, '../../etc/passwd')],
    ['a first line without a length', whole.replace(/,"bytes":\d+/u, '')],
    ['a first line with half a length', whole.replace(`"bytes":${bytes}`, '"bytes":1.5')],
    ['a first line with a length below nothing', whole.replace(`"bytes":${bytes}`, '"bytes":-1')],
    ['a first line that is no JSON', `${first.slice(1)}\n${journal}`],
    ['a first line that does not end', first],
    ['a first line that goes on', `${first}x`],
  ])('%s', (_, text) => {
    expect(parseExport(text)).toBeNull();
  });
});
