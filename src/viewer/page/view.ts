/** How the run stood at a position of the log: folded from the frames up to there, so that going back is exact. */
import type { EndedFrame, Frame, HelloFrame, StepFrame, ToldFrame } from '../../inspector/frames.ts';
import type { Context, Note, Plan } from '../../machines/types.ts';
import { isFinal } from './words.ts';

export type Progress =
  | 'waiting'
  | 'underWay'
  | 'changed'
  | 'unchanged'
  | 'predicted'
  | 'deferred'
  | 'failed'
  | 'stopped'
  | 'putBack'
  | 'notMade';

interface Way {
  readonly from: string;
  readonly to: string;
}

export interface View {
  readonly hello: HelloFrame | null;
  readonly step: StepFrame | null;
  readonly state: string | null;
  readonly visited: ReadonlySet<string>;
  /** Transitions taken, in order. */
  readonly taken: readonly Way[];
  readonly context: Partial<Context>;
  readonly plan: Plan | null;
  /** Of each operation of the plan. */
  readonly operations: readonly Progress[];
  readonly reloading: Progress;
  readonly verifying: Progress;
  readonly purging: Progress;
  /** What the run said last that it is doing, since the last step. */
  readonly activity: string | null;
  readonly notes: readonly Note[];
  readonly ended: EndedFrame | null;
}

const outcomes: Readonly<Record<string, Progress>> = {
  changed: 'changed',
  done: 'changed',
  verified: 'changed',
  unchanged: 'unchanged',
  predicted: 'predicted',
  deferred: 'deferred',
};

const outcomeOf = (output: unknown): Progress =>
  output !== null && typeof output === 'object' && 'outcome' in output
    ? (outcomes[String(output.outcome)] ?? 'changed')
    : 'changed';

/** How an event ends what an actor was doing; null where it does not. */
function endOf(actor: string, { type, output }: StepFrame['event']): Progress | null {
  if (type === `xstate.done.actor.${actor}`) return outcomeOf(output);
  if (type === `xstate.error.actor.${actor}`) return 'failed';
  return type === 'interrupt' ? 'stopped' : null;
}

class Folding {
  hello: HelloFrame | null = null;
  step: StepFrame | null = null;
  visited = new Set<string>();
  taken: Way[] = [];
  context: Partial<Context> = {};
  operations: Progress[] = [];
  reloading: Progress = 'waiting';
  verifying: Progress = 'waiting';
  purging: Progress = 'waiting';
  activity: string | null = null;
  told: Note[] = [];
  ended: EndedFrame | null = null;

  take(frame: Frame): void {
    switch (frame.kind) {
      case 'hello':
        this.hello = frame;
        break;
      case 'step':
        this.onStep(frame);
        break;
      case 'told':
        this.onTold(frame.event);
        break;
      case 'ended':
        this.ended = frame;
        this.activity = null;
    }
  }

  private onStep(frame: StepFrame): void {
    const { from, state, event, context } = frame;
    this.step = frame;
    this.activity = null;
    this.visited.add(state);
    if (from !== null) this.taken.push({ from, to: state });
    // What was under way in the state before, by the event that ended it.
    const next = this.context.next ?? 0;
    this.context = { ...this.context, ...context };
    if (from === 'writing') this.operations[next] = endOf('write', event) ?? 'underWay';
    if (from === 'reloading') this.reloading = endOf('reload', event) ?? 'underWay';
    if (from === 'verifying') this.verifying = endOf('verify', event) ?? 'underWay';
    if (from === 'purging') this.purging = endOf('purge', event) ?? 'underWay';
    if (context.plan !== undefined) this.operations = [];
    if (state === 'writing') this.operations[this.context.next ?? 0] = 'underWay';
    if (state === 'reloading') this.reloading = 'underWay';
    if (state === 'verifying') this.verifying = 'underWay';
    if (state === 'purging') this.purging = 'underWay';
  }

  private onTold(event: ToldFrame['event']): void {
    if (event.type === 'activity') this.activity = event.text;
    if (event.type === 'note') this.told.push({ code: event.code, level: event.level, text: event.text });
  }

  /** Of each operation, those too that it did not come to. */
  private progress(plan: Plan | null, over: boolean): Progress[] {
    const restored = this.context.undone?.restored ?? [];
    return (plan?.operations ?? []).map(({ path }, at) => {
      const known = this.operations[at] ?? (over ? 'notMade' : 'waiting');
      const wasMade = known === 'changed' || known === 'failed' || known === 'stopped';
      return wasMade && restored.includes(path) ? 'putBack' : known;
    });
  }

  view(): View {
    const { hello, step, visited, taken, context, activity, ended } = this;
    const state = step?.state ?? null;
    const plan = context.plan ?? null;
    const over = state !== null && (isFinal(state) || state === 'rollingBack');
    const rest = (progress: Progress): Progress => (progress === 'waiting' && over ? 'notMade' : progress);
    const notes = [...(context.notes ?? []), ...this.told];
    return {
      hello,
      step,
      state,
      visited,
      taken,
      context,
      plan,
      operations: this.progress(plan, over),
      reloading: rest(this.reloading),
      verifying: rest(this.verifying),
      purging: rest(this.purging),
      activity,
      // The run tells at its end again what the machine has noted.
      notes: notes.filter(
        ({ code, text }, at) => notes.findIndex((other) => other.code === code && other.text === text) === at,
      ),
      ended,
    };
  }
}

/** @param cursor position of the last frame that counts */
export function viewAt(frames: readonly Frame[], cursor: number): View {
  const folding = new Folding();
  for (const frame of frames.slice(0, cursor + 1)) folding.take(frame);
  return folding.view();
}
