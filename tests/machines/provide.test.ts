/** The machine's actors: those that are given do the work, and those that are not fail it. */
import { createActor, type AnyActorLogic } from 'xstate';
import { describe, expect, test } from 'vitest';
import { installerMachine } from '../../src/machines/installer.ts';
import { withEffects, type MachineEffects } from '../../src/machines/provide.ts';
import { scriptedEffects } from '../../src/testing.ts';

const names = Object.keys(scriptedEffects()) as (keyof MachineEffects)[];

const logicOf = (machine: typeof installerMachine, name: string): AnyActorLogic =>
  (machine.implementations.actors as unknown as Record<string, AnyActorLogic>)[name]!;

/** What an actor by itself gives back; what it throws, where it fails. */
const resultOf = (logic: AnyActorLogic, input?: unknown): Promise<unknown> =>
  new Promise((resolve) => {
    const actor = createActor(logic, { input });
    actor.subscribe({
      error: (error) => resolve(String(error)),
      complete: () => resolve((actor.getSnapshot() as { output?: unknown }).output),
    });
    actor.start();
  });

describe.each(names)('the actor %s', (name) => {
  test('that is not given fails, and says which it is', async () => {
    expect(await resultOf(logicOf(installerMachine, name))).toBe(
      `Error: The effect '${name}' was not provided.`,
    );
  });

  test('that is given gets what it is asked, and its answer is the result', async () => {
    const others = Object.fromEntries(names.map((each) => [each, () => Promise.reject(new Error(each))]));
    const effects = {
      ...others,
      [name]: (input: unknown, signal: AbortSignal) => Promise.resolve({ input, aborted: signal.aborted }),
    } as unknown as MachineEffects;
    expect(await resultOf(logicOf(withEffects(effects), name), { for: name })).toEqual({
      input: { for: name },
      aborted: false,
    });
  });
});

test('an effect that is under way when its state is left is told so', async () => {
  const signals: AbortSignal[] = [];
  const effects: MachineEffects = {
    ...scriptedEffects(),
    preflight: (_, signal) => {
      signals.push(signal);
      return new Promise(() => undefined);
    },
  };
  const installer = createActor(withEffects(effects), { input: { request: {} as never } });
  const ended = new Promise<void>((resolve) => installer.subscribe({ complete: resolve }));
  installer.start();
  expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  installer.send({ type: 'interrupt', signal: 'SIGINT' });
  await ended;
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
});
