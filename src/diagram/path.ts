/** The way that a recorded run took through the machine. */
import { shortEvent } from '../machines/diagram.ts';
import { replaySteps, type RecordedEvent } from '../machines/replay.ts';
import type { Input } from '../machines/types.ts';

/** One step of a recorded run. */
export interface PathStep {
  /** From 1, as `replay` numbers them. */
  readonly n: number;
  readonly from: string;
  /** `done`, `error` or `interrupt`. */
  readonly event: string;
  readonly to: string;
}

/** The way that a recorded run took, for marking it in a picture. */
export interface RunPath {
  /** The run's id. */
  readonly run: string;
  readonly steps: readonly PathStep[];
  /** The state that the run was in last. */
  readonly at: string;
  /** How it ended; `underWay` while it goes on, null where it was cut off. */
  readonly outcome: string | null;
}

/** @param events those of the run's journal, which this version of the machine received */
export function pathOf(
  run: string,
  input: Input,
  events: readonly RecordedEvent[],
  outcome: string | null,
): RunPath {
  const states = [...replaySteps(input, events)].map(({ value }) => value);
  const steps = events.map(({ type }, at) => ({
    n: at + 1,
    from: states[at]!,
    event: shortEvent(type),
    to: states[at + 1]!,
  }));
  return { run, steps, at: states.at(-1)!, outcome };
}

/** `2`, `3, 5`, `6–19`. */
export function ranges(numbers: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const n of numbers) {
    const last = parts.at(-1);
    if (last?.[1] === n - 1) last[1] = n;
    else parts.push([n, n]);
  }
  return parts.map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`)).join(', ');
}

/** Numbers of the steps that entered a state; 0 is the start. */
export const entered = ({ steps, at }: RunPath, state: string): readonly number[] => [
  ...((steps[0]?.from ?? at) === state ? [0] : []),
  ...steps.flatMap(({ n, to }) => (to === state ? [n] : [])),
];

/** Numbers of the steps from one state to another. */
export const taken = ({ steps }: RunPath, from: string, to: string): readonly number[] =>
  steps.flatMap((step) => (step.from === from && step.to === to ? [step.n] : []));

/** Did one of these events lead from one state to another? */
export const hasTaken = ({ steps }: RunPath, from: string, to: string, events: readonly string[]): boolean =>
  steps.some((step) => step.from === from && step.to === to && events.includes(step.event));

/** How the run stands, in words. */
export function verdict({ outcome, at, steps }: RunPath): string {
  if (outcome === 'underWay') return `under way: in ${at}, after step ${steps.length}`;
  return outcome === null ? `cut off in ${at}, after step ${steps.length}` : `ended: ${outcome}`;
}
