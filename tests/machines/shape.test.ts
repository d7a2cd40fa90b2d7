/** The machine's shape: what generated paths cannot miss, because they follow it. */
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { stateSummaries, transitions } from '../../src/machines/diagram.ts';

describe('the golden table', () => {
  test('holds every transition: a handler that is taken away is noticed', async () => {
    const rows = transitions().map(({ from, event, note, to }) => `${from} | ${event} | ${note} | ${to}`);
    await expect(`${rows.join('\n')}\n`).toMatchFileSnapshot('transitions.golden.txt');
  });

  const working = stateSummaries().filter(({ final }) => !final);

  test.each(working.map(({ name }) => name))(
    '%s handles the end, the failure and the interruption of its work',
    (name) => {
      const events = new Set(transitions().flatMap(({ from, event }) => (from === name ? [event] : [])));
      expect([...events].sort()).toEqual(['done', 'error', 'interrupt']);
    },
  );

  test('every working state has one actor with an id, and every id is used once', () => {
    const ids = working.map(({ actor }) => actor);
    expect(ids).not.toContain(null);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

test('the machine is pure: it imports xstate, itself and what is as pure as it', () => {
  const directory = new URL('../../src/machines/', import.meta.url);
  const imports = readdirSync(directory).flatMap((name) =>
    [...readFileSync(new URL(name, directory), 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/gu)].map(
      ([, from]) => from!,
    ),
  );
  const foreign = imports.filter(
    (from) =>
      from !== 'xstate' && !/^\.\/[a-z]+\.ts$/u.test(from) && !['../errors.ts', '../facts.ts'].includes(from),
  );
  expect(foreign).toEqual([]);
});
