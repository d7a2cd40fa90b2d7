/** The machine with the effects of one run as its actors: what it hears is journaled and told, what it leaves is stopped. */
import { setImmediate as turn } from 'node:timers/promises';
import { createActor } from 'xstate';
import type { StoppableHost } from './effects/host/stoppable.ts';
import type { Effects } from './effects/index.ts';
import { InstallerError, toPublicError } from './errors.ts';
import type { EventRecord } from './journal/record.ts';
import { withEffects } from './machines/provide.ts';
import type { ActorContract, Output, Request, Signal } from './machines/types.ts';
import type { DoneEvent, RunProgress } from './run-progress.ts';
import type { RunEvent } from './run-events.ts';

export interface RunActorOptions {
  readonly effects: Effects;
  readonly host: StoppableHost;
  readonly request: Request;
  readonly progress: RunProgress;
  /** Every event of the root machine, before it is handled. */
  readonly record: (event: EventRecord['event']) => void;
  readonly emit: (event: RunEvent) => void;
  readonly onBug: (error: unknown) => void;
  readonly interrupt: AbortSignal | undefined;
}

/** What the effects are doing. It ends with the state that asked for it, except a change that is under way. */
class Work {
  private readonly underWay = new Set<Promise<unknown>>();
  private readonly host: StoppableHost;

  constructor(host: StoppableHost) {
    this.host = host;
  }

  async run<T>(signal: AbortSignal, effect: () => Promise<T>): Promise<T> {
    const stop = (): void => this.host.stop();
    signal.addEventListener('abort', stop, { once: true });
    // Effects that never wait would keep everybody else waiting: signals, whoever watches, other work of this process.
    const work = turn().then(() => {
      // Nobody hears of this error: whoever was asking has been stopped.
      if (signal.aborted) throw new InstallerError('E_INTERRUPTED', { signal: 'a signal' });
      return effect();
    });
    this.underWay.add(work);
    try {
      return await work;
    } finally {
      signal.removeEventListener('abort', stop);
      this.underWay.delete(work);
    }
  }

  /** Nothing is being done any more. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.underWay);
  }
}

function provide({ effects, host, onBug }: RunActorOptions, work: Work) {
  const known = async <T>(effect: () => Promise<T>): Promise<T> => {
    try {
      return await effect();
    } catch (error) {
      if (error instanceof InstallerError) throw error;
      // Whatever it says may repeat an argument or a file: only its kind goes on.
      onBug(error);
      throw toInternal(error);
    }
  };
  const stoppable =
    <K extends keyof ActorContract>(name: K) =>
    (input: ActorContract[K]['input'], signal: AbortSignal) =>
      work.run(signal, () => known(() => effects[name](input)));
  return withEffects({
    preflight: stoppable('preflight'),
    detect: stoppable('detect'),
    secrets: stoppable('secrets'),
    plan: stoppable('plan'),
    // A question is not waited for: whoever asks hears of the interrupt as we do.
    confirm: (input) => known(() => effects.confirm(input)),
    write: stoppable('write'),
    reload: stoppable('reload'),
    verify: stoppable('verify'),
    purge: stoppable('purge'),
    undo: async (input) => {
      await work.ended();
      host.resume();
      return known(() => effects.undo(input));
    },
  });
}

/** A bug by its kind: whatever it says may repeat an argument or a file. */
export const toInternal = (error: unknown): InstallerError =>
  new InstallerError(
    'E_INTERNAL',
    { why: error instanceof Error ? `an unexpected ${error.name}` : typeof error },
    error,
  );

/** Allow-listed fields only; errors by their public face. */
function recordOf(event: DoneEvent): EventRecord['event'] {
  return {
    type: event.type,
    ...(event.actorId === undefined ? {} : { actorId: event.actorId }),
    ...('output' in event ? { output: event.output } : {}),
    ...('error' in event ? { error: toPublicError(event.error) } : {}),
    ...(event.signal === undefined ? {} : { signal: event.signal }),
  };
}

const signals: readonly Signal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Runs the machine to its end; resolves when its effects have ended too. */
export async function runActor(options: RunActorOptions): Promise<Output> {
  const { request, progress, record, emit, interrupt } = options;
  const work = new Work(options.host);
  let root: string | null = null;
  const actor = createActor(provide(options, work), {
    input: { request },
    inspect: (inspection) => {
      root ??= inspection.rootId;
      if (inspection.type !== '@xstate.event' || inspection.actorRef.sessionId !== root) return;
      const event = inspection.event as DoneEvent;
      if (event.type === 'xstate.init' || event.type === 'xstate.stop') return;
      record(recordOf(event));
      for (const told of progress.onEvent(event)) emit(told);
    },
  });
  let state: string | null = null;
  actor.subscribe((snapshot) => {
    const { value } = snapshot;
    if (value !== state) for (const told of progress.onState(value)) emit(told);
    state = value;
  });
  const send = (): void => {
    const reason: unknown = interrupt?.reason;
    actor.send({ type: 'interrupt', signal: signals.find((signal) => signal === reason) ?? 'SIGTERM' });
  };
  const output = await new Promise<Output>((resolve, reject) => {
    actor.subscribe({ complete: () => resolve(actor.getSnapshot().output!), error: reject });
    actor.start();
    if (interrupt?.aborted === true) send();
    else interrupt?.addEventListener('abort', send, { once: true });
  });
  interrupt?.removeEventListener('abort', send);
  await work.ended();
  return output;
}
