/** A record with a right checksum and a wrong shape, made by hand or by another version, is damage and no crash. */
import { describe, expect, test } from 'vitest';
import type { Fact } from '../../src/facts.ts';
import { emptyMemory } from '../../src/memory.ts';
import { parseJournal } from '../../src/journal/record.ts';
import { journalText } from '../support/journal-text.ts';
import { expectExit, files, installed, type Place } from '../support/place.ts';

const identity = { type: 'file', hash: 'one', mode: 0o644, uid: 0, gid: 0 } as const;

/** One of every kind, so that a new kind is tried too. */
const sound: { readonly [Kind in Fact['fact']]: Omit<Extract<Fact, { fact: Kind }>, 'fact'> } = {
  replacing: { path: '/x', before: null, after: identity, backup: 'before/1', due: ['restart'] },
  replaced: { path: '/x' },
  restored: { path: '/x', baselines: ['one'] },
  kept: { path: '/x', offered: 'one' },
  owed: { what: 'restart', unit: 'x.service', because: ['/x'] },
  settled: { what: 'restart', unit: 'x.service' },
  revoked: {},
  secretsMade: { names: ['A'] },
  secretsPurged: {},
  secretsReplaced: { names: ['A'] },
  settingsFound: { settings: { PORT: '1' } },
  unitsFound: { running: ['x.service'] },
  secretsSupplied: { fingerprints: { A: 'f' }, only: true },
  sourceSupplied: { hashes: ['one'], only: true, bundled: 'two' },
  packagesRequested: { names: ['nginx'] },
  undoing: { to: 'r1' },
  undone: { to: 'r1' },
  knownAs: { path: '/x', baselines: ['one'] },
  installer: { version: '1' },
};

const started = {
  k: 'run.started',
  format: 2,
  machine: { id: 'installer', version: '1' },
  installer: '0.1.0',
  command: 'install',
  input: {},
  inherited: emptyMemory,
} as const;
const event = { k: 'event', event: { type: 'interrupt', actorId: 'x', signal: 'SIGINT' } };
const ended = {
  k: 'run.ended',
  outcome: 'installed',
  exitCode: 0,
  mode: 'fresh',
  changed: true,
  plan: null,
  error: null,
};
const factOf = (fact: object): object => ({ k: 'fact', v: 1, fact });

const lines = (...bodies: readonly object[]): string => journalText(bodies);
const damageOf = (...bodies: readonly object[]): string | null => parseJournal(lines(...bodies)).damage;

/** The same with one field of the wrong type, for every field, however deep: no field is a list of numbers. */
function spoilt(value: object): readonly object[] {
  return Object.entries(value).flatMap(([name, inner]: [string, unknown]): object[] => {
    const deeper = inner !== null && typeof inner === 'object' && !Array.isArray(inner) ? spoilt(inner) : [];
    return [{ ...value, [name]: [7] }, ...deeper.map((each) => ({ ...value, [name]: each }))];
  });
}

describe('what a kind should hold', () => {
  test('is taken, of every kind of fact, and what a later version adds to it too', () => {
    const all = Object.entries(sound).map(([fact, rest]) => factOf({ fact, ...rest, more: [1] }));
    expect(damageOf(started, event, ...all, ended)).toBeNull();
    expect(parseJournal(lines(started, event, ...all, ended)).records).toHaveLength(all.length + 3);
  });

  test.each(Object.entries(sound))('is asked of every field of %s', (fact, rest) => {
    const wrong = [
      ...spoilt(rest),
      ...Object.keys(rest)
        .filter((name) => name !== 'due' && name !== 'bundled')
        .map((name) => ({ ...rest, [name]: undefined })),
    ];
    for (const each of wrong)
      expect({ each, damage: damageOf(started, factOf({ ...each, fact })) }).toEqual({
        each,
        damage: 'line 2 does not hold what its kind should',
      });
  });

  test.each<[string, readonly object[]]>([
    ['a fact of a kind that is not known', [started, factOf({ fact: 'invented' })]],
    ['a fact with the name of what every object has', [started, factOf({ fact: 'constructor' })]],
    ['a fact of another version', [started, { k: 'fact', v: 2, fact: { fact: 'revoked' } }]],
    ['a path below nothing', [started, factOf({ fact: 'replaced', path: 'constructor' })]],
    [
      'a name that every object has',
      [started, factOf({ fact: 'secretsSupplied', fingerprints: { toString: 'x' }, only: false })],
    ],
    ['an event that is text', [started, { k: 'event', event: 'x' }]],
    ['a fact whose kind is a list of one', [started, factOf({ fact: ['revoked'] })]],
    ['a fact without a kind', [started, factOf({})]],
    ['a path that begins nowhere', [started, factOf({ fact: 'replaced', path: 'x/y' })]],
    ['an outcome with more before its name', [started, { ...ended, outcome: '1. installed' }]],
    ['a mode with more behind its name', [started, { ...ended, mode: 'fresh; x' }]],
    ['a path that is a list of one', [started, factOf({ fact: 'replaced', path: ['/x'] })]],
    ['an end without a code', [started, { ...ended, exitCode: undefined }]],
    ['an event without a type', [started, { k: 'event', event: { signal: 'SIGINT' } }]],
  ])('is missing in %s', (_, bodies) => {
    expect(damageOf(...bodies)).toBe('line 2 does not hold what its kind should');
  });

  test('is missing where a fact is no object', () => {
    for (const fact of [null, undefined, 'revoked', 7, ['revoked']])
      expect({ fact, damage: damageOf(started, { k: 'fact', v: 1, fact }) }).toEqual({
        fact,
        damage: 'line 2 does not hold what its kind should',
      });
  });

  test('is asked of every field of a start, an event and an end', () => {
    const { k, format, inherited, input, ...rest } = started;
    for (const each of spoilt(rest))
      expect({ each, damage: damageOf({ k, format, inherited, input, ...each }) }).toEqual({
        each,
        damage: 'line 1 does not hold what its kind should',
      });
    for (const [{ k: kind, ...fields }] of [[event], [ended]] as const)
      for (const each of spoilt(fields))
        expect({ each, damage: damageOf(started, { k: kind, ...each }) }).toEqual({
          each,
          damage: 'line 2 does not hold what its kind should',
        });
  });

  test('is a time of day in UTC, and nothing else that means one', () => {
    const damage = 'line 2 does not hold what its kind should';
    const times = {
      '2026-11-25T00:00:00.000Z': null,
      '2026-11-25T00:00:00Z': null,
      '1': damage,
      '+002026-11-25T00:00:00.000Z': damage,
      '2026-11-25T00:00:00Z (noon)': damage,
      '2026-11-25T00:00:00.000': damage,
      '2026-13-25T00:00:00.000Z': damage,
    };
    const judged = Object.keys(times).map((t) => [t, damageOf(started, { ...ended, t })]);
    expect(Object.fromEntries(judged)).toEqual(times);
    expect([damageOf(started, { ...ended, t: 0 }), damageOf(started, { ...ended, t: undefined })]).toEqual([
      damage,
      damage,
    ]);
  });

  test('is nested as deep as any installer would, with room to spare, and no deeper', () => {
    const nested = (depth: number): unknown => (depth === 0 ? 'x' : [nested(depth - 1), 'x']);
    // The record, its event and the output are three of the 64.
    const holding = (depth: number) => ({
      k: 'event',
      event: { type: 'x', output: { a: 'x', b: nested(depth) } },
    });
    expect([damageOf(started, holding(61)), damageOf(started, holding(62))]).toEqual([
      null,
      'line 2 does not hold what its kind should',
    ]);
    expect(damageOf(started, holding(3000))).toBe('line 2 does not hold what its kind should');
  });

  test.each<[string, object]>([
    ['baselines that are text', { baselines: { '/x': 'one' } }],
    ['what is owed without a unit', { owed: [{ what: 'restart', because: [], run: 'r1' }] }],
    ['another product that is null', { others: { other: null } }],
    ['supplied secrets as a list', { secretsSupplied: ['A'] }],
  ])('of what was known before is missing in %s', (_, inherited) => {
    expect(damageOf({ ...started, inherited: { ...emptyMemory, ...inherited } })).toBe(
      'line 1 does not say what is known',
    );
  });

  test('is not asked of what an older run did not know yet', () => {
    expect(damageOf({ ...started, inherited: { version: 1, owed: [] } })).toBeNull();
    const { path, before, after, backup } = sound.replacing;
    expect(damageOf(started, factOf({ fact: 'replacing', path, before, after, backup }))).toBeNull();
  });
});

/** Puts a body in place of the fact that a path was replaced, in the last journal. */
function spoil(root: Place, body: object): void {
  const { records } = parseJournal(root.read(root.journal()));
  const at = records.findIndex((record) => record.k === 'fact' && record.fact.fact === 'replaced');
  const bodies: object[] = [...records];
  bodies[at] = { ...body, n: at };
  root.write(root.journal(), lines(...bodies), 0o600);
}

describe('a journal with a right checksum and a wrong shape', () => {
  const wrong: readonly (readonly [string, object])[] = [
    ['a fact without its fields', factOf({ fact: 'replacing' })],
    ['a path that is a number', factOf({ fact: 'replacing', ...sound.replacing, path: 7 })],
    ['a kind that is not known', factOf({ fact: 'invented' })],
  ];

  test.each(wrong)('(%s) is told with 65 by what reads it, and stops nothing', async (_, body) => {
    using root = await installed();
    spoil(root, body);
    const before = root.look();
    for (const [name = '', ...args] of [
      ['history'],
      ['show', 'last'],
      ['replay', 'last'],
      ['graph', '--run', 'last'],
    ]) {
      const ran = expectExit(await root.run(name, args), 65);
      expect(ran.stderr).toMatch(/E_JOURNAL_DAMAGED: .* line \d+ does not hold what its kind should\./u);
    }
    for (const [command, ...args] of [
      ['status'],
      ['rollback', '--dry-run'],
      ['uninstall', '--dry-run'],
    ] as const)
      expect([0, 3]).toContain((await root.run(command, args)).exitCode);
    expect(root.look()).toEqual(before);
    const again = expectExit(await root.install(), 0);
    expect(again.output).toMatch(
      /\[!\] The journal of run \S+ is damaged \(line \d+ does not hold what its kind should\); a restart counts as owed\.\n/u,
    );
    expect(parseJournal(root.read(root.journal())).records[0]).toMatchObject({
      inherited: { owed: [{ what: 'restart', unit: 'mcp-oauth-proxy.service' }] },
    });
    expect(expectExit(await root.install(['--detailed-exitcode']), 0).output).not.toContain('damaged');
    expect(root.read(files.env)).toContain('MCP_TOKEN=');
  });
});
