/** What is asked of the disk, and in which order; and a disk that takes part of it, or nothing. */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { removeCopies } from '../../src/journal/copies.ts';
import { makePrivateDirectory, removeLeftovers, writeNewFile } from '../../src/journal/files.ts';
import { Journal } from '../../src/journal/journal.ts';
import { emptyMemory } from '../../src/memory.ts';
import { openIn } from '../support/descriptors.ts';
import { temporaryRoot } from '../support/installer.ts';

type Fs = typeof import('node:fs');
type Call = (...args: never[]) => unknown;

interface Disk {
  /** What was asked of it, in words: the call, and the path that it is about. */
  asked: string[];
  /** Most bytes that one write takes. */
  most: number;
  /** Of what is asked, in the same words, what fails. */
  fails: string | null;
}

const disk = vi.hoisted((): Disk => ({ asked: [], most: Infinity, fails: null }));

vi.mock('node:fs', async (original) => {
  const real = await original<Fs>();
  /** The path that is meant, whatever it is named through. */
  const nameOf = (file: string | number): string =>
    (typeof file === 'number' ? `/proc/self/fd/${file}` : file)
      .replace(/^\/proc\/self\/fd\/\d+/u, (fd) => real.readlinkSync(fd))
      .replace(/^.*\/mcp-installer-root-[^/]+/u, '')
      .replace(/\d{8}T\d{6}Z-[0-9a-f]{4}/u, 'RUN')
      .replace(/[0-9a-f]{16}(?=\.mcp-installer-tmp)/u, 'RANDOM');
  const names = ['mkdirSync', 'writeSync', 'fsyncSync', 'renameSync', 'unlinkSync', 'rmdirSync'] as const;
  const calls = names.map((name) => [
    name,
    (...args: unknown[]): unknown => {
      const asked = `${name.replace('Sync', '')} ${nameOf(args[name === 'renameSync' ? 1 : 0] as string)}`;
      disk.asked.push(asked);
      if (disk.fails === asked) throw Object.assign(new Error('EIO'), { code: 'EIO' });
      if (name === 'writeSync') args[3] = Math.min(args[3] as number, disk.most);
      return (real[name] as Call)(...(args as never[]));
    },
  ]);
  return { ...real, ...(Object.fromEntries(calls) as Partial<Fs>) };
});

afterEach(() => {
  disk.asked = [];
  disk.most = Infinity;
  disk.fails = null;
});

/** What `work` asks of the disk. */
function askedBy(work: () => void): readonly string[] {
  disk.asked = [];
  work();
  return disk.asked;
}

/** A directory of which nothing is open at the end of the test. */
function place() {
  const root = temporaryRoot();
  return {
    path: root.path,
    at: (name: string): string => path.join(root.path, name),
    [Symbol.dispose]: () => {
      const open = openIn(root.path);
      root[Symbol.dispose]();
      expect(open).toEqual([]);
    },
  };
}

const begun = (): Journal =>
  new Journal({
    machine: { id: 'installer', version: '1' },
    installer: '0.1.0',
    command: 'install',
    input: {},
    inherited: emptyMemory,
    lastId: null,
  });
const ended = { outcome: 'installed', exitCode: 0, mode: 'fresh', changed: true, plan: null, error: null };
const bytes = (text: string): Uint8Array => Buffer.from(text);
const refused = expect.objectContaining({
  code: 'E_JOURNAL',
  message: 'The journal cannot be written: EIO.',
}) as Error;
const failed = expect.objectContaining({ code: 'EIO' }) as Error;

describe('is on disk before anything that counts on it:', () => {
  test('a directory, in the one that it is in', () => {
    using root = place();
    expect(askedBy(() => makePrivateDirectory(root.path, 'runs'))).toEqual(['mkdir /runs', 'fsync ']);
  });

  test('a file under its own name, with all of its bytes', () => {
    using root = place();
    const temporary = '/.key.RANDOM.mcp-installer-tmp';
    expect(askedBy(() => writeNewFile(root.path, 'key', bytes('whole')))).toEqual([
      `write ${temporary}`,
      `fsync ${temporary}`,
      'rename /key',
      'fsync ',
    ]);
  });

  test('the journal of a run, once with all that is recorded so far', () => {
    using root = place();
    const journal = begun();
    expect(askedBy(() => journal.attach(root.path))).toEqual([
      'mkdir /runs',
      'fsync ',
      'mkdir /runs/RUN',
      'fsync /runs',
      'write /runs/RUN/journal.jsonl',
      'fsync /runs/RUN/journal.jsonl',
      'fsync /runs/RUN',
    ]);
    expect(askedBy(() => journal.attach(root.path))).toEqual([]);
    const recorded = ['write /runs/RUN/journal.jsonl', 'fsync /runs/RUN/journal.jsonl'];
    journal.event({ type: 'one' });
    journal.event({ type: 'two' });
    expect(askedBy(() => journal.sync())).toEqual(recorded);
    expect(askedBy(() => journal.sync())).toEqual([]);
    expect(askedBy(() => journal.end(ended))).toEqual(recorded);
  });

  test('a copy of what is replaced, and what it is in', () => {
    using root = place();
    const journal = begun();
    journal.attach(root.path);
    const kept = (name: string): readonly string[] => [
      `write /runs/RUN/before/.${name}.RANDOM.mcp-installer-tmp`,
      `fsync /runs/RUN/before/.${name}.RANDOM.mcp-installer-tmp`,
      `rename /runs/RUN/before/${name}`,
      'fsync /runs/RUN/before',
    ];
    expect(askedBy(() => journal.backup(bytes('one')))).toEqual([
      'mkdir /runs/RUN/before',
      'fsync /runs/RUN',
      ...kept('1'),
    ]);
    expect(askedBy(() => journal.backup(bytes('two'), '.masked'))).toEqual(kept('2.masked'));
    journal.end(ended);
  });

  test('that copies are gone, and that their directory is', () => {
    using root = place();
    mkdirSync(root.at('runs/r1/before'), { recursive: true });
    for (const name of ['1', '2']) writeFileSync(root.at(`runs/r1/before/${name}`), '');
    expect(askedBy(() => removeCopies(root.path, 'r1', ['before/1']))).toEqual([
      'unlink /runs/r1/before/1',
      'fsync /runs/r1/before',
    ]);
    expect(askedBy(() => removeCopies(root.path, 'r1', ['before/2']))).toEqual([
      'unlink /runs/r1/before/2',
      'fsync /runs/r1/before',
      'rmdir /runs/r1/before',
      'fsync /runs/r1',
    ]);
  });
});

test('what a disk takes in pieces is written whole', () => {
  using root = place();
  disk.most = 7;
  const text = 'a line of more than seven bytes\n'.repeat(5);
  writeNewFile(root.path, 'file', bytes(text));
  expect(readFileSync(root.at('file'), 'utf8')).toBe(text);
});

describe('a disk that fails', () => {
  const temporary = '/.key.RANDOM.mcp-installer-tmp';

  test.each([`write ${temporary}`, `fsync ${temporary}`, 'rename /key'])(
    'at “%s” leaves the old file, and beside it only what the next run removes',
    (fails) => {
      using root = place();
      writeFileSync(root.at('key'), 'old');
      disk.fails = fails;
      expect(() => writeNewFile(root.path, 'key', bytes('new'))).toThrow(failed);
      expect(readFileSync(root.at('key'), 'utf8')).toBe('old');
      removeLeftovers(root.path, null);
      expect(readdirSync(root.path)).toEqual(['key']);
    },
  );

  test('to sync a directory has not kept what was made in it', () => {
    using root = place();
    disk.fails = 'fsync ';
    expect(() => writeNewFile(root.path, 'key', bytes('new'))).toThrow(failed);
    expect(() => makePrivateDirectory(root.path, 'runs')).toThrow(failed);
  });

  test.each(['fsync ', 'fsync /runs', 'fsync /runs/RUN/journal.jsonl', 'fsync /runs/RUN'])(
    'at “%s” is E_JOURNAL to a run that begins its journal, of which nothing stays open',
    (fails) => {
      using root = place();
      const journal = begun();
      disk.fails = fails;
      expect(() => journal.attach(root.path)).toThrow(refused);
      disk.fails = null;
      journal.end(ended);
    },
  );

  test('is E_JOURNAL to a run that cannot end, and nothing of it stays open', () => {
    using root = place();
    const journal = begun();
    journal.attach(root.path);
    disk.fails = 'fsync /runs/RUN/journal.jsonl';
    expect(() => journal.end(ended)).toThrow(refused);
    expect([journal.isAttached, openIn(root.path)]).toEqual([false, []]);
    expect(journal.records.at(-1)).toMatchObject({ k: 'run.ended', ...ended });
  });

  test('while copies are removed is told, and the copies that are gone are no matter to the next try', () => {
    using root = place();
    mkdirSync(root.at('runs/r1/before'), { recursive: true });
    writeFileSync(root.at('runs/r1/before/1'), '');
    for (const fails of ['unlink /runs/r1/before/1', 'fsync /runs/r1/before', 'rmdir /runs/r1/before']) {
      disk.fails = fails;
      expect(() => removeCopies(root.path, 'r1', ['before/1'])).toThrow(failed);
      expect(openIn(root.path)).toEqual([]);
    }
    disk.fails = null;
    removeCopies(root.path, 'r1', ['before/1']);
    expect(readdirSync(root.at('runs/r1'))).toEqual([]);
  });
});
