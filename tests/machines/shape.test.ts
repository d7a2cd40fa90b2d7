/** The machine's shape: what generated paths cannot miss, because they follow it. */
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { InstallerError, errorTable, type ErrorCode } from '../../src/errors.ts';
import { plainRequest } from '../../src/request.ts';
import { stateSummaries, transitions } from '../../src/machines/diagram.ts';
import { outputOf } from '../../src/machines/outcome.ts';
import type { Context, Outcome } from '../../src/machines/types.ts';

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

const contextWith = (code: ErrorCode | null, signal: Context['signal'] = null): Context => ({
  request: plainRequest,
  services: 'live',
  mode: 'existing',
  secrets: [],
  answers: { answered: [], settings: {}, edits: null },
  plan: null,
  next: 0,
  changed: false,
  notes: [],
  error: code === null ? null : new InstallerError(code).toJSON(),
  signal,
  undone: null,
});

const exit = (outcome: Outcome, code: ErrorCode | null = null, signal: Context['signal'] = null): number =>
  outputOf(outcome, contextWith(code, signal)).exitCode;

describe('the exit code', () => {
  test('follows from how the run ended', () => {
    expect({
      installed: exit('installed'),
      unchanged: exit('unchanged'),
      busy: exit('busy', 'E_BUSY'),
      declined: exit('declined', 'E_DECLINED'),
      rolledBack: exit('rolledBack', 'E_UNHEALTHY'),
      failed: exit('failed', 'E_UNHEALTHY'),
      hangup: exit('interrupted', 'E_INTERRUPTED', 'SIGHUP'),
      interrupt: exit('interrupted', 'E_INTERRUPTED', 'SIGINT'),
      terminate: exit('interrupted', 'E_INTERRUPTED', 'SIGTERM'),
    }).toEqual({
      installed: 0,
      unchanged: 0,
      busy: 11,
      declined: 10,
      rolledBack: 12,
      failed: 13,
      hangup: 129,
      interrupt: 130,
      terminate: 143,
    });
  });

  test('of a refusal is the one of its error, and 10 where that error would otherwise mean a failed change', () => {
    for (const [code, entry] of Object.entries(errorTable)) {
      const expected = entry.exit === 13 ? 10 : entry.exit;
      expect({ code, exit: exit('refused', code as ErrorCode) }).toEqual({ code, exit: expected });
    }
  });

  test('of a bug is 70 however much was saved from it', () => {
    for (const outcome of ['refused', 'rolledBack', 'failed', 'interrupted'] as const) {
      expect(exit(outcome, 'E_INTERNAL', 'SIGINT')).toBe(70);
    }
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
