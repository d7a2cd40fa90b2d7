/** The machine with effects: the ten actors that it leaves open, given as ten functions. */
import { fromPromise } from 'xstate';
import { installerMachine } from './installer.ts';
import type { ActorContract } from './types.ts';

/**
 * The work of each working state, by the name of its actor: what goes in and comes out is the {@link ActorContract}. What
 * a function resolves to is the machine's next event; what it throws is told by its code where it is an `InstallerError`,
 * and is a bug (`E_INTERNAL`) otherwise. All of it is journaled and inspected, so none of it may hold a secret.
 *
 * `signal` aborts when the state is left before the work has ended, as by an interrupt.
 */
export type MachineEffects = {
  readonly [K in keyof ActorContract]: (
    input: ActorContract[K]['input'],
    signal: AbortSignal,
  ) => PromiseLike<ActorContract[K]['output']>;
};

/**
 * The machine with these effects in place of its placeholders.
 *
 * @returns a machine for `createActor(machine, { input: { request } })`
 */
export function withEffects(effects: MachineEffects): typeof installerMachine {
  const actor = <K extends keyof ActorContract>(name: K) =>
    fromPromise<ActorContract[K]['output'], ActorContract[K]['input']>(({ input, signal }) =>
      effects[name](input, signal),
    );
  return installerMachine.provide({
    actors: {
      preflight: actor('preflight'),
      detect: actor('detect'),
      secrets: actor('secrets'),
      plan: actor('plan'),
      confirm: actor('confirm'),
      write: actor('write'),
      reload: actor('reload'),
      verify: actor('verify'),
      purge: actor('purge'),
      undo: actor('undo'),
    },
  });
}
