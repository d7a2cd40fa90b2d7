/** Copies of what runs replaced: seen, listed and removed, and nothing else with them. */
import { existsSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { copiesOf, hasCopy, isCopy, removeCopies, runsWithCopies } from '../../src/journal/copies.ts';
import { openIn } from '../support/descriptors.ts';
import { temporaryRoot } from '../support/installer.ts';
import { changedPaths, treeOf } from '../support/tree.ts';

/** A journal's directory, with one run that has these in the directory of its copies. */
function home(...names: readonly string[]) {
  const root = temporaryRoot();
  const at = (name: string): string => path.join(root.path, 'runs', name);
  mkdirSync(at('r1/before'), { recursive: true });
  writeFileSync(at('r1/journal.jsonl'), '');
  for (const name of names) writeFileSync(at(`r1/before/${name}`), name);
  return {
    path: root.path,
    at,
    left: () => (existsSync(at('r1/before')) ? readdirSync(at('r1/before')).sort() : null),
    [Symbol.dispose]: () => {
      const open = openIn(root.path);
      root[Symbol.dispose]();
      expect(open).toEqual([]);
    },
  };
}

const refused = (code: string): Error => expect.objectContaining({ code }) as Error;
const leftover = '.3.0123456789abcdef.mcp-installer-tmp';

describe('the name of a copy', () => {
  test.each(['before/1', 'before/12', 'before/7.masked'])('may be %s', (name) => {
    expect(isCopy(name)).toBe(true);
  });

  test.each([
    'before/',
    'before/1.maskedtoo',
    'before/1/../../journal.jsonl',
    'before/../journal.jsonl',
    'x/before/1',
    'before/one',
    'journal.jsonl',
    `before/${leftover}`,
  ])('is not %s', (name) => {
    expect(isCopy(name)).toBe(false);
  });
});

test('a copy is there until it is gone, be it a link that leads nowhere', () => {
  using journal = home('1');
  symlinkSync('/nonexistent', journal.at('r1/before/2'));
  const names = ['before/1', 'before/2', 'before/3'];
  expect(names.map((name) => hasCopy(journal.path, 'r1', name))).toEqual([true, true, false]);
  expect(names.map((name) => hasCopy(journal.path, 'r2', name))).toEqual([false, false, false]);
});

test('what is no copy is not there as one', () => {
  using journal = home('notes');
  expect(hasCopy(journal.path, 'r1', 'journal.jsonl')).toBe(false);
  expect(hasCopy(journal.path, 'r1', 'before/notes')).toBe(false);
});

test('runs with copies are those that have a folder for them, in their order', () => {
  using journal = home();
  mkdirSync(journal.at('r2'));
  mkdirSync(journal.at('r3/before'), { recursive: true });
  expect(runsWithCopies(journal.path, ['r4', 'r3', 'r2', 'r1'])).toEqual(['r3', 'r1']);
});

describe('the list of copies', () => {
  test('has those of the run and what a kill has left of one, sorted, and nothing of anybody else', () => {
    using journal = home('1', '2', '10', '3', '9.masked', '11', leftover, 'notes', '4~', `${leftover}~`);
    expect(copiesOf(journal.path, 'r1')).toEqual([
      `before/${leftover}`,
      'before/1',
      'before/10',
      'before/11',
      'before/2',
      'before/3',
      'before/9.masked',
    ]);
  });

  test('is empty where there are none, no directory for them, no such run, or no run', () => {
    using journal = home();
    mkdirSync(journal.at('r2'));
    using nothing = temporaryRoot();
    expect(['r1', 'r2', 'r3'].map((run) => copiesOf(journal.path, run))).toEqual([[], [], []]);
    expect(copiesOf(nothing.path, 'r1')).toEqual([]);
  });

  test('is refused where something else stands in the place of the directory', () => {
    using journal = home();
    mkdirSync(journal.at('r2'));
    writeFileSync(journal.at('r2/before'), '');
    expect(() => copiesOf(journal.path, 'r2')).toThrow(refused('ENOTDIR'));
  });
});

describe('removing copies', () => {
  test('takes away those that are named; the rest stays, and the directory with it', () => {
    using journal = home('1', '2', '3');
    removeCopies(journal.path, 'r1', ['before/1', 'before/3']);
    expect(journal.left()).toEqual(['2']);
  });

  test('takes the directory away with the last of them, and nothing beside it', () => {
    using journal = home('1', leftover);
    removeCopies(journal.path, 'r1', copiesOf(journal.path, 'r1'));
    expect([journal.left(), readdirSync(journal.at('r1'))]).toEqual([null, ['journal.jsonl']]);
  });

  test('leaves the directory where somebody has put something of their own into it', () => {
    using journal = home('1', 'notes');
    removeCopies(journal.path, 'r1', copiesOf(journal.path, 'r1'));
    expect(journal.left()).toEqual(['notes']);
  });

  test('goes on over what is gone already, and does nothing the second time', () => {
    using journal = home('2');
    removeCopies(journal.path, 'r1', ['before/1', 'before/2']);
    expect(journal.left()).toBeNull();
    const before = treeOf(journal.path);
    removeCopies(journal.path, 'r1', ['before/1', 'before/2']);
    removeCopies(journal.path, 'r2', ['before/1']);
    expect(changedPaths(before, treeOf(journal.path))).toEqual([]);
  });

  test('ends at what cannot be removed, with the reason', () => {
    using journal = home('1', '3');
    mkdirSync(journal.at('r1/before/2'));
    expect(() => removeCopies(journal.path, 'r1', ['before/1', 'before/2', 'before/3'])).toThrow(
      refused('EISDIR'),
    );
    expect(journal.left()).toEqual(['2', '3']);
  });
});

test.each(['', 'r1', 'r1/before'])(
  'a link in the place of runs/%s is not followed, neither to list nor to remove (security 3)',
  (name) => {
    using journal = home('1');
    const there = journal.at(name);
    const away = path.join(journal.path, 'away');
    renameSync(there, away);
    symlinkSync(away, there);
    const before = treeOf(journal.path);
    for (const work of [
      () => copiesOf(journal.path, 'r1'),
      () => removeCopies(journal.path, 'r1', ['before/1']),
    ])
      expect(work).toThrow(refused('ENOTDIR'));
    expect(changedPaths(before, treeOf(journal.path))).toEqual([]);
  },
);
