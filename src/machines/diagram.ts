/** The machine as lists: what is drawn and documented follows from them. */
import { installerMachine } from './installer.ts';

/** A way from one state to the next, for people. */
export interface Transition {
  readonly from: string;
  readonly event: string;
  readonly to: string;
  /** Which of several ways of the same event this is; empty where there is but one. */
  readonly note: string;
  /** When it is taken, in words. */
  readonly description: string;
}

/** A state of the machine, for people. */
export interface StateSummary {
  readonly name: string;
  readonly description: string;
  readonly final: boolean;
  readonly actor: string | null;
}

/** The states of the machine in their order, with what each one does. */
export function stateSummaries(): StateSummary[] {
  return Object.values(installerMachine.states).map((state) => ({
    name: state.key,
    description: state.description!,
    final: state.type === 'final',
    actor: state.invoke[0]?.id ?? null,
  }));
}

/** `done` and `error` instead of the long names of xstate, which hold the actor's id that the state shows anyway. */
export function shortEvent(eventType: string): string {
  if (eventType.startsWith('xstate.done.actor.')) return 'done';
  if (eventType.startsWith('xstate.error.actor.')) return 'error';
  return eventType;
}

/** The transitions of the machine; of several for one event the first whose guard holds is taken. */
export function transitions(): Transition[] {
  return Object.values(installerMachine.states).flatMap((state) =>
    [...state.transitions.values()].flat().map((way) => ({
      from: state.key,
      event: shortEvent(way.eventType),
      to: way.target?.[0]?.key ?? state.key,
      note: guardName(way.guard),
      description: way.description!,
    })),
  );
}

/** Guards of this machine are names, or names with parameters. */
const guardName = (guard: unknown): string =>
  typeof guard === 'string' ? guard : ((guard as { readonly type: string } | undefined)?.type ?? '');
