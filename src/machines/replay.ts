/**
 * Folding a recorded run through the machine again: pure, no effect runs.
 *
 * Never by sending events to a live actor, which would run the effects a second time.
 */
import { initialTransition, transition, type SnapshotFrom } from 'xstate';
import { installerMachine, machineVersion } from './installer.ts';
import type { Input } from './types.ts';

/** A root event as it stands in the journal: allow-listed fields only. */
export interface RecordedEvent {
  readonly type: string;
  readonly actorId?: string;
  readonly output?: unknown;
  readonly error?: unknown;
  readonly signal?: string;
}

/** A state of the installer's machine. */
export type Snapshot = SnapshotFrom<typeof installerMachine>;

/** Can the events of a run of that machine be folded through this one? */
export const isThisMachine = ({ id, version }: { readonly id: string; readonly version: string }): boolean =>
  id === installerMachine.id && version === machineVersion;

/** Where a run with this input begins. */
export const firstStep = (input: Input): Snapshot => initialTransition(installerMachine, input)[0];

/** Where an event leads. */
export const nextStep = (snapshot: Snapshot, event: RecordedEvent): Snapshot =>
  // Done and error events of actors are not in the machine's event union; this is the one place that needs them.
  transition(installerMachine, snapshot, event as never)[0];

/** The state before the first event and after each one, in order. */
export function* replaySteps(input: Input, events: Iterable<RecordedEvent>): Generator<Snapshot> {
  let snapshot = firstStep(input);
  yield snapshot;
  for (const event of events) {
    snapshot = nextStep(snapshot, event);
    yield snapshot;
  }
}

/** The state that the run was in after its last recorded event. */
export function replay(input: Input, events: Iterable<RecordedEvent>): Snapshot {
  let last: Snapshot | undefined;
  for (const snapshot of replaySteps(input, events)) last = snapshot;
  return last!;
}
