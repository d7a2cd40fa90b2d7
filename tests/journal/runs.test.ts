/** The runs of a host as their journals tell them: all, one, the one that is meant, and what they left to know. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { emptyMemory } from '../../src/memory.ts';
import {
  factsOf,
  factsOfRuns,
  findRun,
  memoryOf,
  readBackup,
  readMemory,
  readRun,
  runIds,
  runOf,
} from '../../src/journal/reader.ts';
import { parseJournal } from '../../src/journal/record.ts';
import { temporaryRoot } from '../support/installer.ts';
import { journalText } from '../support/journal-text.ts';
import { told } from '../support/told.ts';

const [older, newer, newest] = [
  '20261125T000000Z-aaaa',
  '20261125T000001Z-bbbb',
  '20261126T000000Z-cccc',
] as const;

const started = {
  k: 'run.started',
  format: 2,
  machine: { id: 'installer', version: '1' },
  installer: '0.1.0',
  command: 'install',
  input: {},
  inherited: { ...emptyMemory, product: 'thing' },
} as const;
const fact = { fact: 'owed', what: 'restart', unit: 'x.service', because: ['/x'] } as const;
const ended = {
  k: 'run.ended',
  outcome: 'installed',
  exitCode: 0,
  mode: 'fresh',
  changed: true,
  plan: null,
  error: null,
} as const;
const owes = { k: 'fact', v: 1, fact } as const;
const version = (of: string) => ({ k: 'fact', v: 1, fact: { fact: 'installer', version: of } }) as const;
const event = { k: 'event', event: { type: 'interrupt', signal: 'SIGINT' } } as const;

interface Home extends Disposable {
  readonly path: string;
  /** Path of the folder of a run, which is made. */
  folder(id: string): string;
  /** Gives a run a journal of these records, or of this text. */
  write(id: string, journal: string | readonly object[]): void;
}

function someHome(): Home {
  const root = temporaryRoot();
  const folder = (id: string): string => {
    const directory = path.join(root.path, 'runs', id);
    mkdirSync(directory, { recursive: true });
    return directory;
  };
  return {
    path: root.path,
    folder,
    write: (id, journal) =>
      writeFileSync(
        path.join(folder(id), 'journal.jsonl'),
        typeof journal === 'string' ? journal : journalText(journal),
      ),
    [Symbol.dispose]: () => root[Symbol.dispose](),
  };
}

/** Does this without the rights of root, where it has them. */
function asNobody<T>(work: () => T): T {
  const isRoot = process.geteuid!() === 0;
  if (isRoot) process.seteuid!(65534);
  try {
    return work();
  } finally {
    if (isRoot) process.seteuid!(0);
  }
}

/** A directory that lets nobody in. */
function closed(directory: string): string {
  mkdirSync(directory, { recursive: true, mode: 0o000 });
  return directory;
}

const notRead = (id: string) => ({
  id,
  records: [],
  started: null,
  ended: null,
  product: null,
  torn: false,
  damage: 'it cannot be read',
  unread: null,
  writtenBy: null,
});

describe('the runs of a host', () => {
  test('are the folders that are named as runs are, oldest first', () => {
    using home = someHome();
    for (const id of [newest, older, newer]) home.folder(id);
    for (const name of [`${older}.tar`, `x${older}`, older.toUpperCase(), 'notes']) home.folder(name);
    expect(runIds(home.path)).toEqual([older, newer, newest]);
  });

  test('are none where there is no list of them, or one that is not for everybody', () => {
    using home = someHome();
    expect(runIds(home.path)).toEqual([]);
    writeFileSync(path.join(home.path, 'runs'), '');
    expect(runIds(home.path)).toEqual([]);
    const elsewhere = closed(path.join(home.path, 'closed'));
    expect(asNobody(() => runIds(elsewhere))).toEqual([]);
  });

  test('are not none where the list cannot be read', async () => {
    expect(await told(() => runIds('x'.repeat(300)))).toEqual([
      'E_JOURNAL_UNREAD',
      'The list of past runs cannot be read, and tells what was done: ENAMETOOLONG.',
    ]);
  });

  test('are found by an id, by its beginning where only one begins so, and as the last', () => {
    using home = someHome();
    expect([findRun(home.path, 'last'), findRun(home.path, '2026')]).toEqual([null, null]);
    for (const id of [older, newer, newest]) home.folder(id);
    const found = ['last', newer, '20261126', '20261125T000001', '20261125', 'cccc', 'x'].map((wanted) =>
      findRun(home.path, wanted),
    );
    expect(found).toEqual([newest, newer, newest, newer, null, null, null]);
  });
});

describe('a run', () => {
  test('is what its journal says', () => {
    using home = someHome();
    home.write(newest, [started, event, owes, ended]);
    const { records } = parseJournal(journalText([started, event, owes, ended]));
    expect(readRun(home.path, newest)).toEqual({
      id: newest,
      records,
      started: records[0],
      ended: records[3],
      product: 'thing',
      torn: false,
      damage: null,
      unread: null,
      writtenBy: null,
    });
  });

  test('has neither start nor end where none is recorded', () => {
    const { records } = parseJournal(journalText([started, event]));
    const run = runOf('r', { records: records.slice(1), torn: true, damage: 'why', writtenBy: '9' });
    expect(run).toEqual({
      id: 'r',
      records: records.slice(1),
      started: null,
      ended: null,
      product: null,
      torn: true,
      damage: 'why',
      unread: null,
      writtenBy: '9',
    });
    expect(memoryOf(run)).toEqual(emptyMemory);
  });

  test('without a journal was killed before it did anything', () => {
    using home = someHome();
    home.folder(newest);
    const nothing = { ...notRead(newest), torn: true, damage: null };
    expect(readRun(home.path, newest)).toEqual(nothing);
    expect(factsOf(readRun(home.path, newest))).toEqual({
      id: newest,
      product: null,
      facts: [],
      inherited: emptyMemory,
    });
  });

  test('with something else in the place of its journal is damaged, and waits for nothing', async () => {
    using home = someHome();
    mkdirSync(path.join(home.folder(older), 'journal.jsonl'));
    home.write(newest, [started]);
    symlinkSync(
      path.join(home.folder(newest), 'journal.jsonl'),
      path.join(home.folder(newer), 'journal.jsonl'),
    );
    const socket = createServer();
    const id = '20261127T000000Z-dddd';
    await new Promise<void>((resolve) =>
      socket.listen(path.join(home.folder(id), 'journal.jsonl'), () => resolve()),
    );
    try {
      for (const each of [older, newer, id]) expect(readRun(home.path, each)).toEqual(notRead(each));
    } finally {
      await new Promise((resolve) => socket.close(resolve));
    }
  });

  test('whose journal the system does not read says why', () => {
    using home = someHome();
    mkdirSync(path.join(home.path, 'runs'));
    writeFileSync(path.join(home.path, 'runs', older), 'no folder');
    expect(readRun(home.path, older)).toEqual({ ...notRead(older), unread: 'ENOTDIR' });
    closed(path.join(home.path, 'runs', newer));
    expect(asNobody(() => readRun(home.path, newer))).toEqual({ ...notRead(newer), unread: 'EACCES' });
  });

  test('is about the product that it names, or that it was asked for by an installer that knew of one alone', () => {
    const productOf = (inherited: object, input: unknown) =>
      runOf('r', parseJournal(journalText([{ ...started, inherited: { version: 1, ...inherited }, input }])))
        .product;
    const asked = { request: { product: 'asked' } };
    expect([productOf({ product: 'known' }, asked), productOf({ product: null }, asked)]).toEqual([
      'known',
      'asked',
    ]);
    const products = [
      asked,
      null,
      'text',
      7,
      {},
      { request: null },
      { request: 'text' },
      { request: {} },
      { request: { product: 7 } },
    ].map((input) => productOf({}, input));
    expect(products).toEqual(['asked', null, null, null, null, null, null, null, null]);
  });
});

describe('what undoing looks at', () => {
  test('is the facts of every run, and what it inherited', () => {
    using home = someHome();
    home.write(older, [started, event, owes, version('1'), ended]);
    home.write(newer, [{ ...started, inherited: { version: 1, installer: '1' } }]);
    expect(factsOfRuns(home.path)).toEqual([
      {
        id: older,
        product: 'thing',
        facts: [fact, { fact: 'installer', version: '1' }],
        inherited: started.inherited,
      },
      { id: newer, product: null, facts: [], inherited: { ...emptyMemory, installer: '1' } },
    ]);
  });

  test('is refused where one of them cannot be read', async () => {
    using home = someHome();
    home.write(older, [started, owes]);
    writeFileSync(path.join(home.path, 'runs', newer), 'no folder');
    expect(await told(() => factsOfRuns(home.path))).toEqual([
      'E_JOURNAL_UNREAD',
      `The journal of run ${newer} cannot be read, and tells what was done: ENOTDIR.`,
    ]);
  });

  test('of the bytes that a run kept is what has the name of a copy', () => {
    using home = someHome();
    home.write(older, [started]);
    mkdirSync(path.join(home.folder(older), 'before'));
    writeFileSync(path.join(home.folder(older), 'before', '1'), 'one');
    const read = (name: string) => {
      const bytes = readBackup(home.path, older, name);
      return bytes === null ? null : Buffer.from(bytes).toString();
    };
    expect(['before/1', 'before/2', 'journal.jsonl', '../notes', 'before/../before/1'].map(read)).toEqual([
      'one',
      null,
      null,
      null,
      null,
    ]);
  });
});

describe('what a new run is told', () => {
  const quiet = { unfinished: null, torn: null, damaged: [] };
  const known = { ...started.inherited, installer: '1' };

  test('is nothing where no run was', () => {
    using home = someHome();
    const nothing = { ...quiet, memory: emptyMemory, lastId: null };
    expect([readMemory(null), readMemory(home.path)]).toEqual([nothing, nothing]);
  });

  test('is what the newest run knew at its end', () => {
    using home = someHome();
    home.write(older, [started, owes, ended]);
    home.write(newer, [started, version('1'), ended]);
    expect(readMemory(home.path)).toEqual({ ...quiet, memory: known, lastId: newer });
  });

  test('is also that it did not end, and that its last record was cut off', () => {
    using home = someHome();
    home.write(newer, [started, version('1')]);
    expect(readMemory(home.path)).toEqual({ ...quiet, memory: known, unfinished: newer, lastId: newer });
    home.write(newer, `${journalText([started, version('1')])}{"n":2`);
    const cut = { memory: known, unfinished: newer, torn: newer, damaged: [], lastId: newer };
    expect(readMemory(home.path)).toEqual(cut);
    home.write(newer, `${journalText([started, version('1'), ended])}{"n":3`);
    expect(readMemory(home.path)).toEqual({ ...quiet, memory: known, lastId: newer });
  });

  test('is what a damaged run knew before the damage, which is told instead of its missing end', () => {
    using home = someHome();
    home.write(newer, `${journalText([started, version('1')])}hello\n{"n":3`);
    expect(readMemory(home.path)).toEqual({
      ...quiet,
      memory: known,
      damaged: [{ run: newer, why: 'line 3 is no record' }],
      lastId: newer,
    });
  });

  test('is what an older run knew, where newer ones cannot be understood; the newest installer among them is known', () => {
    using home = someHome();
    home.write(older, [started, version('1'), ended]);
    home.write(newer, [{ ...started, format: 3, installer: '8' }]);
    home.write(newest, [{ ...started, format: 4, installer: '9' }]);
    home.folder('20261127T000000Z-dddd');
    const foreign = [
      { run: newest, why: 'it has format 4, and this installer reads 2' },
      { run: newer, why: 'it has format 3, and this installer reads 2' },
    ];
    expect(readMemory(home.path)).toEqual({
      ...quiet,
      memory: { ...started.inherited, installer: '9' },
      damaged: foreign,
      lastId: '20261127T000000Z-dddd',
    });
  });

  test('is but the installer, where no run can be understood', () => {
    using home = someHome();
    home.write(newer, [{ ...started, format: 3, installer: '8' }]);
    expect(readMemory(home.path)).toEqual({
      ...quiet,
      memory: { ...emptyMemory, installer: '8' },
      damaged: [{ run: newer, why: 'it has format 3, and this installer reads 2' }],
      lastId: newer,
    });
  });
});
