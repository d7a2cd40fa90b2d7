/**
 * The journal of one run as the effects see it: opened and locked at the start, on disk from the first change on.
 *
 * A run that changes nothing writes its journal at its end, and only where a journal exists already or where it
 * succeeded; one that is refused for bad usage, or because another is under way, writes nothing.
 */
import {
  createJournalHome,
  instancesIn,
  openJournalHome,
  openReadableJournalHome,
  type JournalHome,
} from './journal-home.ts';
import type { Trust } from './effects/host/resolve.ts';
import type { Unsynced } from './effects/host/unsynced.ts';
import type { JournalBeside, LockState, Past } from './effects/scope.ts';
import { InstallerError } from './errors.ts';
import { memoryFor, type Memory } from './memory.ts';
import { attempt } from './journal/attempt.ts';
import { removeLeftovers } from './journal/files.ts';
import { hasCopy } from './journal/copies.ts';
import { openFingerprints, type Fingerprints } from './journal/fingerprint.ts';
import { Journal } from './journal/journal.ts';
import { isUnderWay, probeLock, takeLock, takeLockForOther, type Lock } from './journal/lock.ts';
import {
  factsOfRuns,
  findRun,
  readBackup,
  readMemory,
  withDamage,
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
  readonly product: Pick<Product, 'name' | 'service' | 'envFile' | 'instances'>;
  /** Is the key of the fingerprints kept, for later runs? In an image it is not, nor an older one: its hosts would share it. */
  readonly keepsKey: boolean;
  /** May a run that changed nothing make the journal's directory, to say that all is as it should be? */
  readonly founds: boolean;
  /** What has to be on disk before it is told to be done. */
  readonly unsynced?: Pick<Unsynced, 'sync' | 'close'>;
  /** Hears every record as it is made. It must not throw. */
  readonly onRecord?: (record: JournalRecord, run: string) => void;
}

export class Session {
  readonly lock: LockState;
  readonly remembered: Remembered;
  readonly journal: Journal;
  private readonly options: SessionOptions;
  private readonly fingerprints: Fingerprints;
  private readonly instance: string | null;
  /** That of the plain installation: its lock is everybody's, since package manager, systemd and nginx are. */
  private shared: JournalHome | null;
  /** That of this installation. */
  private home: JournalHome | null;
  private opening: Promise<void> | null = null;
  private readonly held: Lock[] = [];
  private known: readonly PastRun[] | null = null;
  private beside: readonly JournalBeside[] | null = null;
  /** Putting back goes on though the journal cannot be written any more. */
  lenient = false;

  constructor(options: SessionOptions) {
    this.options = options;
    const { trust, journal, machine, installer, command, input, product } = options;
    // Somebody who is not root is told so by the first effect, not by the journal.
    const mayRead = trust.owner === 0 && process.geteuid?.() !== 0;
    const open = (instance: string | null): JournalHome | null =>
      journal === 'none'
        ? null
        : journal === 'read' || mayRead
          ? openReadableJournalHome(trust, instance)
          : openJournalHome(trust, instance);
    this.instance = product.instances?.instance ?? null;
    this.shared = open(null);
    this.home = this.instance === null ? this.shared : open(this.instance);
    try {
      this.lock = this.tryLock();
      // Only now: what a run that has just ended has written counts.
      this.remembered = readMemory(this.home?.path ?? null);
    } catch (error) {
      // Nobody gets a session to close: the lock of a program that goes on would stay.
      this.close();
      throw error;
    }
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
    if (this.shared === null) return 'later';
    if (this.options.journal !== 'written') return probeLock(this.shared.path) ? 'busy' : 'later';
    // The first run of an instance has no directory to lock until it changes something.
    const take = this.home === null ? takeLockForOther : takeLock;
    return this.hold(this.shared, take) && this.holdOwn() ? 'taken' : 'busy';
  }

  private hold(home: JournalHome, take = takeLock): boolean {
    const lock = take(home.path);
    if (lock !== null) this.held.push(lock);
    return lock !== null;
  }

  /** Tells whoever looks which of the installations a run is under way of. */
  private holdOwn(): boolean {
    return this.home === null || this.home === this.shared || this.hold(this.home);
  }

  /** The run of this installation that is under way; null where there is none. */
  get underWay(): string | null {
    return this.home !== null && isUnderWay(this.home.path) ? this.remembered.unfinished : null;
  }

  fingerprint(value: string): string {
    return this.fingerprints.of(value);
  }

  /** What past runs of the product did; null where no journal tells of any. E_JOURNAL_UNREAD. */
  past(): Past | null {
    const { home } = this;
    if (home === null) return null;
    // Each path that is put back asks again; nothing of it changes while a run goes on.
    this.known ??= pastRuns(factsOfRuns(home.path), this.options.product.name);
    return {
      runs: this.known,
      find: (wanted) => findRun(home.path, wanted),
      bytes: (run, name) => readBackup(home.path, run, name),
      isGone: (run, name) => !hasCopy(home.path, run, name),
    };
  }

  /** What the journals of the other installations know. */
  journalsBeside(): readonly JournalBeside[] {
    const { shared } = this;
    if (shared === null) return [];
    // Whoever only looks holds no lock: others may be at work meanwhile.
    if (this.held.length === 0) return this.readBeside(shared);
    return (this.beside ??= this.readBeside(shared));
  }

  private readBeside(shared: JournalHome): readonly JournalBeside[] {
    const { instance } = this;
    const memoryIn = (home: string): Memory => readMemory(home).memory;
    const plain = instance === null ? [] : [{ instance: null, memory: memoryIn(shared.path) }];
    const others = instancesIn(shared.path)
      .filter((name) => name !== instance)
      .map((name) => ({ instance: name, memory: memoryIn(`${shared.path}/instances/${name}`) }));
    return [...plain, ...others];
  }

  /** Id of the run where its journal is on disk. */
  get run(): string | null {
    return this.opening === null ? null : this.journal.run;
  }

  /** Before every change: the journal is there, locked and on disk. E_BUSY, E_JOURNAL. */
  async beforeChange(): Promise<void> {
    if (this.options.journal !== 'written') return;
    const steps = [
      () => (this.opening ??= this.open()),
      () => this.options.unsynced?.sync(),
      () => this.journal.sync(),
    ];
    for (const step of steps) {
      try {
        await step();
      } catch (error) {
        // What is put back is on record as far as it can be: one step that fails keeps no other from being tried.
        if (!this.lenient) throw error;
      }
    }
  }

  private async open(): Promise<void> {
    const { trust } = this.options;
    if (this.shared === null) {
      this.shared = await createJournalHome(trust, null);
      if (!this.hold(this.shared)) throw new InstallerError('E_BUSY');
    }
    if (this.home === null) {
      this.home = this.instance === null ? this.shared : await createJournalHome(trust, this.instance);
      if (!this.holdOwn()) throw new InstallerError('E_BUSY');
    }
    const { path } = this.home;
    attempt(() => {
      removeLeftovers(path, this.remembered.lastId);
      if (this.options.keepsKey) this.fingerprints.keep(path);
    });
    this.journal.attach(path);
  }

  /** @returns the id under which the run can be looked up; null where it left no journal */
  async end(result: Omit<RunEnded, 'k'>): Promise<string | null> {
    const silent = result.exitCode === 64 || result.exitCode === 11;
    const isKnown = this.opening !== null || this.remembered.lastId !== null;
    const worthIt = isKnown || (result.exitCode === 0 && this.options.founds);
    const written = this.options.journal === 'written' && !silent && worthIt;
    let attached = this.journal.isAttached;
    try {
      if (written) await this.beforeChange();
      const path = this.home?.path;
      if (written && !this.options.keepsKey && result.exitCode === 0 && path !== undefined)
        attempt(() => this.fingerprints.forget(path));
    } finally {
      attached = this.journal.isAttached;
      // How it ended is recorded in memory too: somebody may be watching.
      this.journal.end(result);
    }
    return attached ? this.journal.run : null;
  }

  /** The journal's directory, where this run holds it and has kept copies in it. */
  get copiesIn(): string | null {
    return this.held.length > 0 && this.journal.hasCopies ? (this.home?.path ?? null) : null;
  }

  /** Lets the next run begin; nothing is recorded after it. */
  close(): void {
    this.options.unsynced?.close();
    for (const lock of this.held.splice(0)) lock.release();
    this.home?.close();
    if (this.shared !== this.home) this.shared?.close();
    this.shared = null;
    this.home = null;
  }
}
