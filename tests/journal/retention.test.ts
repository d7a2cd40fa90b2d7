/** Which copies stay, from facts alone. */
import { describe, expect, test } from 'vitest';
import type { Fact } from '../../src/facts.ts';
import { emptyMemory } from '../../src/memory.ts';
import type { FactsOfRun } from '../../src/past.ts';
import { retained } from '../../src/retention.ts';

const file = (hash: string) => ({ type: 'file', hash, mode: 0o644, uid: 0, gid: 0 }) as const;

type Paths = Readonly<Record<string, string>>;

/** A run that replaced these paths, and kept a copy under the given name of each. */
const changing = (id: string, paths: Paths, product = 'thing', more: readonly Fact[] = []): FactsOfRun => ({
  id,
  product,
  inherited: emptyMemory,
  facts: [
    ...Object.entries(paths).flatMap(([path, backup]): Fact[] => [
      { fact: 'replacing', path, before: file('old'), after: file(id), backup },
      { fact: 'replaced', path },
    ]),
    ...more,
  ],
});
const undoing = (id: string, to: string, paths: Paths): FactsOfRun => {
  const { facts, ...rest } = changing(id, paths);
  return { ...rest, facts: [{ fact: 'undoing', to }, ...facts, { fact: 'undone', to }] };
};

/** Of all copies those that stay, as `RUN NAME`. */
function staying(runs: readonly FactsOfRun[], keep: number): readonly string[] {
  const copies = runs.flatMap(({ id, facts }) =>
    facts.flatMap((fact) =>
      fact.fact === 'replacing' && fact.backup !== null ? [[id, fact.backup] as const] : [],
    ),
  );
  const stays = retained(runs, new Set(copies.map(([id]) => id)), keep);
  return copies.filter(([id, name]) => stays(id, name)).map(([id, name]) => `${id} ${name}`);
}

describe('of copies stay', () => {
  test('all of the newest runs, and of older ones the originals alone', () => {
    const runs = [
      changing('r1', { '/a': 'before/1' }),
      changing('r2', { '/a': 'before/1', '/b': 'before/2' }),
      changing('r3', { '/a': 'before/1', '/b': 'before/2' }),
      changing('r4', { '/a': 'before/1' }),
    ];
    expect(staying(runs, 1)).toEqual(['r1 before/1', 'r2 before/2', 'r4 before/1']);
    expect(staying(runs, 0)).toEqual(['r1 before/1', 'r2 before/2']);
    expect(staying(runs, 4)).toHaveLength(6);
  });

  test('the newest of each product, whatever the others did', () => {
    const runs = [
      changing('r0', { '/x': 'before/1' }, 'other'),
      changing('r1', { '/a': 'before/1' }),
      changing('r2', { '/x': 'before/1' }, 'other'),
      changing('r3', { '/a': 'before/1' }),
      changing('r4', { '/a': 'before/1' }),
    ];
    expect(staying(runs, 1)).toEqual(['r0 before/1', 'r1 before/1', 'r2 before/1', 'r4 before/1']);
  });

  test('the originals until the uninstall, and as long as that can be undone', () => {
    const runs = [
      changing('r1', { '/a': 'before/1' }),
      changing('r2', { '/a': 'before/1' }),
      undoing('r3', 'r1', { '/a': 'before/1' }),
    ];
    // Undone, it would bring r1 and r2 back, and with them an installation that can be uninstalled.
    expect(staying(runs, 1)).toEqual(['r1 before/1', 'r3 before/1']);
    expect(staying(runs, 0)).toEqual([]);
    const again = [...runs, changing('r4', { '/a': 'before/1' }), changing('r5', { '/a': 'before/1' })];
    expect(staying(again, 1)).toEqual(['r4 before/1', 'r5 before/1']);
  });

  test('the originals of an installation that stands again because its uninstall was undone', () => {
    const runs = [
      changing('r1', { '/a': 'before/1' }),
      undoing('r2', 'r1', { '/a': 'before/1' }),
      undoing('r3', 'r2', { '/a': 'before/1' }),
      changing('r4', { '/a': 'before/1' }),
    ];
    expect(staying(runs, 0)).toEqual(['r1 before/1']);
  });

  test('none of a run that put everything back itself, once it is not among the newest', () => {
    const restored: Fact = { fact: 'restored', path: '/a', baselines: [] };
    const runs = [
      changing('r1', { '/a': 'before/1' }),
      changing('r2', { '/a': 'before/1' }, 'thing', [restored]),
      changing('r3', { '/a': 'before/1' }),
    ];
    expect(staying(runs, 1)).toEqual(['r1 before/1', 'r3 before/1']);
    expect(staying(runs, 2)).toHaveLength(3);
  });
});
