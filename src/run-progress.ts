/** From what the machine hears and where it is to what is told of it. */
import { reloadsOf, removalsOf } from './machines/guards.ts';
import type { ActorContract, Operation, Plan, Request } from './machines/types.ts';
import type { Product } from './products/product.ts';
import { describePlan } from './render/words.ts';
import type { RunEvent } from './run-events.ts';

/** An event of the root machine: an interrupt, or the end of an actor. */
export interface DoneEvent {
  readonly type: string;
  readonly actorId?: string;
  readonly output?: unknown;
  readonly error?: unknown;
  readonly signal?: string;
}

export interface RunProgress {
  onEvent(event: DoneEvent): readonly RunEvent[];
  onState(state: string): readonly RunEvent[];
}

const changeOf = ({ kind, path, role, action, detail, because }: Operation) => ({
  kind,
  path,
  role,
  action,
  detail: [...detail],
  because,
});

const stepsOf = (steps: Plan['reloads']) =>
  steps.map(({ what, unit, how, because, owedBy }) => ({
    what,
    unit,
    how,
    because: [...because],
    owedBy: [...owedBy],
  }));

export function eventsOf(product: Product, request: Request): RunProgress {
  let plan: Plan | null = null;
  let index = 0;
  let lost = false;

  const planned = (output: ActorContract['plan']['output']): RunEvent[] => {
    if (output.kind !== 'planned') return [];
    plan = output.plan;
    index = 0;
    // A plan that is still to be asked about may change: it is told by the question.
    if (request.ask && plan.questions.some(({ id }) => id === 'settings' || id === 'edits')) return [];
    const operations = plan.operations.map(changeOf);
    const reloads = stepsOf(plan.reloads);
    const changes = describePlan({ operations, reloads }).length;
    return [{ v: 1, type: 'plan', hash: plan.hash, changes, operations, reloads }];
  };

  const reloaded = (
    steps: Plan['reloads'],
    outcome: ActorContract['reload']['output']['outcome'],
  ): RunEvent[] => (plan === null ? [] : [{ v: 1, type: 'reloaded', reloads: stepsOf(steps), outcome }]);

  const done = (actorId: string, output: unknown): RunEvent[] => {
    // The machine has just accepted these outputs under these ids: their types are the actors' contract.
    switch (actorId) {
      case 'detect':
        lost = (output as ActorContract['detect']['output']).kind === 'lost';
        return [];
      case 'generateSecrets':
      case 'loadSecrets':
      case 'rotateSecrets': {
        const secrets = output as ActorContract['secrets']['output'];
        if (secrets.kind !== 'ready' || request.undo !== null) return [];
        return secrets.secrets.map((secret) => ({ v: 1, type: 'secret', ...secret }));
      }
      case 'plan':
        return planned(output as ActorContract['plan']['output']);
      case 'write': {
        const { outcome } = output as ActorContract['write']['output'];
        const operation = plan?.operations[index];
        if (plan === null || operation === undefined) return [];
        const told: RunEvent = {
          v: 1,
          type: 'operation',
          index,
          total: plan.operations.length,
          operation: changeOf(operation),
          outcome,
        };
        index += 1;
        return [told];
      }
      case 'reload': {
        const { outcome } = output as ActorContract['reload']['output'];
        return reloaded(reloadsOf(plan), outcome);
      }
      case 'verify':
        return [{ v: 1, type: 'verified', outcome: (output as ActorContract['verify']['output']).outcome }];
      case 'purge': {
        const { outcome } = output as ActorContract['purge']['output'];
        return reloaded(removalsOf(plan), outcome);
      }
      case 'undo': {
        const { restored, left } = output as ActorContract['undo']['output'];
        return [{ v: 1, type: 'undone', restored: [...restored], left: [...left] }];
      }
      default:
        return [];
    }
  };

  return {
    onEvent: ({ type, actorId, output }) =>
      type.startsWith('xstate.done.actor.')
        ? done(actorId ?? type.slice('xstate.done.actor.'.length), output)
        : [],
    onState: (state) => {
      const told: RunEvent[] = [{ v: 1, type: 'state', state }];
      if (request.undo !== null) return told;
      if (state === 'fresh' || state === 'existing' || state === 'forceRotate') {
        const rotate = typeof request.rotate === 'string' ? [] : [...request.rotate];
        told.push({
          v: 1,
          type: 'mode',
          mode: state,
          envFile: product.envFile,
          rotate,
          lost,
          image: request.image,
        });
      }
      return told;
    },
  };
}
