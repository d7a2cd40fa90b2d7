/** What is read of a journal's text: its records up to where it is torn, damaged or foreign, and which of these it is. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { emptyMemory } from '../../src/memory.ts';
import { parseJournal, type JournalRecord } from '../../src/journal/record.ts';
import { journalText } from '../support/journal-text.ts';

const t = '2026-11-25T00:00:00.000Z';
const started = {
  k: 'run.started',
  format: 2,
  machine: { id: 'installer', version: '1' },
  installer: '0.1.0',
  command: 'install',
  input: {},
  inherited: emptyMemory,
} as const;
const event = { k: 'event', event: { type: 'interrupt', signal: 'SIGINT' } } as const;

const records = [
  { n: 0, t, ...started },
  { n: 1, t, ...event },
] as unknown as readonly JournalRecord[];
const whole = journalText([started, event]);
const [first = '', second = ''] = whole.split('\n');

/** A line with a checksum that fits, whatever stands in it. */
const sealed = (text: string, previous = ''): string => {
  const sum = createHash('sha256').update(previous).update(text).digest('hex').slice(0, 16);
  return `${text.slice(0, -1)},"c":"${sum}"}\n`;
};

const damaged = (damage: string, kept: readonly JournalRecord[] = []) => ({
  records: kept,
  torn: false,
  damage,
  writtenBy: null,
});

test('a whole journal is its records, and an empty one is none', () => {
  expect(parseJournal(whole)).toEqual({ records, torn: false, damage: null, writtenBy: null });
  expect(parseJournal('')).toEqual({ records: [], torn: false, damage: null, writtenBy: null });
});

describe('torn, as by a power cut, is', () => {
  const torn = { records: records.slice(0, 1), torn: true, damage: null, writtenBy: null };

  test('a last line without its end', () => {
    expect(parseJournal(`${first}\n${second.slice(0, -4)}`)).toEqual(torn);
    expect(parseJournal(first)).toEqual({ ...torn, records: [] });
  });

  test('a last line of zeros, whose size was on disk before its data', () => {
    expect(parseJournal(`${first}\n\0\0\0\0`)).toEqual(torn);
    expect(parseJournal(`${first}\n${second.slice(0, -4)}\0\0\0\n`)).toEqual(torn);
  });

  test('but not one before the last', () => {
    const damage = damaged('line 2 is no record', records.slice(0, 1));
    for (const rest of [`\0\0\n${second}\n`, '\0\0\n\0\0', `\0\0\n${second}`, 'hello\n'])
      expect(parseJournal(`${first}\n${rest}`)).toEqual(damage);
  });
});

describe('damaged is', () => {
  test.each<[what: string, text: string]>([
    ['text', 'hello\n'],
    ['a record with more behind it', `${first}x\n`],
    ['a record with more behind it, which looks like its end', `${first}"}\n`],
    ['what is no JSON, though its checksum fits', sealed('{nonsense}')],
    ['an object without a number', sealed('{"k":"event"}')],
    ['an object without a kind', sealed('{"n":0}')],
    ['an object with nothing in it', sealed('{"x":0}')],
  ])('%s: it is no record', (_, text) => {
    expect(parseJournal(text)).toEqual(damaged('line 1 is no record'));
  });

  test('a line that was changed, or moved, and all that follows', () => {
    expect(parseJournal(`${first}\n${second.replace('SIGINT', 'SIGHUP')}\n`)).toEqual(
      damaged('line 2 does not fit its checksum', records.slice(0, 1)),
    );
    expect(parseJournal(`${second}\n${first}\n`)).toEqual(damaged('line 1 does not fit its checksum'));
  });

  test('a record that is not the next one', () => {
    const [only] = records;
    for (const n of [0, 2, '1', null])
      expect(parseJournal(journalText([started, { ...event, n }]))).toEqual(
        damaged('line 2 is out of order', [only!]),
      );
  });

  test.each(['invented', 'constructor', '', 7, null, ['event']])('a kind that is not known: %j', (k) => {
    expect(parseJournal(journalText([started, { ...event, k }]))).toEqual(
      damaged('line 2 is of an unknown kind', records.slice(0, 1)),
    );
  });

  test('a beginning that is not the start of a run, or does not say what is known', () => {
    expect(parseJournal(journalText([event]))).toEqual(damaged('line 1 is not the start of a run'));
    for (const inherited of [null, 'all', { baselines: 7 }])
      expect(parseJournal(journalText([{ ...started, inherited }]))).toEqual(
        damaged('line 1 does not say what is known'),
      );
  });

  test('a record that does not hold what its kind should, and all that follows', () => {
    expect(parseJournal(journalText([started, { k: 'event', event: 7 }, event]))).toEqual(
      damaged('line 2 does not hold what its kind should', records.slice(0, 1)),
    );
  });

  test('told with its line in the file that the journal is a part of', () => {
    const damageFrom = (text: string): string | null => parseJournal(text, 10).damage;
    expect([
      damageFrom('hello\n'),
      damageFrom(journalText([event])),
      damageFrom(journalText([{ ...started, inherited: null }])),
      damageFrom(journalText([{ ...started, command: 7 }])),
      damageFrom(journalText([started, { k: 'event', event: 7 }])),
    ]).toEqual([
      'line 10 is no record',
      'line 10 is not the start of a run',
      'line 10 does not say what is known',
      'line 10 does not hold what its kind should',
      'line 11 does not hold what its kind should',
    ]);
  });
});

test('a journal of a format that is not known tells who wrote it, if it says so', () => {
  const foreign = (more: object) => parseJournal(journalText([{ ...started, ...more }, event]));
  const damage = (format: string) => `it has format ${format}, and this installer reads 2`;
  expect([
    foreign({ format: 3, installer: '9.0.0' }),
    foreign({ format: 3, installer: 9 }),
    foreign({ format: '2', installer: undefined }),
  ]).toEqual([{ ...damaged(damage('3')), writtenBy: '9.0.0' }, damaged(damage('3')), damaged(damage('2'))]);
});
