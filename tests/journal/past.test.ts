/** What past runs did to a host, from their facts: which of them stand, and how everything was before one of them. */
import { describe, expect, test } from 'vitest';
import type { Fact, FileIdentity } from '../../src/facts.ts';
import { emptyMemory, remember, type Memory } from '../../src/memory.ts';
import { hostBefore, lastToUndo, pastRuns, type FactsOfRun } from '../../src/past.ts';

const file = (hash: string): FileIdentity => ({ type: 'file', hash, mode: 0o644, uid: 0, gid: 0 });

/** From one content to another, by their hashes; '' stands for no file. */
function replaced(path: string, from: string, to: string): Fact[] {
  const identity = (hash: string): FileIdentity | null => (hash === '' ? null : file(hash));
  const backup = from === '' ? null : `before/${from}`;
  return [
    { fact: 'replacing', path, before: identity(from), after: identity(to), backup },
    { fact: 'replaced', path },
  ];
}

type Entry = readonly [id: string, facts: readonly Fact[], product?: string];

/** Runs one after the other, each on top of what the ones before left to know. */
function history(...all: Entry[]): FactsOfRun[] {
  let memory: Memory = emptyMemory;
  return all.map(([id, facts, product = 'thing']) => {
    const inherited = memory;
    for (const fact of facts) memory = remember(memory, id, fact);
    return { id, product, facts, inherited };
  });
}

const standing = (...all: Entry[]): readonly string[] =>
  pastRuns(history(...all), 'thing').flatMap(({ id, stands }) => (stands ? [id] : []));

const install = ['r1', replaced('/a', '', 'one')] as const;
const upgrade = ['r2', replaced('/a', 'one', 'two')] as const;
const upgradeAgain = ['r3', replaced('/a', 'two', 'three')] as const;

const undone = (to: string, facts: readonly Fact[]): readonly Fact[] => [
  { fact: 'undoing', to },
  ...facts,
  { fact: 'undone', to },
];

describe('which runs stand', () => {
  test('all that changed something and of this product', () => {
    expect(standing(install, ['quiet', []], ['other', replaced('/b', '', 'x'), 'else'], upgrade)).toEqual([
      'r1',
      'r2',
    ]);
  });

  test('not one that put everything back itself, and one that put back a part', () => {
    const restored: Fact = { fact: 'restored', path: '/a', baselines: [] };
    expect(standing(install, ['r2', [...replaced('/a', 'one', 'two'), restored]])).toEqual(['r1']);
    const half = [...replaced('/a', 'one', 'two'), ...replaced('/b', '', 'x'), restored];
    const past = pastRuns(history(install, ['r2', half]), 'thing');
    expect(past.map(({ id, changed }) => [id, changed])).toEqual([
      ['r1', ['/a']],
      ['r2', ['/b']],
    ]);
  });

  test('not those that were undone, but what undid them', () => {
    const undoing = ['u1', undone('r2', replaced('/a', 'three', 'one'))] as const;
    expect(standing(install, upgrade, upgradeAgain, undoing)).toEqual(['r1', 'u1']);
    expect(lastToUndo(pastRuns(history(install, upgrade, upgradeAgain, undoing), 'thing'))?.id).toBe('r1');
  });

  test('again those that were undone, once the undoing is undone', () => {
    const undoing = ['u1', undone('r2', replaced('/a', 'three', 'one'))] as const;
    const redoing = ['u2', undone('u1', replaced('/a', 'one', 'three'))] as const;
    expect(standing(install, upgrade, upgradeAgain, undoing, redoing)).toEqual(['r1', 'r2', 'r3', 'u2']);
  });
});

test('an undoing that was killed has undone nothing yet, and is not undone by default', () => {
  const killed = ['u1', undone('r2', replaced('/a', 'three', 'one')).slice(0, -1)] as const;
  const past = pastRuns(history(install, upgrade, upgradeAgain, killed), 'thing');
  expect(past.filter(({ stands }) => stands).map(({ id }) => id)).toEqual(['r1', 'r2', 'r3', 'u1']);
  expect(lastToUndo(past)?.id).toBe('r3');
});

test('settings, units and secrets are told as the first run from there on found them', () => {
  const facts = (port: string, running: string[], names: string[]): Fact[] => [
    { fact: 'settingsFound', settings: { PORT: port } },
    { fact: 'unitsFound', running },
    { fact: 'secretsReplaced', names },
  ];
  const all: Entry[] = [
    ['r1', [...replaced('/a', '', 'one'), { fact: 'settingsFound', settings: null }]],
    ['r2', [...replaced('/a', 'one', 'two'), ...facts('1', ['a.service'], ['KEY'])]],
    ['r3', [...replaced('/a', 'two', 'three'), ...facts('2', [], ['KEY', 'TOKEN'])]],
  ];
  const before = (to: string) => {
    const { settings, running, replaced: names } = hostBefore(pastRuns(history(...all), 'thing'), to);
    return { settings, running, names };
  };
  expect(before('r1')).toEqual({ settings: null, running: ['a.service'], names: ['KEY', 'TOKEN'] });
  expect(before('r2')).toEqual({ settings: { PORT: '1' }, running: ['a.service'], names: ['KEY', 'TOKEN'] });
  expect(before('r3')).toEqual({ settings: { PORT: '2' }, running: [], names: ['KEY', 'TOKEN'] });
});

describe('how a path was before a run', () => {
  const before = (to: string, ...all: Entry[]) => hostBefore(pastRuns(history(...all), 'thing'), to).paths;

  test('as the first run from there on found it, with the copy that it made, and what stands there now', () => {
    expect(before('r2', install, upgrade, upgradeAgain)).toEqual([
      {
        path: '/a',
        before: file('one'),
        backup: { run: 'r2', name: 'before/one' },
        baselines: ['one'],
        now: [file('three')],
        due: [],
      },
    ]);
  });

  test('nothing, where the first run made it', () => {
    expect(before('r1', install, upgrade)).toMatchObject([{ before: null, backup: null, baselines: [] }]);
  });

  test('where a run was killed at it, the old and the new may stand there', () => {
    const killed = ['r2', replaced('/a', 'one', 'two').slice(0, 1)] as const;
    expect(before('r2', install, killed)).toMatchObject([
      { before: file('one'), now: [file('one'), file('two')] },
    ]);
  });

  test('where a later run put it back, what it found stands there', () => {
    const restored: Fact = { fact: 'restored', path: '/a', baselines: ['one'] };
    const failed = ['r3', [...replaced('/a', 'two', 'three'), restored]] as const;
    expect(before('r2', install, upgrade, failed)).toMatchObject([
      { before: file('one'), now: [file('two')] },
    ]);
  });
});
