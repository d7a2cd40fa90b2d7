/**
 * What the effects of one run share. Secrets live here, between effects, and nowhere else: nothing of it crosses an
 * actor boundary.
 */
import type { Fact, FileIdentity, Obligation } from '../facts.ts';
import type { Memory } from '../memory.ts';
import type { Before, PastRun } from '../past.ts';
import type { Operation, Plan, Question, SecretReport, Undo } from '../machines/types.ts';
import type { Desired, Product, Settings } from '../products/product.ts';
import type { EnvFile } from './env-file.ts';
import type { Host } from './host/port.ts';
import type { UnitStatus } from './units.ts';

/** A text file before and after, secrets and comments masked: what a diff may show. */
export interface FileChange {
  readonly path: string;
  readonly before: string;
  readonly after: string;
  /** A person's edit that is kept: `before` is what the installer would write, `after` is theirs. */
  readonly kept?: true;
}

/** What effects tell while they work; shown, never journaled. */
export type Progress =
  | { readonly type: 'changes'; readonly changes: readonly FileChange[] }
  | { readonly type: 'activity'; readonly text: string };

/** Asks a person; null means: no. */
export interface Asker {
  settings(
    subjects: readonly string[],
    current: Readonly<Record<string, string>>,
  ): Promise<Record<string, string> | null>;
  confirm(question: Question, plan: Plan): Promise<boolean>;
  edits(question: Question): Promise<'keep' | 'replace' | null>;
}

/** `later`: a fresh host has nothing to lock; its first change makes the directory and takes the lock. */
export type LockState = 'taken' | 'later' | 'busy';

/** What the effects of one run need from outside. */
export interface ScopeOptions {
  readonly host: Host;
  readonly product: Product;
  /** Version of this installer. */
  readonly version: string;
  readonly memory: () => Memory;
  readonly record: (fact: Fact) => void;
  /** Keeps bytes in the run's folder; returns their name there, which ends with `suffix`. */
  readonly backup: (bytes: Uint8Array, suffix: string) => Promise<string>;
  readonly notify: (progress: Progress) => void;
  /** Before the first change and before each one: locked, and everything recorded is on disk. E_BUSY, E_JOURNAL. */
  readonly beforeChange: () => Promise<void>;
  readonly lock: () => LockState;
  readonly fingerprint: (value: string) => string;
  readonly randomBytes: (count: number) => Uint8Array;
  /** Values of secrets that files of the user's supply. */
  readonly supplied: ReadonlyMap<string, string>;
  /** The file of --source. */
  readonly source: Uint8Array | null;
  readonly asker: Asker | null;
  /** What past runs did; left out, or null, where no journal tells of any. */
  readonly past?: () => Past | null;
  /** What the journals of the other installations know; left out where there are none. */
  readonly journalsBeside?: () => readonly JournalBeside[];
  /** Refuse before any look where the caller is not the owner; a run that changes nothing may be anybody's. */
  readonly mustOwn: boolean;
  /** The line to type for somebody who is not root. */
  readonly sudoCommand: string;
}

/** What the journal of another installation knows. */
export interface JournalBeside {
  /** null: the plain installation. */
  readonly instance: string | null;
  readonly memory: Memory;
}

/** What past runs did, for undoing them. */
export interface Past {
  /** Those of the product, oldest first. */
  readonly runs: readonly PastRun[];
  /** Id of the one run that `wanted` means; null where there is none. */
  find(wanted: string): string | null;
  /** Bytes that a run kept; null where they are gone. */
  bytes(run: string, name: string): Uint8Array | null;
  /** Has a copy that this run kept been taken away since? */
  isGone(run: string, name: string): boolean;
}

/** What is to be undone. */
export interface Target extends Before {
  readonly undo: Undo;
  /** The earliest run whose work is undone. */
  readonly to: string;
}

export interface EnvOnDisk {
  readonly bytes: Uint8Array;
  readonly identity: FileIdentity;
  readonly file: EnvFile;
}

/** One operation that was begun, with what it needs to be put back. */
export interface Applied {
  readonly operation: Operation;
  readonly before: FileIdentity | null;
  readonly bytes: Uint8Array | null;
  /** What the journal knew of the path before. */
  readonly baselines: readonly string[];
}

/** An edit that is kept, and the hash of what would have been written in its place. */
export interface KeptEdit {
  readonly path: string;
  readonly offered: string;
}

/** What the effects of one run hand on to each other; secrets are in it. */
export interface RunState {
  services: 'live' | 'offline';
  env: EnvOnDisk | null;
  /** Values of the secrets by name; '' where there is none. */
  before: ReadonlyMap<string, string>;
  after: ReadonlyMap<string, string>;
  secrets: readonly SecretReport[];
  desired: Desired | null;
  /** Bytes that `writeFile` operations write, and those that they replace. */
  readonly contents: Map<string, { readonly after: Uint8Array; readonly before: Uint8Array | null }>;
  /** What becomes due when a path is changed. */
  readonly obligations: Map<string, readonly Obligation[]>;
  readonly applied: Applied[];
  /** Those of the plan, in the order in which they are made. */
  operations: readonly Operation[];
  /** By path: what was announced together with others, and not begun. It is made without waiting for the journal. */
  readonly announced: Map<string, Applied>;
  /** Told to the journal when the run has succeeded. */
  kept: readonly KeptEdit[];
  /** Paths that are no longer the product's: told to the journal when the run has succeeded. */
  forgotten: readonly { readonly path: string; readonly baselines: readonly string[] }[];
  source: 'bundled' | 'file';
  /** Did the journal know of secrets before the run? */
  readonly secretsMadeBefore: boolean;
  /** Packages that were installed when the run began, where it was looked. */
  installed: ReadonlySet<string>;
  /** Packages that this run asked the package manager for. */
  packages: readonly string[];
  settings: Settings;
  /** Those that the env file held before the run, for asking an old service that was put back. */
  settingsBefore: Settings;
  /** null in a run that installs, and where there is nothing to undo. */
  target: Target | null;
  /** The units as they were before the run touched anything. */
  unitsBefore: ReadonlyMap<string, UnitStatus>;
  /** At least one change was only reported: what follows from it can only be predicted too. */
  predicted: boolean;
  /** Units that this run restarted, started or reloaded. */
  readonly restarted: Set<string>;
  /** The change under way; undoing waits for it. */
  inFlight: Promise<unknown>;
  start: boolean;
  /** Is this an image? What runs here is none of its business then. */
  image: boolean;
}

/** What the effects of one run share. */
export interface Scope extends ScopeOptions {
  readonly state: RunState;
}

/** The scope of one run, for `createEffects`. */
export const createScope = (options: ScopeOptions): Scope => ({
  ...options,
  state: {
    services: 'offline',
    env: null,
    before: new Map(),
    after: new Map(),
    secrets: [],
    desired: null,
    contents: new Map(),
    obligations: new Map(),
    applied: [],
    operations: [],
    announced: new Map(),
    kept: [],
    forgotten: [],
    source: 'bundled',
    secretsMadeBefore: options.memory().secretsMade,
    installed: new Set(),
    packages: [],
    settings: {},
    settingsBefore: {},
    target: null,
    unitsBefore: new Map(),
    predicted: false,
    restarted: new Set(),
    inFlight: Promise.resolve(),
    start: true,
    image: false,
  },
});
