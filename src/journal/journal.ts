/**
 * The journal of one run: written ahead. Records gather in memory and go to disk, synced, before any change of the host;
 * a run that changes nothing and has no journal directory yet leaves nothing behind.
 */
import { randomBytes } from 'node:crypto';
import { fsyncSync, ftruncateSync } from 'node:fs';
import path from 'node:path';
import { close } from '../descriptor.ts';
import { errnoOf } from '../errno.ts';
import type { Fact } from '../facts.ts';
import { Knowledge, type Memory } from '../memory.ts';
import { openDirectory } from '../opened-directory.ts';
import { attempt } from './attempt.ts';
import { makePrivateDirectory, openNewFile, syncDirectory, writeAll, writeNewFile } from './files.ts';
import {
  encodeRecord,
  journalFormat,
  type EventRecord,
  type JournalRecord,
  type RecordBody,
  type RunEnded,
} from './record.ts';

export interface JournalOptions {
  readonly machine: { readonly id: string; readonly version: string };
  readonly installer: string;
  readonly command: string;
  readonly input: unknown;
  readonly inherited: Memory;
  /** Id of the run before this one: ids only grow, also where the clock was put back. */
  readonly lastId: string | null;
  readonly now?: () => Date;
  /** Hears every record as it is made, whether it goes to disk or not. It must not throw. */
  readonly onRecord?: ((record: JournalRecord, run: string) => void) | undefined;
}

const stamp = (date: Date): string => `${date.toISOString().replace(/[-:]/gu, '').slice(0, 15)}Z`;

function nextRunId(now: Date, lastId: string | null): string {
  const suffix = randomBytes(2).toString('hex');
  const id = `${stamp(now)}-${suffix}`;
  if (lastId === null || id > lastId) return id;
  const iso = `${lastId.slice(0, 4)}-${lastId.slice(4, 6)}-${lastId.slice(6, 11)}:${lastId.slice(11, 13)}:${lastId.slice(13, 15)}Z`;
  return `${stamp(new Date(Date.parse(iso) + 1000))}-${suffix}`;
}

export class Journal {
  readonly run: string;
  private readonly now: () => Date;
  private readonly onRecord: JournalOptions['onRecord'];
  private readonly all: JournalRecord[] = [];
  private readonly pending: string[] = [];
  private readonly known: Knowledge;
  private previous = '';
  private directory: string | null = null;
  private fd: number | null = null;
  /** What is open until the end. */
  private readonly opened = new Set<number>();
  private backups = 0;
  /** Bytes on disk that are known to be whole. */
  private size = 0;

  constructor(options: JournalOptions) {
    this.now = options.now ?? (() => new Date());
    this.onRecord = options.onRecord;
    this.known = new Knowledge(options.inherited);
    this.run = nextRunId(this.now(), options.lastId);
    const { machine, installer, command, input, inherited } = options;
    this.add({ k: 'run.started', format: journalFormat, machine, installer, command, input, inherited });
  }

  /** What later runs will know. */
  get memory(): Memory {
    return this.known.memory;
  }

  get records(): readonly JournalRecord[] {
    return this.all;
  }

  get isAttached(): boolean {
    return this.fd !== null;
  }

  /** Are there copies of what was replaced in the run's folder? */
  get hasCopies(): boolean {
    return this.directory !== null && this.backups > 0;
  }

  event(event: EventRecord['event']): void {
    this.add({ k: 'event', event });
  }

  fact(fact: Fact): void {
    this.known.add(this.run, fact);
    this.add({ k: 'fact', v: 1, fact });
  }

  private add(body: RecordBody): void {
    const record: JournalRecord = { n: this.all.length, t: this.now().toISOString(), ...body };
    const { line, sum } = encodeRecord(record, this.previous);
    this.all.push(record);
    this.pending.push(line);
    this.previous = sum;
    this.onRecord?.(record, this.run);
  }

  /**
   * From now on records go to disk: below `home`, the journal's directory, which this run has locked.
   *
   * @throws InstallerError E_JOURNAL
   */
  attach(home: string): void {
    if (this.fd !== null) return;
    attempt(() => {
      try {
        makePrivateDirectory(home, 'runs');
      } catch (error) {
        if (errnoOf(error) !== 'EEXIST') throw error;
      }
      // The run's folder is made in what was there when it began, and in nothing swapped in.
      const runs = openDirectory(path.join(home, 'runs'));
      this.opened.add(runs);
      this.directory = makePrivateDirectory(`/proc/self/fd/${runs}`, this.run);
      this.fd = openNewFile(this.directory, 'journal.jsonl');
      this.opened.add(this.fd);
      this.flush(this.fd);
      syncDirectory(this.directory);
    });
  }

  /** Everything recorded so far is on disk when this returns. E_JOURNAL. */
  sync(): void {
    const { fd } = this;
    if (fd === null || this.pending.length === 0) return;
    attempt(() => this.flush(fd));
  }

  private flush(fd: number): void {
    const bytes = Buffer.from(this.pending.join(''));
    try {
      writeAll(fd, bytes);
      fsyncSync(fd);
    } catch (error) {
      // Half a record must not stand before the ones that may still fit when room is made.
      ftruncateSync(fd, this.size);
      throw error;
    }
    this.size += bytes.length;
    this.pending.length = 0;
  }

  /** Keeps the bytes of a file that is about to be replaced; returns their name in the run's folder. E_JOURNAL. */
  backup(bytes: Uint8Array, suffix = ''): string {
    const { directory } = this;
    this.backups += 1;
    const name = `${this.backups}${suffix}`;
    // Not attached: nothing is changed for real, so nothing has to be kept.
    if (directory !== null) {
      attempt(() => {
        const before = path.join(directory, 'before');
        if (this.backups === 1) makePrivateDirectory(directory, 'before');
        writeNewFile(before, name, bytes);
      });
    }
    return `before/${name}`;
  }

  /** The last record, kept in memory where nothing is written. E_JOURNAL where it cannot be written; what happened has happened all the same. */
  end(result: Omit<RunEnded, 'k'>): void {
    this.add({ k: 'run.ended', ...result });
    try {
      this.sync();
    } finally {
      for (const fd of this.opened) close(fd);
      this.opened.clear();
      this.fd = null;
    }
  }
}
