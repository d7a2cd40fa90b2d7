/**
 * Facts: what one run must tell later runs, as explicit versioned records beside the machine's events.
 *
 * Later runs never fold the events of an older machine; they fold these. Pure: no file is read here.
 */

/** A file as it is known to a later run: by the hash of its bytes, never by the bytes. */
export interface FileIdentity {
  readonly type: 'file' | 'link' | 'directory';
  /** sha256 of the bytes in hex; for a link its target; null for a directory and for a file that holds secrets. */
  readonly hash: string | null;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** What must still happen to a running program after a file that it reads was replaced. */
export interface Obligation {
  readonly what: 'restart' | 'restartSocket' | 'reloadManager' | 'reloadWeb';
  readonly unit: string;
  /** Paths whose change made it due. */
  readonly because: readonly string[];
}

/** One thing that a run tells later runs, as it stands in the journal. */
export type Fact =
  /** About to be made or replaced; on disk before the file is touched. */
  | {
      readonly fact: 'replacing';
      readonly path: string;
      readonly before: FileIdentity | null;
      readonly after: FileIdentity | null;
      /** Name of the copy of the old bytes inside the run's folder; `….masked` where secrets in it are hidden. */
      readonly backup: string | null;
      /** What running programs have to be made to notice when the path changes; installers before left it out. */
      readonly due?: readonly Obligation['what'][];
    }
  | { readonly fact: 'replaced'; readonly path: string }
  /** Put back as it was before the run; `baselines` are what was known of the path before. */
  | { readonly fact: 'restored'; readonly path: string; readonly baselines: readonly string[] }
  /** A person's edit was kept; `offered` is the hash of what the installer would have written. */
  | { readonly fact: 'kept'; readonly path: string; readonly offered: string }
  | ({ readonly fact: 'owed' } & Obligation)
  | { readonly fact: 'settled'; readonly what: Obligation['what']; readonly unit: string }
  /** Its changes were put back, so nothing of what this run owed is due any more. */
  | { readonly fact: 'revoked' }
  | { readonly fact: 'secretsMade'; readonly names: readonly string[] }
  | { readonly fact: 'secretsPurged' }
  /** Other values, or none, are about to take the place of these: what had the old ones cannot be brought back. */
  | { readonly fact: 'secretsReplaced'; readonly names: readonly string[] }
  /** The env file is about to be written; these settings stood in it, null: there was none. */
  | { readonly fact: 'settingsFound'; readonly settings: Readonly<Record<string, string>> | null }
  /** Units are about to be started, restarted, reloaded or stopped; these of them were running. */
  | { readonly fact: 'unitsFound'; readonly running: readonly string[] }
  /**
   * Values with these fingerprints came from a file of the user's: a rotation of everything skips them. On disk before
   * the values are; `only` once it is certain that no other supplied value is on the host any more.
   */
  | {
      readonly fact: 'secretsSupplied';
      readonly fingerprints: Readonly<Record<string, string>>;
      readonly only: boolean;
    }
  /**
   * Code with one of these hashes is the user's own, from --source. On disk before the code is; `only` as above.
   * `bundled` is the hash of the code that it was taken instead of; installers before this was asked left it out.
   */
  | {
      readonly fact: 'sourceSupplied';
      readonly hashes: readonly string[];
      readonly only: boolean;
      readonly bundled?: string;
    }
  /** The package manager is about to be asked for these. */
  | { readonly fact: 'packagesRequested'; readonly names: readonly string[] }
  /** The work of the run `to` and of all later ones is about to be undone. */
  | { readonly fact: 'undoing'; readonly to: string }
  /** What the host is now is what it was before the run `to`. */
  | { readonly fact: 'undone'; readonly to: string }
  /** What is known of a path from here on, where it is what it was before an earlier run. */
  | { readonly fact: 'knownAs'; readonly path: string; readonly baselines: readonly string[] }
  /** This version of the installer is about to change the host, or found nothing to change. */
  | { readonly fact: 'installer'; readonly version: string };
