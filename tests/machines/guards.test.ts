/** What the machine asks: each question by itself, with everything that it may be asked about. */
import { describe, expect, test } from 'vitest';
import { InstallerError, type ErrorCode } from '../../src/errors.ts';
import * as is from '../../src/machines/guards.ts';
import { firstStep } from '../../src/machines/replay.ts';
import { defaultRequest } from '../../src/machines/request.ts';
import type {
  ConfirmOutput,
  Context,
  DetectOutput,
  PlanOutput,
  PreflightOutput,
  Reload,
  Removal,
  Request,
} from '../../src/machines/types.ts';
import { somePlan } from '../../src/testing.ts';

const request = defaultRequest('thing');
const start = firstStep({ request }).context;
const asking = (more: Partial<Request>): Context => ({ ...start, request: { ...request, ...more } });
const error = (code: ErrorCode) => new InstallerError(code).toJSON();

const refused = { kind: 'refused', error: error('E_PLATFORM') } as const;
const question = { id: 'rotation', text: 'Go on?', subjects: [] } as const;
const restart: Reload = { what: 'restart', unit: 'x.service', because: [], how: 'restart', owedBy: [] };
const removal: Removal = { what: 'removeState', unit: '/state', because: [], how: 'remove', owedBy: [] };
const none = somePlan({ operations: [] });
const one = somePlan();
const two = somePlan({ operations: [...one.operations, ...one.operations] });
const reloads = somePlan({ operations: [], reloads: [restart, removal] });

test('what an effect answers is told apart by its kind alone', () => {
  const looked: readonly PreflightOutput[] = [
    { kind: 'ready', services: 'live', notes: [] },
    { kind: 'busy', error: error('E_BUSY') },
    refused,
  ];
  const found = (['fresh', 'existing', 'lost'] as const).map((kind): DetectOutput => ({ kind, notes: [] }));
  const said: readonly ConfirmOutput[] = [
    { kind: 'proceed' },
    { kind: 'replan', answers: start.answers },
    { kind: 'declined', error: error('E_DECLINED') },
  ];
  expect({
    isBusy: looked.map(is.isBusy),
    isRefused: looked.map(is.isRefused),
    isFresh: [...found, refused].map(is.isFresh),
    mustReplan: said.map(is.mustReplan),
    isDeclined: said.map(is.isDeclined),
  }).toEqual({
    isBusy: [false, true, false],
    isRefused: [false, false, true],
    isFresh: [true, false, false, false],
    mustReplan: [false, true, false],
    isDeclined: [false, false, true],
  });
});

test('secrets are rotated where that is asked for, and there is or was something to rotate', () => {
  const found = (['fresh', 'existing', 'lost'] as const).map((kind) => ({ kind, notes: [] }));
  const rotated = (rotate: Request['rotate']) =>
    [...found, refused].map((each) => is.mustRotate(asking({ rotate }), each));
  expect({ none: rotated('none'), all: rotated('all'), named: rotated(['A']) }).toEqual({
    none: [false, false, false, false],
    all: [false, true, true, false],
    named: [false, true, true, false],
  });
});

test('a person is asked where one is there, and the plan raises a question', () => {
  const raised: PlanOutput = { kind: 'planned', plan: somePlan({ questions: [question] }) };
  const plain: PlanOutput = { kind: 'planned', plan: one };
  const asked = (ask: boolean) => [raised, plain, refused].map((each) => is.mustAsk(asking({ ask }), each));
  expect([asked(true), asked(false)]).toEqual([
    [true, false, false],
    [false, false, false],
  ]);
});

describe('of a plan', () => {
  test('it is asked what is to be changed and reloaded; without one there is nothing', () => {
    const plans = [null, none, one, reloads];
    expect({ operations: plans.map(is.hasOperations), reloads: plans.map(is.hasReloads) }).toEqual({
      operations: [false, false, true, false],
      reloads: [false, false, false, true],
    });
    const outputs: readonly PlanOutput[] = [
      refused,
      ...[none, one, reloads].map((plan) => ({ kind: 'planned', plan }) as const),
    ];
    expect({ operations: outputs.map(is.plansOperations), reloads: outputs.map(is.plansReloads) }).toEqual({
      operations: [false, false, true, false],
      reloads: [false, false, false, true],
    });
  });

  test('more is to be changed until the last operation', () => {
    const more = (plan: Context['plan'], next: number) => is.hasMoreOperations({ ...start, plan, next });
    expect([more(null, 0), more(none, 0), more(one, 0), more(two, 0), more(two, 1)]).toEqual([
      false,
      false,
      false,
      true,
      false,
    ]);
  });

  test('what is reloaded and what is deleted last are kept apart', () => {
    expect([is.reloadsOf(reloads), is.removalsOf(reloads)]).toEqual([[restart], [removal]]);
    expect([is.reloadsOf(null), is.removalsOf(null)]).toEqual([[], []]);
  });
});

test('a failure that came before any change leaves nothing to put back', () => {
  const asked = (changed: boolean) =>
    (['E_BUSY', 'E_JOURNAL', 'E_UNHEALTHY'] as const).map((code) => [
      is.otherRunCameFirst({ ...start, changed }, error(code)),
      is.journalFailedFirst({ ...start, changed }, error(code)),
    ]);
  expect(asked(false)).toEqual([
    [true, false],
    [false, true],
    [false, false],
  ]);
  expect(asked(true)).toEqual([
    [false, false],
    [false, false],
    [false, false],
  ]);
});

test('what was changed is put back unless it was asked otherwise', () => {
  expect([is.mayRollBack(asking({ rollback: true })), is.mayRollBack(asking({ rollback: false }))]).toEqual([
    true,
    false,
  ]);
});
