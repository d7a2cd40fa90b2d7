/**
 * The imperative shell: one host, its effects, the machine, the journal. Everything a program needs to run an
 * installation, and the one place where these meet.
 */
import { randomBytes } from 'node:crypto';
import { createEffects, type Effects } from './effects/index.ts';
import { createDryRunHost } from './effects/host/dry-run.ts';
import type { Host } from './effects/host/port.ts';
import { createRealHost } from './effects/host/real.ts';
import { createStoppableHost, type StoppableHost } from './effects/host/stoppable.ts';
import { createUnsynced } from './effects/host/unsynced.ts';
import { undoingEffects } from './effects/undoing/index.ts';
import { loadDiffer } from './diffs.ts';
import { createScope, type Asker, type Progress } from './effects/scope.ts';
import { toPublicError } from './errors.ts';
import { mustBeInstallOptions } from './judge-options.ts';
import type { JournalRecord } from './journal/record.ts';
import { installerMachine, machineVersion } from './machines/installer.ts';
import type { Output, Request } from './machines/types.ts';
import { mcpOauthProxy } from './products/mcp-oauth-proxy/index.ts';
import type { Product } from './products/product.ts';
import { pruneAfterRun } from './prune.ts';
import { requestOf, type Asked } from './request.ts';
import { runActor } from './run-actor.ts';
import type { RunEvent } from './run-events.ts';
import { eventsOf } from './run-progress.ts';
import { Session } from './session.ts';
import { version } from './version.ts';

/**
 * What to install, where, and who hears of it. Everything is optional: without any option it is an installation of
 * the shipped product on this host.
 */
export interface InstallOptions extends Asked {
  /** What to install; `mcpOauthProxy` without this. */
  readonly product?: Product;
  /** `/`, or an existing directory that stands for it. */
  readonly root?: string;
  /** Predict, change nothing. */
  readonly dryRun?: boolean;
  /** Instead of the host below `root`: the memory host, or one of your own. The journal then stays in memory. */
  readonly host?: Host;
  /** Answers questions; goes with `request.ask`. */
  readonly asker?: Asker;
  /** Name of the command, for the journal. */
  readonly command?: string;
  /** What to type to get root, for an error's remedy. */
  readonly sudoCommand?: string;
  /** Hears everything that the run tells. Where it throws it hears no more; the run goes on, and `onBug` is told. */
  readonly onEvent?: (event: RunEvent) => void;
  /**
   * Hears every record of the run's journal as it is made, with the run's id, whether it goes to disk or not. Where it
   * throws it hears no more; the run goes on, and `onBug` is told.
   */
  readonly onRecord?: (record: JournalRecord, run: string) => void;
  /** Shows unified diffs of text files that change. */
  readonly diffs?: boolean;
  /** Hears of errors that are bugs; what is told to everybody else names them only. */
  readonly onBug?: (error: unknown) => void;
  /** Ends the run as that signal would, after putting things back; its reason is the signal's name. */
  readonly interrupt?: AbortSignal;
}

/** How a run ended, and its journal. */
export interface InstallResult {
  /** Outcome, exit code, error, notes, plan. With `dryRun` the outcome is the one that a real run is predicted to have. */
  readonly output: Output;
  /** Id of the run's journal on disk; null where none was written, as by a dry run or with `host`. */
  readonly run: string | null;
  /** The run's journal, written or not. */
  readonly records: readonly JournalRecord[];
}

type Emit = (event: RunEvent) => void;

/** Somebody who cannot listen any more must not end a run half way. */
export function heardBy<T extends readonly unknown[]>(
  listener: ((...told: T) => void) | undefined,
  onBug: InstallOptions['onBug'],
): (...told: T) => void {
  let listening = listener !== undefined;
  return (...told) => {
    if (!listening) return;
    try {
      listener?.(...told);
    } catch (error) {
      listening = false;
      onBug?.(error);
    }
  };
}

/** What earlier runs left to be told before this one begins. */
function tellOfEarlierRuns(session: Session, product: string, dryRun: boolean, emit: Emit): void {
  // A run that is under way is not one that was interrupted.
  if (session.lock === 'busy') return;
  const { damaged, unfinished, torn, memory } = session.remembered;
  const warn = (code: string, text: string): void =>
    emit({ v: 1, type: 'note', code, level: 'warning', text });
  for (const { run, why } of damaged)
    warn('journal-damaged', `The journal of run ${run} is damaged (${why}); a restart counts as owed.`);
  if (torn !== null)
    warn('journal-torn', `The last record of run ${torn} was cut off, as by a power cut; it is left out.`);
  if (unfinished === null) return;
  if (memory.product !== null && memory.product !== product) {
    const words = `Run ${unfinished}, of ${memory.product}, was interrupted before it ended; the next run of ${memory.product} finishes what it left.`;
    warn('run-unfinished', words);
    return;
  }
  const words = dryRun ? 'an installation would finish' : 'this one finishes';
  warn('run-unfinished', `Run ${unfinished} was interrupted before it ended; ${words} what it left.`);
}

async function notifier(options: InstallOptions, emit: Emit): Promise<(progress: Progress) => void> {
  const wantsDiffs = (options.dryRun === true || options.diffs === true) && options.onEvent !== undefined;
  const differ = wantsDiffs ? await loadDiffer() : null;
  return (progress) => {
    if (progress.type === 'activity') emit({ v: 1, type: 'activity', text: progress.text });
    if (progress.type === 'activity' || differ === null) return;
    const changing = progress.changes.filter(({ kept }) => kept !== true);
    for (const { path, diff } of differ(changing)) emit({ v: 1, type: 'diff', path, diff });
  };
}

interface Run {
  readonly session: Session;
  readonly effects: Effects;
  readonly host: StoppableHost;
}

async function prepare(
  options: InstallOptions,
  product: Product,
  request: Request,
  emit: Emit,
): Promise<Run> {
  const root = options.root ?? '/';
  const dryRun = options.dryRun ?? false;
  const unsynced = createUnsynced();
  const real: Host =
    options.host ?? createRealHost({ root, beforeChange: () => session.beforeChange(), unsynced });
  const session: Session = new Session({
    trust: { root, owner: real.owner },
    // Another host than the one below `root` has nothing to do with the journal there.
    journal: options.host !== undefined ? 'none' : dryRun ? 'read' : 'written',
    machine: { id: installerMachine.id, version: machineVersion },
    installer: version,
    command: options.command ?? 'install',
    keepsKey: !request.image,
    founds: request.undo === null,
    unsynced,
    input: { request },
    product,
    onRecord: heardBy(options.onRecord, options.onBug),
  });
  const host = createStoppableHost(dryRun ? createDryRunHost(real) : real);
  const scope = createScope({
    host: host.host,
    product,
    version,
    memory: () => session.journal.memory,
    record: (fact) => session.journal.fact(fact),
    backup: async (bytes, suffix) => {
      await session.beforeChange();
      return session.journal.backup(bytes, suffix);
    },
    notify: await notifier(options, emit),
    beforeChange: () => session.beforeChange(),
    lock: () => session.lock,
    past: () => session.past(),
    journalsBeside: () => session.journalsBeside(),
    fingerprint: (value) => session.fingerprint(value),
    randomBytes: (count) => randomBytes(count),
    supplied: options.supplied ?? new Map(),
    source: options.source ?? null,
    asker: options.asker ?? null,
    mustOwn: !dryRun && (process.geteuid?.() ?? 0) !== 0 && options.host === undefined,
    sudoCommand: options.sudoCommand ?? 'sudo mcp-installer',
  });
  const command = options.command ?? 'install';
  emit({ v: 1, type: 'run', command, installer: version, product: product.name, root, dryRun });
  tellOfEarlierRuns(session, product.name, dryRun, emit);
  const installing = createEffects(scope);
  const effects = request.undo === null ? installing : { ...installing, ...undoingEffects(scope) };
  return {
    session,
    host,
    effects: {
      ...effects,
      undo: (input) => {
        session.lenient = true;
        return effects.undo(input);
      },
    },
  };
}

/** @returns the id of the journal on disk; null where none was written */
async function endSession(session: Session, output: Output, emit: Emit): Promise<string | null> {
  try {
    return await session.end({
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
    return null;
  }
}

/**
 * Installs, or, with `dryRun`, predicts an installation.
 *
 * @returns how it ended; a refusal or a failure is a result, not an exception
 * @throws InstallerError E_USAGE for options that are unknown, of a wrong type, or contradict each other or the product; E_PATH_UNSAFE, E_ROOT_INVALID
 *   where not even the journal can be looked for
 */
export async function install(options: InstallOptions = {}): Promise<InstallResult> {
  mustBeInstallOptions(options);
  const product = options.product ?? mcpOauthProxy;
  const request = requestOf(options, product);
  const emit = heardBy(options.onEvent, options.onBug);
  const { session, effects, host } = await prepare(options, product, request, emit);
  try {
    const output = await runActor({
      effects,
      host,
      request,
      progress: eventsOf(product, request),
      record: (event) => session.journal.event(event),
      emit,
      onBug: options.onBug ?? (() => undefined),
      interrupt: options.interrupt,
    });
    for (const { code, level, text } of output.notes) emit({ v: 1, type: 'note', code, level, text });
    const run = await endSession(session, output, emit);
    pruneAfterRun(session.copiesIn, emit);
    return { output, run, records: session.journal.records };
  } finally {
    session.close();
  }
}
