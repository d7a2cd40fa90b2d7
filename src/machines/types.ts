/**
 * The words of the machine: what goes into each actor, what comes out. All of it is journaled and shown in the
 * inspector, so all of it is public: names, paths, hashes, keyed fingerprints, never a secret's value.
 */
import type { PublicError } from '../errors.ts';
import type { FileIdentity, Obligation } from '../facts.ts';

/** What a run may do instead of installing: put the host back as it was. */
export type Undo =
  /** As it was before a run: its id, a beginning of it, `last`; null: the last one that stands and changed something. */
  | { readonly kind: 'rollback'; readonly run: string | null }
  /** As it was before the first installation; with `purge` the secrets and the service's state go too. */
  | { readonly kind: 'uninstall'; readonly purge: boolean };

/** What is asked of a run, validated, without secrets. */
export interface Request {
  readonly product: string;
  /** Secrets that get new values: none, all that were generated, or those that are named. */
  readonly rotate: 'none' | 'all' | readonly string[];
  /** Settings given for this run by flag, environment or configuration file, by their name in the env file. */
  readonly settings: Readonly<Record<string, string>>;
  /** Settings to forget, and optional secrets to remove. */
  readonly unset: readonly string[];
  /** Names of secrets for which a file was given; the values stay in the effects. */
  readonly supplied: readonly string[];
  /** The code: what is installed, what the installer brings, or what is handed over. */
  readonly source: 'kept' | 'bundled' | 'file';
  /** What to do where a person's edit and a change of ours meet. */
  readonly edits: 'refuse' | 'keep' | 'replace';
  /** May questions be asked (a terminal, and neither --yes nor --json nor --dry-run)? */
  readonly ask: boolean;
  /** May Debian packages that are missing be installed? */
  readonly packages: boolean;
  /** May services be started and restarted? */
  readonly start: boolean;
  /** Is this an image of hosts to be? Then it gets no secrets, and nothing is started. */
  readonly image: boolean;
  /** Is what was changed put back after a failure? */
  readonly rollback: boolean;
  /** Are the looks made that refuse a run before it begins, a taken port for one? */
  readonly checks: boolean;
  /** May an older installer replace what a newer one wrote? */
  readonly downgrade: boolean;
  /** null: install. */
  readonly undo: Undo | null;
}

/** How a run goes on: nothing is there, the secrets stay, or they are made anew. */
export type Mode = 'fresh' | 'existing' | 'forceRotate';

/** Something worth telling that is no change: kept edits, healed secrets, what could not be proven. */
export interface Note {
  readonly code: string;
  readonly level: 'info' | 'warning';
  readonly text: string;
}

/** An error before anything was changed. */
export interface Refused {
  readonly kind: 'refused';
  readonly error: PublicError;
}

/** Whether the host can carry an installation. */
export type PreflightOutput =
  | { readonly kind: 'ready'; readonly services: 'live' | 'offline'; readonly notes: readonly Note[] }
  | { readonly kind: 'busy'; readonly error: PublicError }
  | Refused;

/** What is installed: nothing, an installation, or one that lost its secrets (`lost`). */
export type DetectOutput =
  { readonly kind: 'fresh' | 'existing' | 'lost'; readonly notes: readonly Note[] } | Refused;

/** What became of a secret; never its value. */
export interface SecretReport {
  readonly name: string;
  readonly origin: 'generated' | 'preserved' | 'rotated' | 'healed' | 'supplied' | 'removed' | 'deferred';
  /** Of the value that was removed, where it was; empty where it is `deferred` to each host of an image. First 12 hex digits of an HMAC under a key of this host: tells equal from changed, and nothing else. */
  readonly fingerprint: string;
}

/** What became of the secrets. */
export type SecretsOutput =
  | { readonly kind: 'ready'; readonly secrets: readonly SecretReport[]; readonly notes: readonly Note[] }
  | Refused;

/** One change of the host, made by one step of `writing`. */
export interface Operation {
  readonly kind:
    | 'narrowMode'
    | 'installPackages'
    | 'makeDirectory'
    | 'writeFile'
    | 'makeLink'
    | 'removeFile'
    | 'removeLeftover';
  readonly path: string;
  /** What the file is to the product: env, service, unit, site, snippet …; words for the reader. */
  readonly role: string;
  readonly action: 'create' | 'replace' | 'remove';
  readonly before: FileIdentity | null;
  readonly after: FileIdentity | null;
  /** Link target, package names. */
  readonly detail: readonly string[];
  /** Why this is done, where it is not plain from the kind: healed, adopted, rotated. */
  readonly because: string | null;
}

/** One step of `reloading`: what a running program must be made to notice. */
export interface Reload extends Obligation {
  /** `start` where it is not running, else `restart`; `stop` where it did not run before what is undone. */
  readonly how: 'start' | 'restart' | 'reload' | 'stop';
  /** Runs that were interrupted before they could do it. */
  readonly owedBy: readonly string[];
}

/** One step of `purging`: takes away what a service has kept. It stands among the reloads of a plan, as their last. */
export interface Removal {
  readonly what: 'removeState';
  /** Its path. */
  readonly unit: string;
  readonly how: 'remove';
  readonly because: readonly string[];
  readonly owedBy: readonly string[];
}

/** What a person is asked before a plan is carried out. */
export interface Question {
  readonly id: 'settings' | 'rotation' | 'packages' | 'edits';
  readonly text: string;
  readonly subjects: readonly string[];
}

/** What will be changed, in order. */
export interface Plan {
  /** First 8 hex digits of a sha256 over the changes, free of secrets: equal plans have equal hashes. */
  readonly hash: string;
  readonly operations: readonly Operation[];
  readonly reloads: readonly (Reload | Removal)[];
  readonly questions: readonly Question[];
  readonly notes: readonly Note[];
  /** The settings in force, for the closing summary. */
  readonly settings: Readonly<Record<string, string>>;
}

/** The plan, or why there is none. */
export type PlanOutput = { readonly kind: 'planned'; readonly plan: Plan } | Refused;

/** What a person has answered so far, for the next plan. */
export interface Answers {
  readonly answered: readonly Question['id'][];
  readonly settings: Readonly<Record<string, string>>;
  readonly edits: Request['edits'] | null;
}

/** What a person said to the plan. */
export type ConfirmOutput =
  | { readonly kind: 'proceed' }
  | { readonly kind: 'replan'; readonly answers: Answers }
  | { readonly kind: 'declined'; readonly error: PublicError };

/** `predicted`: the host only reported the change (dry run). */
export interface WriteOutput {
  readonly outcome: 'changed' | 'unchanged' | 'predicted';
}

/** What running programs were made to notice. */
export interface ReloadOutput {
  readonly outcome: 'done' | 'predicted' | 'deferred';
  readonly done: readonly string[];
}

/** Paths that were deleted for good. */
export interface PurgeOutput {
  readonly outcome: 'done' | 'predicted';
  readonly removed: readonly string[];
}

/** Whether the service was asked, and what there is to tell. */
export interface VerifyOutput {
  readonly outcome: 'verified' | 'predicted' | 'deferred';
  readonly notes: readonly Note[];
}

/** Paths that were put back, and those that could not be. */
export interface UndoOutput {
  readonly restored: readonly string[];
  readonly left: readonly string[];
}

/** The effects' contract: one actor for each working state. */
export interface ActorContract {
  preflight: { input: { request: Request }; output: PreflightOutput };
  detect: { input: { request: Request }; output: DetectOutput };
  secrets: { input: { request: Request; mode: Mode }; output: SecretsOutput };
  plan: { input: { request: Request; mode: Mode; answers: Answers }; output: PlanOutput };
  confirm: { input: { plan: Plan; mode: Mode; answers: Answers }; output: ConfirmOutput };
  write: { input: { operation: Operation; index: number }; output: WriteOutput };
  reload: { input: { reloads: readonly Reload[] }; output: ReloadOutput };
  verify: { input: { plan: Plan; mode: Mode }; output: VerifyOutput };
  purge: { input: { paths: readonly string[] }; output: PurgeOutput };
  undo: { input: { reason: PublicError }; output: UndoOutput };
}

/** What a run may be ended by. */
export type Signal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** The one event that the machine takes from outside: end, after putting things back. */
export interface InterruptEvent {
  readonly type: 'interrupt';
  readonly signal: Signal;
}

/** The machine's input. */
export interface Input {
  readonly request: Request;
}

/** What the machine knows: all of it public. */
export interface Context {
  readonly request: Request;
  readonly services: 'live' | 'offline';
  readonly mode: Mode;
  readonly secrets: readonly SecretReport[];
  readonly answers: Answers;
  readonly plan: Plan | null;
  /** Index of the operation that `writing` works on. */
  readonly next: number;
  readonly changed: boolean;
  readonly notes: readonly Note[];
  readonly error: PublicError | null;
  readonly signal: Signal | null;
  readonly undone: UndoOutput | null;
}

/** How a run ended; each is a final state of the machine. */
export type Outcome =
  'installed' | 'unchanged' | 'refused' | 'busy' | 'declined' | 'interrupted' | 'rolledBack' | 'failed';

/** What a run leaves to be told, its exit code included. */
export interface Output {
  readonly outcome: Outcome;
  readonly exitCode: number;
  readonly mode: Mode;
  readonly changed: boolean;
  readonly plan: Plan | null;
  readonly secrets: readonly SecretReport[];
  readonly notes: readonly Note[];
  readonly error: PublicError | null;
  readonly undone: UndoOutput | null;
}
