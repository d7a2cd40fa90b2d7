/**
 * From what a run records and tells to the frames of its page. A live run and a recorded one go through the same fold:
 * each event through the machine's pure transition, so no effect runs.
 */
import type { JournalRecord } from '../journal/record.ts';
import { firstStep, isThisMachine, nextStep, type RecordedEvent, type Snapshot } from '../machines/replay.ts';
import type { Context, Input } from '../machines/types.ts';
import type { RunEvent } from '../run-events.ts';
import { framesVersion, type EndedFrame, type Frame, type HelloFrame } from './frames.ts';

/** What the records of a run do not say. */
export interface About {
  readonly source: HelloFrame['source'];
  readonly run: string;
  /** null: as far as the run's input names it. */
  readonly product: string | null;
  readonly root: string | null;
  readonly dryRun: boolean | null;
}

export interface Feed {
  /** In the order of the journal. Facts have no frame. */
  record(record: JournalRecord): readonly Frame[];
  /** @param t time of day in UTC, ISO 8601 */
  told(event: RunEvent, t: string): readonly Frame[];
  /** Nothing more comes: the last frame, where the run is known to have ended. */
  finish(): readonly Frame[];
}

type Started = Extract<JournalRecord, { k: 'run.started' }>;
type Ended = Extract<JournalRecord, { k: 'run.ended' }>;

/** Plain JSON from outside may be anything; only its name is wanted. */
function productOf(input: unknown): string | null {
  const request: unknown = (input as { request?: unknown } | null)?.request;
  const name: unknown = (request as { product?: unknown } | null | undefined)?.product;
  return typeof name === 'string' ? name : null;
}

function changedSince(before: Context | null, now: Context): Partial<Context> {
  if (before === null) return now;
  // The machine replaces what it changes, so what is the same object is the same.
  const changed = Object.entries(now).filter(([key, value]) => before[key as keyof Context] !== value);
  return Object.fromEntries(changed);
}

function helloOf(about: About, { t, command, installer, machine, input }: Started): HelloFrame {
  return {
    kind: 'hello',
    v: framesVersion,
    source: about.source,
    run: about.run,
    started: t,
    command,
    installer,
    machine: { id: machine.id, version: machine.version },
    product: about.product ?? productOf(input),
    root: about.root,
    dryRun: about.dryRun,
  };
}

function endedOf({ t, outcome, exitCode, mode, changed, plan, error }: Ended): EndedFrame {
  return { kind: 'ended', t, outcome, exitCode, mode, changed, plan, error };
}

export function createFeed(about: About): Feed {
  let snapshot: Snapshot | null = null;
  let n = 0;
  let ended: EndedFrame | null = null;

  const step = (t: string, event: RecordedEvent, next: Snapshot): Frame => {
    const before = snapshot;
    snapshot = next;
    const frame: Frame = {
      kind: 'step',
      n,
      t,
      event,
      from: before?.value ?? null,
      state: next.value,
      context: changedSince(before?.context ?? null, next.context),
    };
    n += 1;
    return frame;
  };

  return {
    record: (record) => {
      switch (record.k) {
        case 'run.started': {
          const hello = helloOf(about, record);
          if (!isThisMachine(record.machine)) return [hello];
          // Of this machine's version, so its input is the machine's.
          return [hello, step(record.t, { type: 'start' }, firstStep(record.input as Input))];
        }
        case 'event':
          return snapshot === null ? [] : [step(record.t, record.event, nextStep(snapshot, record.event))];
        case 'fact':
          return [];
        case 'run.ended':
          ended = endedOf(record);
          return [];
      }
    },
    told: (event, t) => [{ kind: 'told', t, event }],
    finish: () => (ended === null ? [] : [ended]),
  };
}
