/** How far a run is, folded from what it tells. */
import type { Mode, Signal } from '../machines/types.ts';
import type { RunEvent } from '../run-events.ts';

/** How far an installation is: what a parent shows of it. Plain and public. */
export interface InstallProgress {
  /** State of the installer's machine; null before it has begun. */
  readonly state: string | null;
  readonly mode: Mode | null;
  /** Hash of the plan; null as long as there is none. */
  readonly plan: string | null;
  /** Operations of the plan that are done, of how many. */
  readonly operations: { readonly done: number; readonly total: number };
  /** What it was told to end by; null where it was not. */
  readonly cancelled: Signal | null;
}

export const nothingYet: InstallProgress = {
  state: null,
  mode: null,
  plan: null,
  operations: { done: 0, total: 0 },
  cancelled: null,
};

/** The progress after one more event of the run. */
export function progressed(progress: InstallProgress, event: RunEvent): InstallProgress {
  switch (event.type) {
    // A run that is restored begins again.
    case 'run':
      return { ...nothingYet, cancelled: progress.cancelled };
    case 'state':
      return { ...progress, state: event.state };
    case 'mode':
      return { ...progress, mode: event.mode };
    case 'plan':
      return { ...progress, plan: event.hash, operations: { done: 0, total: event.operations.length } };
    case 'operation':
      return { ...progress, operations: { done: event.index + 1, total: event.total } };
    default:
      return progress;
  }
}
