/**
 * An installation as a child actor of somebody's XState machine.
 *
 * Written by hand rather than by `fromPromise`, which neither hears events (a cancel) nor shows anything before its end.
 * What it is given as input, shows as snapshot and sends is inspected and persisted with its parent, so it is plain and
 * public; what is not (secrets that are supplied, a host, whoever answers questions) is given to `fromInstall` itself.
 */
import type { ActorLogic, AnyActorRef, Snapshot } from 'xstate';
import { InstallerError } from '../errors.ts';
import { heardBy, install, type InstallOptions, type InstallResult } from '../install.ts';
import type { Request, Signal } from '../machines/types.ts';
import { toInternal } from '../run-actor.ts';
import type { RunEvent } from '../run-events.ts';
import { nothingYet, progressed, type InstallProgress } from './progress.ts';

/** Ends the installation as that signal would (default SIGTERM), after putting things back; its outcome then says so. */
export interface CancelInstall {
  readonly type: 'install.cancel';
  readonly signal?: Signal;
}

/** What `tell` is sent for every event of the run. */
export interface InstallTold {
  readonly type: 'install.event';
  /** Id of the actor that installs: a parent may have several. */
  readonly actor: string;
  readonly event: RunEvent;
}

/** What one installation is asked: plain data, as it is inspected and persisted. It wins over what `fromInstall` was given. */
export interface InstallInput extends Pick<InstallOptions, 'root' | 'dryRun' | 'diffs' | 'command'> {
  readonly request?: Partial<Request>;
  /** An actor, `self` of the parent for one, that is sent every event of the run. Not persisted. */
  readonly tell?: { readonly send: (event: InstallTold) => void } | undefined;
}

/** Snapshot of an actor that installs; `output` is the {@link InstallResult} once it is done. */
export type InstallSnapshot = Snapshot<InstallResult> & {
  readonly input: InstallInput | undefined;
  readonly progress: InstallProgress;
};

/** Logic of an actor that installs: it hears {@link CancelInstall}, emits every {@link RunEvent}, and is done with an {@link InstallResult}. */
export interface InstallLogic extends ActorLogic<
  InstallSnapshot,
  CancelInstall,
  InstallInput | undefined,
  AnyActorRef['system'],
  RunEvent
> {
  /** Resolves when no installation that actors of this logic began is under way, those that were stopped included. */
  readonly settled: () => Promise<void>;
}

/** What the actor is told by its own run. */
type FromRun =
  | { readonly type: 'install.told'; readonly event: RunEvent }
  | { readonly type: 'install.ended'; readonly result: InstallResult }
  | { readonly type: 'install.failed'; readonly error: InstallerError };

type Heard = CancelInstall | FromRun | { readonly type: 'xstate.stop' };

const ended = (snapshot: InstallSnapshot) => ({ input: undefined, progress: snapshot.progress });

/** What is done by a run that has been told to end. */
const cancelled = (snapshot: InstallSnapshot, signal: Signal): InstallSnapshot => ({
  ...snapshot,
  progress: { ...snapshot.progress, cancelled: signal },
});

/**
 * Logic for `invoke` and `spawn`. Several actors of it, on different roots, may run at once.
 *
 * Stopping the actor, or its parent, is a cancel whose end nobody hears of: the run begins nothing new and puts back what
 * it changed. `settled()` tells when that is done; a process that ends before leaves the rest to the next run's journal.
 *
 * @param fixed the same for every actor of this logic; not seen by inspectors
 * @returns logic whose actors fail with an `InstallerError` only for bad usage (E_USAGE, E_PATH_UNSAFE, E_ROOT_INVALID) or
 *   a bug (E_INTERNAL); a refusal, a failure and a cancel are outcomes of a result
 */
export function fromInstall(fixed: InstallOptions = {}): InstallLogic {
  const stops = new WeakMap<object, AbortController>();
  const underWay = new Set<Promise<void>>();

  /** One listener that throws does not keep the others from hearing. */
  const alone = (listen: (event: RunEvent) => void) => heardBy(listen, fixed.onBug);

  async function run(
    input: Omit<InstallInput, 'tell'>,
    stop: AbortSignal,
    hear: (event: RunEvent) => void,
  ): Promise<FromRun> {
    try {
      const result = await install({
        ...fixed,
        ...input,
        request: { ...fixed.request, ...input.request },
        onEvent: hear,
        interrupt: fixed.interrupt === undefined ? stop : AbortSignal.any([fixed.interrupt, stop]),
      });
      return { type: 'install.ended', result };
    } catch (error) {
      if (error instanceof InstallerError) return { type: 'install.failed', error };
      fixed.onBug?.(error);
      return { type: 'install.failed', error: toInternal(error) };
    }
  }

  return {
    settled: async () => {
      await Promise.all(underWay);
    },
    getInitialSnapshot: (_, input) => ({
      status: 'active',
      output: undefined,
      error: undefined,
      input,
      progress: nothingYet,
    }),
    // A reference to another actor is none any more when it is read again.
    getPersistedSnapshot: (snapshot) => ({ ...snapshot, input: { ...snapshot.input, tell: undefined } }),
    // One that was active installs again: a run starts from what the host is, and from what an interrupted one owes.
    restoreSnapshot: (persisted) => persisted as InstallSnapshot,
    start: (snapshot, { self, id }) => {
      if (snapshot.status !== 'active') return;
      // Whoever is told is none of the options of `install`.
      const { tell: told, ...input } = snapshot.input ?? {};
      const stop = new AbortController();
      stops.set(self, stop);
      const isActive = (): boolean => self.getSnapshot().status === 'active';
      const whileActive =
        <T>(listen: (value: T) => void) =>
        (value: T): void => {
          // To send to a stopped actor is a warning on the console.
          if (isActive()) listen(value);
        };
      // The run's own events are no part of what others may send.
      const send = whileActive((event: FromRun) => self.send(event as never));
      const tell = whileActive((event: RunEvent) => told?.send({ type: 'install.event', actor: id, event }));
      const listeners = [
        (event: RunEvent) => send({ type: 'install.told', event }),
        alone(tell),
        ...(fixed.onEvent === undefined ? [] : [alone(fixed.onEvent)]),
      ];
      const hear = (event: RunEvent): void => {
        for (const listen of listeners) listen(event);
      };
      const work = run(input, stop.signal, hear).then((end) => {
        underWay.delete(work);
        send(end);
      });
      underWay.add(work);
    },
    transition: (snapshot, event, { self, defer, emit }) => {
      if (snapshot.status !== 'active') return snapshot;
      const heard = event as Heard;
      switch (heard.type) {
        case 'install.cancel':
        case 'xstate.stop': {
          const signal = 'signal' in heard ? (heard.signal ?? 'SIGTERM') : 'SIGTERM';
          // Once the snapshot shows it, so that nobody is told of what a stopped actor's run still does.
          defer(() => stops.get(self)?.abort(signal));
          if (heard.type === 'install.cancel') return cancelled(snapshot, signal);
          return { ...ended(snapshot), status: 'stopped', output: undefined, error: undefined };
        }
        case 'install.told': {
          const told = heard.event;
          // Once the snapshot shows it.
          defer(() => emit(told));
          return { ...snapshot, progress: progressed(snapshot.progress, told) };
        }
        case 'install.ended':
          return { ...ended(snapshot), status: 'done', output: heard.result, error: undefined };
        case 'install.failed':
          return { ...ended(snapshot), status: 'error', output: undefined, error: heard.error };
        default:
          return snapshot;
      }
    },
  };
}
