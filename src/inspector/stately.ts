/**
 * The frames as events of the Stately inspector: made by its own library, so that the protocol is the library's, and
 * sent as its WebSocket adapter sends them, one JSON object a message.
 */
import {
  createInspector,
  type StatelyActorEvent,
  type StatelyEventEvent,
  type StatelyInspectionEvent,
  type StatelySnapshotEvent,
} from '@statelyai/inspect';
import { toJson } from '../diagram/json.ts';
import { installerMachine } from '../machines/installer.ts';
import { outputOf } from '../machines/outcome.ts';
import type { Context, Outcome } from '../machines/types.ts';
import type { Frame, StepFrame } from './frames.ts';

export interface StatelyFeed {
  frame(frame: Frame): readonly StatelyInspectionEvent[];
}

/** A machine that has ended has the same output as its run. */
function statusOf(state: string, context: Context) {
  return installerMachine.states[state as Outcome]?.type === 'final'
    ? { status: 'done' as const, output: outputOf(state as Outcome, context) }
    : { status: 'active' as const };
}

export function createStatelyFeed(): StatelyFeed {
  let session = '';
  let context: Partial<Context> = {};
  let made: StatelyInspectionEvent[] = [];
  let at = '';
  let count = 0;

  /** The library leaves these to actors that really run: whose actor, when, which event. */
  const known = () => {
    count += 1;
    return { rootId: session, id: `${session}:${count}`, createdAt: at };
  };
  const inspector = createInspector({
    send: (event) => {
      if (event.type === '@xstate.actor') {
        const definition = toJson();
        made.push({
          ...event,
          ...known(),
          name: installerMachine.id,
          definition,
        } satisfies StatelyActorEvent);
      } else if (event.type === '@xstate.event') {
        made.push({ ...event, ...known() } satisfies StatelyEventEvent);
      } else {
        made.push({ ...event, ...known() } satisfies StatelySnapshotEvent);
      }
    },
  });

  const step = ({ n, t, event, state, context: changed }: StepFrame): void => {
    at = String(Date.parse(t));
    context = { ...context, ...changed };
    // Folded over all steps it is whole.
    const whole = context as Context;
    const snapshot = { value: state, context: whole, ...statusOf(state, whole) };
    if (n === 0) {
      inspector.actor(session, snapshot);
    } else {
      inspector.event(session, event);
      inspector.snapshot(session, snapshot, { event });
    }
  };

  return {
    frame: (frame) => {
      made = [];
      if (frame.kind === 'hello') session = `${installerMachine.id}:${frame.run}`;
      if (frame.kind === 'step') step(frame);
      return made;
    },
  };
}
