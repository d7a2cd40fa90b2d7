/** What a run leaves to be told. */
import { describe, expect, test } from 'vitest';
import { InstallerError, errorTable, type ErrorCode } from '../../src/errors.ts';
import { outputOf } from '../../src/machines/outcome.ts';
import { firstStep } from '../../src/machines/replay.ts';
import { defaultRequest } from '../../src/machines/request.ts';
import type { Context, Outcome } from '../../src/machines/types.ts';
import { somePlan } from '../../src/testing.ts';

const outcomes: readonly Outcome[] = [
  'installed',
  'unchanged',
  'refused',
  'busy',
  'declined',
  'interrupted',
  'rolledBack',
  'failed',
];
const start = firstStep({ request: defaultRequest('thing') }).context;

test('all that became of it is told, and nothing of what it was asked', () => {
  const known: Context = {
    ...start,
    mode: 'forceRotate',
    secrets: [{ name: 'A', origin: 'rotated', fingerprint: '0' }],
    plan: somePlan(),
    changed: true,
    notes: [{ code: 'HEALED', level: 'warning', text: 'It was healed.' }],
    error: new InstallerError('E_UNHEALTHY', { why: 'it is so', unit: 'x.service' }).toJSON(),
    undone: { restored: ['/x'], left: [] },
  };
  const { mode, secrets, plan, notes, error, undone } = known;
  expect(outputOf('failed', known)).toEqual({
    outcome: 'failed',
    exitCode: 13,
    mode,
    changed: true,
    plan,
    secrets,
    notes,
    error,
    undone,
  });
});

test('changed counts what stays changed: what was put back does not', () => {
  const changed = (made: boolean) =>
    outcomes.filter((outcome) => outputOf(outcome, { ...start, changed: made }).changed);
  expect([changed(true), changed(false)]).toEqual([['installed', 'failed'], []]);
});

const exit = (outcome: Outcome, code: ErrorCode | null = null, signal: Context['signal'] = null): number => {
  const error = code === null ? null : new InstallerError(code).toJSON();
  return outputOf(outcome, { ...start, error, signal }).exitCode;
};

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

  test("of a person's no is 10, with whatever reason it was said", () => {
    expect([exit('declined'), exit('declined', 'E_BUSY')]).toEqual([10, 10]);
  });

  test('of a refusal without a reason is 10, and of an interrupt without a signal 13', () => {
    expect([exit('refused'), exit('interrupted')]).toEqual([10, 13]);
  });
});
