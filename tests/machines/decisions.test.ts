/** What the machine decides and hands on, said independently of its graph: generated paths follow the machine, right or wrong. */
import { createActor } from 'xstate';
import { describe, expect, test } from 'vitest';
import { InstallerError } from '../../src/errors.ts';
import { withEffects, type MachineEffects } from '../../src/machines/provide.ts';
import { plainRequest } from '../../src/request.ts';
import { scriptedEffects, somePlan, type EffectsScript } from '../../src/testing.ts';
import type {
  ActorContract,
  Note,
  Operation,
  Output,
  Plan,
  Removal,
  Request,
} from '../../src/machines/types.ts';

const note = (code: string): Note => ({ code, level: 'info', text: code });

const [operation] = somePlan().operations as [Operation];

const planned = (more: Partial<Plan> = {}): ActorContract['plan']['output'] => ({
  kind: 'planned',
  plan: somePlan(more),
});

const fails = (): never => {
  throw new InstallerError('E_UNHEALTHY', { why: 'it does not answer', unit: 'x.service' });
};

interface Ended {
  readonly output: Output;
  readonly states: readonly string[];
  readonly inputs: Readonly<Record<string, readonly unknown[]>>;
}

async function run(script: EffectsScript, request: Partial<Request> = {}): Promise<Ended> {
  const inputs: Record<string, unknown[]> = {};
  const effects = Object.entries(scriptedEffects(script)).map(([name, effect]) => [
    name,
    (input: never, signal: AbortSignal) => {
      (inputs[name] ??= []).push(input);
      return effect(input, signal);
    },
  ]);
  const machine = withEffects(Object.fromEntries(effects) as MachineEffects);
  const states: string[] = [];
  const installer = createActor(machine, { input: { request: { ...plainRequest, ...request } } });
  installer.subscribe(({ value }) => {
    if (states.at(-1) !== value) states.push(value);
  });
  const ended = new Promise<void>((resolve, reject) => {
    installer.subscribe({ complete: resolve, error: reject });
  });
  installer.start();
  await ended;
  return { output: installer.getSnapshot().output!, states, inputs };
}

describe('the mode', () => {
  test.each([
    { kind: 'fresh', rotate: 'none', mode: 'fresh' },
    { kind: 'fresh', rotate: 'all', mode: 'fresh' },
    { kind: 'existing', rotate: 'none', mode: 'existing' },
    { kind: 'existing', rotate: 'all', mode: 'forceRotate' },
    { kind: 'existing', rotate: ['A'], mode: 'forceRotate' },
    { kind: 'lost', rotate: 'all', mode: 'forceRotate' },
  ] as const)(
    'of a host that is $kind, asked to rotate $rotate, is $mode',
    async ({ kind, rotate, mode }) => {
      const { output, states, inputs } = await run({ detect: () => ({ kind, notes: [] }) }, { rotate });
      expect({ state: states.includes(mode), mode: output.mode }).toEqual({ state: true, mode });
      for (const name of ['secrets', 'plan', 'verify']) expect(inputs[name]).toMatchObject([{ mode }]);
    },
  );
});

describe('what is handed on', () => {
  test('the answers to questions reach the next plan, and what is then planned is what is written', async () => {
    const answers = { answered: ['settings'], settings: { DOMAIN: 'x.example' }, edits: null } as const;
    const asking = { id: 'settings', text: 'What?', subjects: ['DOMAIN'] } as const;
    const other: Operation = { ...operation, path: '/y' };
    const { inputs, output } = await run(
      {
        plan: (call) => (call === 1 ? planned({ questions: [asking] }) : planned({ operations: [other] })),
        confirm: () => ({ kind: 'replan', answers }),
      },
      { ask: true },
    );
    expect(inputs['plan']).toMatchObject([
      { answers: { answered: [], settings: {}, edits: null } },
      { answers },
    ]);
    expect(inputs['write']).toEqual([{ operation: other, index: 0 }]);
    expect(output).toMatchObject({ outcome: 'installed', exitCode: 0, changed: true });
  });

  test('a note of each effect stands in the output once, in the order of the work', async () => {
    const { output } = await run({
      preflight: () => ({ kind: 'ready', services: 'live', notes: [note('preflight')] }),
      detect: () => ({ kind: 'existing', notes: [note('detect')] }),
      secrets: () => ({ kind: 'ready', secrets: [], notes: [note('secrets')] }),
      plan: () => planned({ notes: [note('plan')] }),
      verify: () => ({ outcome: 'verified', notes: [note('verify')] }),
    });
    expect(output.notes.map(({ code }) => code)).toEqual([
      'preflight',
      'detect',
      'secrets',
      'plan',
      'verify',
    ]);
  });

  test('the notes of a plan that was asked about are not said twice', async () => {
    const asking = { id: 'rotation', text: 'Go on?', subjects: [] } as const;
    const { output } = await run(
      { plan: () => planned({ questions: [asking], notes: [note('plan')] }) },
      { ask: true, rotate: 'all' },
    );
    expect(output.notes.map(({ code }) => code)).toEqual(['plan']);
  });
});

describe('a failure', () => {
  test('is put back: nothing counts as changed, and what was restored or left is told', async () => {
    const undone = { restored: ['/x'], left: ['/y'] };
    const { output, inputs } = await run({ verify: fails, undo: () => undone });
    expect(output).toMatchObject({ outcome: 'rolledBack', exitCode: 12, changed: false, undone });
    expect(inputs['undo']).toMatchObject([{ reason: { code: 'E_UNHEALTHY' } }]);
  });

  test('with --no-rollback is left as it is: what was changed counts as changed', async () => {
    const { output, inputs } = await run({ verify: fails }, { rollback: false });
    expect(output).toMatchObject({ outcome: 'failed', exitCode: 13, changed: true, undone: null });
    expect(inputs['undo']).toBeUndefined();
  });

  test('of a host on which nothing was changed has nothing to put back', async () => {
    const { output, inputs } = await run({ plan: () => planned({ operations: [] }), verify: fails });
    expect(output).toMatchObject({ outcome: 'failed', exitCode: 13, changed: false });
    expect(inputs['undo']).toBeUndefined();
  });

  test('of the work before the first change is a refusal', async () => {
    for (const name of ['preflight', 'detect', 'secrets', 'plan'] as const) {
      const { output, inputs } = await run({ [name]: fails });
      expect({ name, ...output }).toMatchObject({ name, outcome: 'refused', exitCode: 10, changed: false });
      expect(inputs['write']).toBeUndefined();
    }
  });
});

describe('a purge', () => {
  const removal: Removal = {
    what: 'removeState',
    unit: '/var/lib/private/x',
    how: 'remove',
    because: [],
    owedBy: [],
  };
  const plan = () => planned({ reloads: [removal] });

  test('deletes last of all, once the rest is proven', async () => {
    const { output, states, inputs } = await run({ plan });
    expect(states.slice(-4)).toEqual(['reloading', 'verifying', 'purging', 'installed']);
    expect(inputs).toMatchObject({ reload: [{ reloads: [] }], purge: [{ paths: ['/var/lib/private/x'] }] });
    expect(output).toMatchObject({ outcome: 'installed', changed: true, exitCode: 0 });
  });

  test('that has deleted not all is not put back', async () => {
    const { output, states } = await run({ plan, purge: fails });
    expect(states.slice(-2)).toEqual(['purging', 'failed']);
    expect(output).toMatchObject({
      outcome: 'failed',
      exitCode: 13,
      error: { code: 'E_UNHEALTHY' },
      undone: null,
    });
  });

  test('is not come to where the service does not answer', async () => {
    const { output, states } = await run({ plan, verify: fails });
    expect(states).not.toContain('purging');
    expect(output.outcome).toBe('rolledBack');
  });
});
