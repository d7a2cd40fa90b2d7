/**
 * The imperative shell: one host, its effects, the machine, the journal. Everything a program needs to run an
 * installation, and the one place where these meet.
 */
import { randomBytes } from 'node:crypto';
import { createActor, fromPromise } from 'xstate';
import { createEffects, type Effects } from './effects/index.ts';
import { createDryRunHost } from './effects/host/dry-run.ts';
import type { Host } from './effects/host/port.ts';
import { createRealHost } from './effects/host/real.ts';
import { createScope, type Asker, type Progress } from './effects/scope.ts';
import { InstallerError, toPublicError } from './errors.ts';
import { installerMachine, machineVersion } from './machines/installer.ts';
import type { ActorContract, Output, Request, Signal } from './machines/types.ts';
import { mcpOauthProxy } from './products/mcp-oauth-proxy/index.ts';
import type { Product } from './products/product.ts';
import type { RunEvent } from './run-events.ts';
import { eventsOf, type DoneEvent } from './run-progress.ts';
import { Session } from './session.ts';
import { version } from './version.ts';
import type { JournalRecord } from './journal/record.ts';

export interface InstallOptions {
  readonly product?: Product;
  readonly request?: Partial<Request>;
  /** `/`, or an existing directory that stands for it. */
  readonly root?: string;
  /** Predict, change nothing. */
  readonly dryRun?: boolean;
  /** Instead of the host below `root`: the memory host, or one of your own. The journal then stays in memory. */
  readonly host?: Host;
  /** Values of secrets that the user supplies, by name. */
  readonly supplied?: ReadonlyMap<string, string>;
  /** Code to install instead of the bundled one; goes with `request.source: 'file'`. */
  readonly source?: Uint8Array;
  /** Answers questions; goes with `request.ask`. */
  readonly asker?: Asker;
  /** Name of the command, for the journal. */
  readonly command?: string;
  /** What to type to get root, for an error's remedy. */
  readonly sudoCommand?: string;
  readonly onEvent?: (event: RunEvent) => void;
  /** Shows unified diffs of text files that change. */
  readonly diffs?: boolean;
  /** Hears of errors that are bugs; what is told to everybody else names them only. */
  readonly onBug?: (error: unknown) => void;
  /** Ends the run as that signal would, after putting things back; its reason is the signal's name. */
  readonly interrupt?: AbortSignal;
}

export interface InstallResult {
  readonly output: Output;
  /** Id of the run's journal on disk; null where none was written. */
  readonly run: string | null;
  readonly records: readonly JournalRecord[];
}

export const plainRequest: Request = {
  product: mcpOauthProxy.name,
  rotate: 'none',
  settings: {},
  unset: [],
  supplied: [],
  source: 'kept',
  edits: 'refuse',
  ask: false,
  packages: true,
  start: true,
  rollback: true,
  checks: true,
  downgrade: false,
};

const signals: readonly Signal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

function provide(effects: Effects, onBug: (error: unknown) => void) {
  const actor = <K extends keyof ActorContract>(name: K) =>
    fromPromise<ActorContract[K]['output'], ActorContract[K]['input']>(async ({ input }) => {
      try {
        return await effects[name](input);
      } catch (error) {
        if (error instanceof InstallerError) throw error;
        // Whatever it says may repeat an argument or a file: only its kind goes on.
        onBug(error);
        throw new InstallerError('E_INTERNAL', { why: toPublicError(error).message }, error);
      }
    });
  return installerMachine.provide({
    actors: {
      preflight: actor('preflight'),
      detect: actor('detect'),
      secrets: actor('secrets'),
      plan: actor('plan'),
      confirm: actor('confirm'),
      write: actor('write'),
      reload: actor('reload'),
      verify: actor('verify'),
      undo: actor('undo'),
    },
  });
}

interface Run {
  readonly session: Session;
  readonly effects: Effects;
  readonly request: Request;
}

async function prepare(options: InstallOptions): Promise<Run> {
  const product = options.product ?? mcpOauthProxy;
  const request: Request = { ...plainRequest, product: product.name, ...options.request };
  const root = options.root ?? '/';
  const dryRun = options.dryRun ?? false;
  const emit = options.onEvent ?? (() => undefined);
  const wantsDiffs = (dryRun || options.diffs === true) && options.onEvent !== undefined;
  const differ = wantsDiffs ? await import('diff') : null;

  const real: Host = options.host ?? createRealHost({ root, beforeChange: () => session.beforeChange() });
  const session: Session = new Session({
    trust: { root, owner: real.owner },
    inMemory: dryRun || options.host !== undefined,
    machine: { id: installerMachine.id, version: machineVersion },
    installer: version,
    command: options.command ?? 'install',
    input: { request },
    service: product.service,
  });
  const notify = (progress: Progress): void => {
    if (progress.type === 'activity') emit({ v: 1, type: 'activity', text: progress.text });
    else if (differ !== null) {
      for (const { path, before, after } of progress.changes) {
        const diff = differ.createTwoFilesPatch(path, path, before, after, undefined, undefined, {
          context: 3,
        });
        emit({ v: 1, type: 'diff', path, diff: diff.replace(/^Index:.*\n=+\n/u, '') });
      }
    }
  };
  const scope = createScope({
    host: dryRun ? createDryRunHost(real) : real,
    product,
    version,
    lastVersion: session.remembered.lastVersion,
    memory: () => session.journal.memory,
    record: (fact) => session.journal.fact(fact),
    backup: async (bytes) => {
      await session.beforeChange();
      return session.journal.backup(bytes);
    },
    notify,
    beforeChange: () => session.beforeChange(),
    lock: () => session.lock,
    fingerprint: (value) => session.fingerprint(value),
    randomBytes: (count) => randomBytes(count),
    supplied: options.supplied ?? new Map(),
    source: options.source ?? null,
    asker: options.asker ?? null,
    mustOwn: !dryRun && (process.geteuid?.() ?? 0) !== 0 && options.host === undefined,
    sudoCommand: options.sudoCommand ?? 'sudo mcp-installer',
  });
  emit({
    v: 1,
    type: 'run',
    command: options.command ?? 'install',
    installer: version,
    product: product.name,
    root,
    dryRun,
  });
  for (const { run, why } of session.remembered.damaged) {
    const text = `The journal of run ${run} is damaged (${why}); a restart counts as owed.`;
    emit({ v: 1, type: 'note', code: 'journal-damaged', level: 'warning', text });
  }
  if (session.remembered.unfinished !== null) {
    const text = `Run ${session.remembered.unfinished} was interrupted before it ended; this one finishes what it left.`;
    emit({ v: 1, type: 'note', code: 'run-unfinished', level: 'warning', text });
  }
  const effects = createEffects(scope);
  return {
    session,
    request,
    effects: {
      ...effects,
      undo: (input) => {
        session.lenient = true;
        return effects.undo(input);
      },
    },
  };
}

function follow({ session, effects, request }: Run, options: InstallOptions): Promise<Output> {
  const emit = options.onEvent ?? (() => undefined);
  const product = options.product ?? mcpOauthProxy;
  const progress = eventsOf(product, request);
  let root: string | null = null;
  const actor = createActor(provide(effects, options.onBug ?? (() => undefined)), {
    input: { request },
    inspect: (inspection) => {
      root ??= inspection.rootId;
      if (inspection.type !== '@xstate.event' || inspection.actorRef.sessionId !== root) return;
      const event = inspection.event as DoneEvent;
      if (event.type === 'xstate.init' || event.type === 'xstate.stop') return;
      session.journal.event({
        type: event.type,
        ...(event.actorId === undefined ? {} : { actorId: event.actorId }),
        ...('output' in event ? { output: event.output } : {}),
        ...('error' in event ? { error: toPublicError(event.error) } : {}),
        ...(event.signal === undefined ? {} : { signal: event.signal }),
      });
      for (const told of progress.onEvent(event)) emit(told);
    },
  });
  let state: string | null = null;
  actor.subscribe((snapshot) => {
    const { value } = snapshot;
    if (value !== state) for (const told of progress.onState(value)) emit(told);
    state = value;
  });
  const interrupt = (): void => {
    const reason: unknown = options.interrupt?.reason;
    actor.send({ type: 'interrupt', signal: signals.find((signal) => signal === reason) ?? 'SIGTERM' });
  };
  return new Promise((resolve, reject) => {
    actor.subscribe({
      complete: () => resolve(actor.getSnapshot().output!),
      error: reject,
    });
    actor.start();
    if (options.interrupt?.aborted === true) interrupt();
    else options.interrupt?.addEventListener('abort', interrupt, { once: true });
  });
}

/**
 * Installs, or, with `dryRun`, predicts an installation.
 *
 * @returns how it ended; a refusal or a failure is a result, not an exception
 * @throws InstallerError E_PATH_UNSAFE, E_ROOT_INVALID where not even the journal can be looked for
 */
export async function install(options: InstallOptions = {}): Promise<InstallResult> {
  const emit = options.onEvent ?? (() => undefined);
  const run = await prepare(options);
  const output = await follow(run, options);
  for (const { code, level, text } of output.notes) emit({ v: 1, type: 'note', code, level, text });
  let id: string | null = null;
  try {
    id = await run.session.end({
      outcome: output.outcome,
      exitCode: output.exitCode,
      mode: output.mode,
      changed: output.changed,
      plan: output.plan?.hash ?? null,
      error: output.error?.code ?? null,
    });
  } catch (error) {
    // What happened has happened: the run keeps its result, and the missing record is told.
    const { message } = toPublicError(error);
    emit({ v: 1, type: 'note', code: 'journal-incomplete', level: 'warning', text: message });
  }
  return { output, run: id, records: run.session.journal.records };
}
