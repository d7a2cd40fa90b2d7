/**
 * The journal of one run as the effects see it: opened and locked at the start, on disk from the first change on.
 *
 * A run that changes nothing writes its journal at its end, and only where a journal exists already or where it
 * succeeded; one that is refused for bad usage, or because another is under way, writes nothing.
 */
import {
  createJournalHome,
  openJournalHome,
  openReadableJournalHome,
  type JournalHome,
} from './journal-home.ts';
import type { Trust } from './effects/host/resolve.ts';
import type { LockState, Past } from './effects/scope.ts';
import { InstallerError } from './errors.ts';
import { memoryFor, type Memory } from './facts.ts';
import { removeLeftovers } from './journal/files.ts';
import { openFingerprints, type Fingerprints } from './journal/fingerprint.ts';
import { Journal } from './journal/journal.ts';
import { probeLock, takeLock, type Lock } from './journal/lock.ts';
import {
  factsOf,
  findRun,
  readBackup,
  readMemory,
  readRun,
  runIds,
  type Remembered,
} from './journal/reader.ts';
import { pastRuns, type PastRun } from './past.ts';
import type { JournalRecord, RunEnded } from './journal/record.ts';
import type { Product } from './products/product.ts';

export interface SessionOptions {
  readonly trust: Trust;
  /** `read`: kept in memory, on top of what is on disk (a dry run, `status`); `none`: the disk is not looked at. */
  readonly journal: 'written' | 'read' | 'none';
  readonly machine: { readonly id: string; readonly version: string };
  readonly installer: string;
  readonly command: string;
  readonly input: unknown;
  readonly product: Pick<Product, 'name' | 'service' | 'envFile'>;
  /** May a run that changed nothing make the journal's directory, to say that all is as it should be? */
  readonly founds: boolean;
  /** Hears every record as it is made. It must not throw. */
  readonly onRecord?: (record: JournalRecord, run: string) => void;
}

/**
 * What a damaged journal may have known of is done again, whichever product it was about: a restart too many is better
 * than one too few.
 */
function withDamage(memory: Memory, damaged: Remembered['damaged']): Memory {
  const services = [memory, ...Object.values(memory.others)].flatMap(({ service }) =>
    service === null ? [] : [service],
  );
  const owed = damaged.flatMap(({ run }) =>
    services.map((unit) => ({
      what: 'restart' as const,
      unit,
      because: [`the journal of run ${run} is damaged`],
      run,
    })),
  );
  return { ...memory, owed: [...memory.owed, ...owed] };
}

export class Session {
  readonly lock: LockState;
  readonly remembered: Remembered;
  readonly journal: Journal;
  private readonly options: SessionOptions;
  private readonly fingerprints: Fingerprints;
  private home: JournalHome | null;
  private opening: Promise<void> | null = null;
  private held: Lock | null = null;
  private known: readonly PastRun[] | null = null;
  /** Putting back goes on though the journal cannot be written any more. */
  lenient = false;

  constructor(options: SessionOptions) {
    this.options = options;
    const { trust, journal, machine, installer, command, input, product } = options;
    // Somebody who is not root is told so by the first effect, not by the journal.
    const mayRead = trust.owner === 0 && process.geteuid?.() !== 0;
    this.home =
      journal === 'none'
        ? null
        : journal === 'read' || mayRead
          ? openReadableJournalHome(trust)
          : openJournalHome(trust);
    this.lock = this.tryLock();
    // Only now: what a run that has just ended has written counts.
    this.remembered = readMemory(this.home?.path ?? null);
    this.fingerprints = openFingerprints(this.home?.path ?? null);
    const inherited = withDamage(memoryFor(this.remembered.memory, product), this.remembered.damaged);
    this.journal = new Journal({
      machine,
      installer,
      command,
      input,
      inherited,
      lastId: this.remembered.lastId,
      onRecord: options.onRecord,
    });
  }

  private tryLock(): LockState {
    if (this.home === null) return 'later';
    if (this.options.journal !== 'written') return probeLock(this.home.path) ? 'busy' : 'later';
    this.held = takeLock(this.home.path);
    return this.held === null ? 'busy' : 'taken';
  }

  fingerprint(value: string): string {
    return this.fingerprints.of(value);
  }

  /** What past runs of the product did; null where no journal tells of any. */
  past(): Past | null {
    const { home } = this;
    if (home === null) return null;
    // Each path that is put back asks again; nothing of it changes while a run goes on.
    this.known ??= pastRuns(
      runIds(home.path).map((id) => factsOf(readRun(home.path, id))),
      this.options.product.name,
    );
    return {
      runs: this.known,
      find: (wanted) => findRun(home.path, wanted),
      bytes: (run, name) => readBackup(home.path, run, name),
    };
  }

  /** Id of the run where its journal is on disk. */
  get run(): string | null {
    return this.opening === null ? null : this.journal.run;
  }

  /** Before every change: the journal is there, locked and on disk. E_BUSY, E_JOURNAL. */
  async beforeChange(): Promise<void> {
    if (this.options.journal !== 'written') return;
    try {
      this.opening ??= this.open();
      await this.opening;
      this.journal.sync();
    } catch (error) {
      if (!this.lenient) throw error;
    }
  }

  private async open(): Promise<void> {
    if (this.home === null) {
      this.home = await createJournalHome(this.options.trust);
      this.held = takeLock(this.home.path);
      if (this.held === null) throw new InstallerError('E_BUSY');
    }
    const { path } = this.home;
    removeLeftovers(path, this.remembered.lastId);
    this.fingerprints.keep(path);
    this.journal.attach(path);
  }

  /** @returns the id under which the run can be looked up; null where it left no journal */
  async end(result: Omit<RunEnded, 'k'>): Promise<string | null> {
    const silent = result.exitCode === 64 || result.exitCode === 11;
    const worthIt = this.home !== null || (result.exitCode === 0 && this.options.founds);
    const written = this.options.journal === 'written' && !silent && worthIt;
    let attached = this.journal.isAttached;
    try {
      if (written) await this.beforeChange();
    } finally {
      attached = this.journal.isAttached;
      // How it ended is recorded in memory too: somebody may be watching.
      this.journal.end(result);
    }
    return attached ? this.journal.run : null;
  }

  /** Lets the next run begin; nothing is recorded after it. */
  close(): void {
    this.held?.release();
    this.home?.close();
    this.held = null;
    this.home = null;
  }
}
