/** The journal: numbered, chained, durable, private; torn at its end or damaged elsewhere. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Fact } from '../../src/facts.ts';
import { emptyMemory, remember, type Memory } from '../../src/memory.ts';
import { Journal } from '../../src/journal/journal.ts';
import { findRun, readMemory, readRun, runIds } from '../../src/journal/reader.ts';
import { encodeRecord, parseJournal, type JournalRecord } from '../../src/journal/record.ts';
import { openIn } from '../support/descriptors.ts';
import { temporaryRoot } from '../support/installer.ts';

const options = (more: Partial<ConstructorParameters<typeof Journal>[0]> = {}) => ({
  machine: { id: 'installer', version: '1' },
  installer: '0.1.0',
  command: 'install',
  input: {},
  inherited: emptyMemory,
  lastId: null,
  ...more,
});

const owed: Fact = { fact: 'owed', what: 'restart', unit: 'x.service', because: ['/x'] };
const ended = { outcome: 'installed', exitCode: 0, mode: 'fresh', changed: true, plan: null, error: null };

function written(home: string, more: Parameters<typeof options>[0] = {}): Journal {
  const journal = new Journal(options(more));
  journal.event({ type: 'xstate.done.actor.preflight', output: { kind: 'ready' } });
  journal.attach(home);
  journal.fact(owed);
  journal.end(ended);
  return journal;
}

/** A disk of its own in `directory`, with little room. */
function smallDisk(directory: string, room: string): Disposable & { readonly path: string } {
  const mounted = path.join(directory, 'small');
  mkdirSync(mounted);
  execFileSync('mount', ['-t', 'tmpfs', '-o', room, 'none', mounted]);
  return { path: mounted, [Symbol.dispose]: () => void execFileSync('umount', ['--lazy', mounted]) };
}

const refused = (why: string): Error =>
  expect.objectContaining({
    code: 'E_JOURNAL',
    message: `The journal cannot be written: ${why}.`,
  }) as Error;

const fileOf = (home: string, journal: Journal): string =>
  path.join(home, 'runs', journal.run, 'journal.jsonl');

describe('a journal on disk', () => {
  test('is private, and tells the run as it was recorded (security 12)', () => {
    using home = temporaryRoot();
    process.umask(0);
    const journal = written(home.path);
    process.umask(0o022);
    const file = fileOf(home.path, journal);
    expect([statSync(file).mode & 0o777, statSync(path.dirname(file)).mode & 0o777]).toEqual([0o600, 0o700]);
    expect(parseJournal(readFileSync(file, 'utf8'))).toEqual({
      records: journal.records,
      torn: false,
      damage: null,
      writtenBy: null,
    });
  });

  test('cut anywhere in its last record is torn or whole, never damaged', () => {
    using home = temporaryRoot();
    const text = readFileSync(fileOf(home.path, written(home.path)), 'utf8');
    const last = text.lastIndexOf('\n', text.length - 2) + 1;
    for (let end = last; end <= text.length; end += 1) {
      const { records, torn, damage } = parseJournal(text.slice(0, end));
      expect({ end, torn, damage, count: records.length }).toEqual({
        end,
        torn: end > last && end < text.length,
        damage: null,
        count: end === text.length ? 4 : 3,
      });
    }
  });

  test('that was changed, shortened or reordered before its end is damaged', () => {
    using home = temporaryRoot();
    const lines = readFileSync(fileOf(home.path, written(home.path)), 'utf8').split('\n');
    const [a = '', b = '', c = '', d = ''] = lines;
    const tampered = {
      changed: [a, b.replace('ready', 'reedy'), c, d],
      lost: [a, c, d],
      swapped: [a, c, b, d],
      doubled: [a, b, b, c, d],
      headless: [b, c, d],
      'of an unknown format': [a.replace('"format":2', '"format":3'), b, c, d],
      'not a journal': ['hello', 'world'],
    };
    for (const [what, text] of Object.entries(tampered)) {
      expect({ what, damage: parseJournal(`${text.join('\n')}\n`).damage }).toEqual({
        what,
        damage: expect.stringMatching(/^line \d+ /u) as string,
      });
    }
  });

  test('any single bit of it that flips is noticed', () => {
    using home = temporaryRoot();
    const bytes = readFileSync(fileOf(home.path, written(home.path)));
    for (let at = 0; at < bytes.length - 1; at += 1) {
      const copy = Buffer.from(bytes);
      copy[at] = copy[at]! ^ (1 << (at % 8));
      const { damage, torn, records } = parseJournal(copy.toString('utf8'));
      expect({ at, noticed: damage !== null || torn || records.length < 4 }).toEqual({ at, noticed: true });
    }
  });

  test('on a full disk is refused, stays as it was, and goes on once there is room', () => {
    using home = temporaryRoot();
    using disk = smallDisk(home.path, 'size=1m');
    const journal = new Journal(options());
    journal.attach(disk.path);
    journal.event({ type: 'before' });
    journal.sync();
    const file = fileOf(disk.path, journal);
    const before = readFileSync(file, 'utf8');
    writeFileSync(path.join(disk.path, 'filler'), 'x'.repeat(600_000));
    journal.event({ type: 'large', output: 'x'.repeat(600_000) });
    // The file has room for a part of it.
    const sync = (): void => journal.sync();
    expect(sync).toThrow(refused('ENOSPC'));
    expect(sync).toThrow(refused('ENOSPC'));
    expect([journal.isAttached, readFileSync(file, 'utf8')]).toEqual([true, before]);
    rmSync(path.join(disk.path, 'filler'));
    journal.end(ended);
    expect(parseJournal(readFileSync(file, 'utf8'))).toEqual({
      records: journal.records,
      torn: false,
      damage: null,
      writtenBy: null,
    });
  });

  test('that cannot be begun says why', () => {
    using home = temporaryRoot();
    using disk = smallDisk(home.path, 'nr_inodes=1');
    const journal = new Journal(options());
    expect(() => journal.attach(disk.path)).toThrow(refused('ENOSPC'));
    expect(journal.isAttached).toBe(false);
    expect(() => journal.attach(path.join(home.path, 'none'))).toThrow(refused('ENOENT'));
  });

  test('is not led elsewhere by a link in the place of its runs', () => {
    using home = temporaryRoot();
    const elsewhere = path.join(home.path, 'elsewhere');
    mkdirSync(elsewhere);
    symlinkSync(elsewhere, path.join(home.path, 'runs'));
    expect(() => new Journal(options()).attach(home.path)).toThrow(refused('ENOTDIR'));
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  test('is begun once, and open until the run ends', () => {
    using home = temporaryRoot();
    const journal = new Journal(options());
    expect(journal.isAttached).toBe(false);
    journal.attach(home.path);
    journal.attach(home.path);
    const runs = path.join(home.path, 'runs');
    expect([journal.isAttached, openIn(home.path)]).toEqual([true, [runs, fileOf(home.path, journal)]]);
    journal.end(ended);
    expect([journal.isAttached, openIn(home.path)]).toEqual([false, []]);
    expect(readdirSync(runs)).toEqual([journal.run]);
  });

  test('keeps what a run replaced beside it (security 13)', () => {
    using home = temporaryRoot();
    const journal = new Journal(options());
    journal.attach(home.path);
    expect(journal.hasCopies).toBe(false);
    expect([journal.backup(Buffer.from('one')), journal.backup(Buffer.from('two'), '.masked')]).toEqual([
      'before/1',
      'before/2.masked',
    ]);
    expect(journal.hasCopies).toBe(true);
    const before = path.join(home.path, 'runs', journal.run, 'before');
    const kept = readdirSync(before).map((name) => {
      const file = path.join(before, name);
      return [name, readFileSync(file, 'utf8'), statSync(file).mode & 0o777];
    });
    expect(kept.sort()).toEqual([
      ['1', 'one', 0o600],
      ['2.masked', 'two', 0o600],
    ]);
    journal.end(ended);
    expect(journal.hasCopies).toBe(true);
  });
});

test('a journal that is kept in memory is as complete, and nothing is asked of the disk for it', () => {
  const journal = new Journal(options());
  journal.event({ type: 'one' });
  expect(() => journal.sync()).not.toThrow();
  expect([journal.backup(Buffer.from('one')), journal.backup(Buffer.from('two'), '.masked')]).toEqual([
    'before/1',
    'before/2.masked',
  ]);
  expect([journal.isAttached, journal.hasCopies]).toEqual([false, false]);
  journal.end(ended);
  expect(journal.records.map(({ n, k }) => `${n} ${k}`)).toEqual(['0 run.started', '1 event', '2 run.ended']);
});

describe('later runs', () => {
  test('have ids that only grow, also when the clock was put back', () => {
    const late = new Journal(options({ now: () => new Date('2030-01-01T00:00:00Z') }));
    const early = new Journal(options({ now: () => new Date('2020-01-01T00:00:00Z'), lastId: late.run }));
    expect(early.run > late.run).toBe(true);
    expect(early.run).toMatch(/^20300101T000001Z-[0-9a-f]{4}$/u);
  });

  test('know from the newest journal alone what all earlier ones left', () => {
    using home = temporaryRoot();
    const first = written(home.path);
    const second = written(home.path, { inherited: first.memory, lastId: first.run });
    rmSync(path.join(home.path, 'runs', first.run), { recursive: true });
    expect(readMemory(home.path)).toEqual({
      memory: second.memory,
      unfinished: null,
      torn: null,
      damaged: [],
      lastId: second.run,
    });
    expect(second.memory.owed.map(({ run }) => run)).toEqual([first.run, second.run]);
  });

  test('are told of a damaged one, and fall back to what can be read', () => {
    using home = temporaryRoot();
    const first = written(home.path);
    const second = written(home.path, { lastId: first.run });
    writeFileSync(fileOf(home.path, second), 'nonsense\n');
    const { memory, damaged } = readMemory(home.path);
    expect({ memory, damaged }).toEqual({
      memory: first.memory,
      damaged: [{ run: second.run, why: 'line 1 is no record' }],
    });
  });

  test('know of a newer installer though its journal has a format of its own', () => {
    using home = temporaryRoot();
    const first = written(home.path);
    const newer = written(home.path, { lastId: first.run, installer: '9.0.0' });
    const [start] = newer.records;
    const { line } = encodeRecord({ ...start, format: 3 } as unknown as JournalRecord, '');
    writeFileSync(fileOf(home.path, newer), line);
    expect(readMemory(home.path)).toEqual({
      memory: { ...first.memory, installer: '9.0.0' },
      unfinished: null,
      torn: null,
      damaged: [{ run: newer.run, why: 'it has format 3, and this installer reads 2' }],
      lastId: newer.run,
    });
  });

  test('are told of a run whose last record was cut off', () => {
    using home = temporaryRoot();
    const journal = written(home.path);
    const text = readFileSync(fileOf(home.path, journal), 'utf8');
    writeFileSync(fileOf(home.path, journal), text.slice(0, -5));
    const { torn, unfinished, memory } = readMemory(home.path);
    expect({ torn, unfinished, memory }).toEqual({
      torn: journal.run,
      unfinished: journal.run,
      memory: journal.memory,
    });
  });

  test('find a run by the beginning of its id, and the last one by its name', () => {
    using home = temporaryRoot();
    const first = written(home.path);
    const second = written(home.path, { lastId: first.run });
    expect(runIds(home.path)).toEqual([first.run, second.run]);
    expect([findRun(home.path, 'last'), findRun(home.path, first.run), findRun(home.path, '2')]).toEqual([
      second.run,
      first.run,
      null,
    ]);
    expect(readRun(home.path, first.run).ended).toMatchObject(ended);
  });
});

describe('facts', () => {
  const fold = (...facts: readonly Fact[]): Memory =>
    facts.reduce((memory, fact) => remember(memory, 'r1', fact), emptyMemory);
  const after = { type: 'file', hash: 'new', mode: 0o644, uid: 0, gid: 0 } as const;
  const replacing: Fact = { fact: 'replacing', path: '/x', before: null, after, backup: null };

  test('what is owed is owed until it is settled, or until the run has put everything back', () => {
    const due = { what: 'restart', unit: 'x.service', because: ['/x'], run: 'r1' };
    expect(fold(owed)).toEqual({ ...emptyMemory, owed: [due] });
    expect(fold(owed, { fact: 'settled', what: 'restart', unit: 'x.service' })).toEqual(emptyMemory);
    expect(fold(owed, { fact: 'settled', what: 'restart', unit: 'y.service' })).toEqual({
      ...emptyMemory,
      owed: [due],
    });
    expect(fold(owed, { fact: 'revoked' })).toEqual(emptyMemory);
    expect(remember(fold(owed), 'r2', { fact: 'revoked' }).owed).toEqual([due]);
  });

  test('of one more fact the memory before it knows nothing', () => {
    const before = fold(owed, replacing);
    const copy = structuredClone(before);
    const more = { ...owed, because: ['/z'] } as const;
    expect(remember(before, 'r1', more).owed).toEqual([
      { what: 'restart', unit: 'x.service', because: ['/x', '/z'], run: 'r1' },
    ]);
    remember(before, 'r1', { fact: 'replaced', path: '/x' });
    expect(before).toEqual(copy);
  });

  test('what was written is known by its hash: both of them while a replacement is under way', () => {
    const known = { ...emptyMemory, baselines: { '/x': ['old'] } };
    const under = remember(known, 'r1', replacing);
    expect(under.baselines).toEqual({ '/x': ['old', 'new'] });
    expect(remember(under, 'r1', { fact: 'replaced', path: '/x' }).baselines).toEqual({ '/x': ['new'] });
    expect(remember(under, 'r1', { fact: 'restored', path: '/x', baselines: ['old'] }).baselines).toEqual({
      '/x': ['old'],
    });
    expect(remember(under, 'r1', { fact: 'restored', path: '/x', baselines: [] }).baselines).toEqual({});
    expect(fold({ fact: 'kept', path: '/x', offered: 'new' }).baselines).toEqual({ '/x': ['new'] });
  });

  test('secrets that were purged are not lost', () => {
    expect(fold({ fact: 'secretsMade', names: ['A'] }).secretsMade).toBe(true);
    expect(fold({ fact: 'secretsMade', names: ['A'] }, { fact: 'secretsPurged' })).toEqual(emptyMemory);
  });
});
