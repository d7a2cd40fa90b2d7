/** Effects that only answer: a run of the machine that touches nothing and takes no time. */
import type { MachineEffects } from '../machines/provide.ts';
import type { ActorContract, Plan } from '../machines/types.ts';

/** What an effect answers to its first call (1), its second, and so on; it may throw. */
export type EffectsScript = {
  readonly [K in keyof ActorContract]?: (
    call: number,
    input: ActorContract[K]['input'],
  ) => ActorContract[K]['output'] | Promise<ActorContract[K]['output']>;
};

/** A plan of one file to be written, as far as it is not said otherwise. */
export const somePlan = (more: Partial<Plan> = {}): Plan => ({
  hash: '00000000',
  operations: [
    {
      kind: 'writeFile',
      path: '/x',
      role: 'service',
      action: 'create',
      before: null,
      after: null,
      detail: [],
      because: null,
    },
  ],
  reloads: [],
  questions: [],
  notes: [],
  settings: {},
  ...more,
});

/** Everything goes well on an installation that is there. */
const usual: Required<EffectsScript> = {
  preflight: () => ({ kind: 'ready', services: 'live', notes: [] }),
  detect: () => ({ kind: 'existing', notes: [] }),
  secrets: () => ({ kind: 'ready', secrets: [], notes: [] }),
  plan: () => ({ kind: 'planned', plan: somePlan() }),
  confirm: () => ({ kind: 'proceed' }),
  write: () => ({ outcome: 'changed' }),
  reload: () => ({ outcome: 'done', done: [] }),
  verify: () => ({ outcome: 'verified', notes: [] }),
  purge: (_, { paths }) => ({ outcome: 'done', removed: paths }),
  undo: () => ({ restored: [], left: [] }),
};

/**
 * Effects for `withEffects` that answer by this script; what it leaves out goes well on an installation that is there,
 * where one file is to be written.
 */
export function scriptedEffects(script: EffectsScript = {}): MachineEffects {
  const answering = <K extends keyof ActorContract>(name: K) => {
    let calls = 0;
    return async (input: ActorContract[K]['input']): Promise<ActorContract[K]['output']> => {
      calls += 1;
      const answer = script[name] ?? usual[name];
      return answer(calls, input);
    };
  };
  return {
    preflight: answering('preflight'),
    detect: answering('detect'),
    secrets: answering('secrets'),
    plan: answering('plan'),
    confirm: answering('confirm'),
    write: answering('write'),
    reload: answering('reload'),
    verify: answering('verify'),
    purge: answering('purge'),
    undo: answering('undo'),
  };
}
