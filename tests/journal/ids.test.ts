/** Ids of runs that draw the same random digits. */
import { expect, test, vi } from 'vitest';
import { emptyMemory } from '../../src/memory.ts';
import { Journal } from '../../src/journal/journal.ts';

vi.mock('node:crypto', async (original) => ({
  ...(await original<typeof import('node:crypto')>()),
  randomBytes: (count: number) => Buffer.alloc(count, 0xab),
}));

/** Id of a run that begins at that time, after the run of that id. */
const idOf = (time: string, lastId: string | null): string =>
  new Journal({
    machine: { id: 'installer', version: '1' },
    installer: '0.1.0',
    command: 'install',
    input: {},
    inherited: emptyMemory,
    lastId,
    now: () => new Date(time),
  }).run;

test('an id is the time at which the run began, while that is later than the last one', () => {
  expect(idOf('2030-01-02T03:04:05.678Z', null)).toBe('20300102T030405Z-abab');
  expect(idOf('2030-01-02T03:04:05.678Z', '20291231T235959Z-ffff')).toBe('20300102T030405Z-abab');
  expect(idOf('2030-01-02T03:04:05.678Z', '20300102T030405Z-abaa')).toBe('20300102T030405Z-abab');
});

test('no two runs have one id: in the same second, or at an earlier time, the next one is of the second after the last', () => {
  for (const time of ['2030-12-31T23:59:59Z', '2020-01-01T00:00:00Z'])
    expect(idOf(time, '20301231T235959Z-abab')).toBe('20310101T000000Z-abab');
});
