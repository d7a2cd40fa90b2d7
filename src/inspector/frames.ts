/**
 * What the inspector's page is sent: one JSON object a server-sent event, whose id is its position from 0.
 *
 * Every frame is made from what the journal holds (records) or what `--json` prints (run events), so none can hold a
 * secret: neither of the two ever does.
 */
import type { Context } from '../machines/types.ts';
import type { RecordedEvent } from '../machines/replay.ts';
import type { RunEvent } from '../run-events.ts';

/** Changes with every change that a page of the older version would misunderstand. */
export const framesVersion = 1;

/** Always the first frame. */
export interface HelloFrame {
  readonly kind: 'hello';
  readonly v: typeof framesVersion;
  /** A run that is under way in this process, or a recorded one. */
  readonly source: 'live' | 'replay';
  readonly run: string;
  /** Time of day in UTC, ISO 8601, as every `t` below. */
  readonly started: string;
  readonly command: string;
  readonly installer: string;
  readonly machine: { readonly id: string; readonly version: string };
  /** null where the recorded run does not say. */
  readonly product: string | null;
  readonly root: string | null;
  readonly dryRun: boolean | null;
}

/** The machine after an event; the first, of type `start`, tells where it begins. */
export interface StepFrame {
  readonly kind: 'step';
  readonly n: number;
  readonly t: string;
  readonly event: RecordedEvent;
  /** null in the first. */
  readonly from: string | null;
  readonly state: string;
  /** Only what changed since the step before: folded over all steps it is the whole context. */
  readonly context: Partial<Context>;
}

/** Live runs only: what the run tells between the machine's events. */
export interface ToldFrame {
  readonly kind: 'told';
  readonly t: string;
  readonly event: RunEvent;
}

/** Always the last frame of a run that ended; a recorded run that was cut off has none. */
export interface EndedFrame {
  readonly kind: 'ended';
  readonly t: string;
  readonly outcome: string;
  readonly exitCode: number;
  readonly mode: string;
  readonly changed: boolean;
  readonly plan: string | null;
  /** An error's code. */
  readonly error: string | null;
}

export type Frame = HelloFrame | StepFrame | ToldFrame | EndedFrame;
