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

export type Fact =
  /** About to be made or replaced; on disk before the file is touched. */
  | {
      readonly fact: 'replacing';
      readonly path: string;
      readonly before: FileIdentity | null;
      readonly after: FileIdentity | null;
      /** Name of the copy of the old bytes inside the run's folder. */
      readonly backup: string | null;
    }
  | { readonly fact: 'replaced'; readonly path: string }
  /** Put back as it was before the run; `baseline` is what the installer had written there before. */
  | { readonly fact: 'restored'; readonly path: string; readonly baseline: string | null }
  /** A person's edit was kept; `offered` is the hash of what the installer would have written. */
  | { readonly fact: 'kept'; readonly path: string; readonly offered: string }
  | ({ readonly fact: 'owed' } & Obligation)
  | { readonly fact: 'settled'; readonly what: Obligation['what']; readonly unit: string }
  /** Its changes were put back, so nothing of what this run owed is due any more. */
  | { readonly fact: 'revoked' }
  | { readonly fact: 'secretsMade'; readonly names: readonly string[] }
  | { readonly fact: 'secretsPurged' }
  /** Their values came from a file of the user's: a rotation of everything skips them. */
  | { readonly fact: 'secretsSupplied'; readonly names: readonly string[] }
  | { readonly fact: 'source'; readonly origin: 'bundled' | 'file' }
  | { readonly fact: 'packagesInstalled'; readonly names: readonly string[] };

export interface OwedByRun extends Obligation {
  readonly run: string;
}

/** Everything later runs need, folded from the facts of all runs so far. Plain JSON. */
export interface Memory {
  readonly version: 1;
  /**
   * Path → hashes of what the installer wrote there (or would have written, where an edit was kept), the latest last.
   * Two stand there only after a kill between announcing a replacement and finishing it: either may be on disk.
   */
  readonly baselines: Readonly<Record<string, readonly string[]>>;
  readonly owed: readonly OwedByRun[];
  readonly secretsMade: boolean;
  readonly secretsSupplied: readonly string[];
  readonly source: 'bundled' | 'file';
  readonly packagesInstalled: readonly string[];
}

export const emptyMemory: Memory = {
  version: 1,
  baselines: {},
  owed: [],
  secretsMade: false,
  secretsSupplied: [],
  source: 'bundled',
  packagesInstalled: [],
};

function withBaseline(memory: Memory, path: string, hashes: readonly string[]): Memory {
  const others = Object.entries(memory.baselines).filter(([known]) => known !== path);
  const own: [string, readonly string[]][] = hashes.length === 0 ? [] : [[path, hashes]];
  return { ...memory, baselines: Object.fromEntries([...others, ...own]) };
}

/** One fact of `run` added to what is known. */
export function remember(memory: Memory, run: string, fact: Fact): Memory {
  switch (fact.fact) {
    case 'replacing':
      return withBaseline(
        memory,
        fact.path,
        fact.after?.hash == null ? [] : [...(memory.baselines[fact.path] ?? []), fact.after.hash],
      );
    case 'replaced':
      return withBaseline(memory, fact.path, (memory.baselines[fact.path] ?? []).slice(-1));
    case 'restored':
      return withBaseline(memory, fact.path, fact.baseline === null ? [] : [fact.baseline]);
    case 'kept':
      return withBaseline(memory, fact.path, [fact.offered]);
    case 'owed': {
      const { what, unit, because } = fact;
      return { ...memory, owed: [...memory.owed, { what, unit, because, run }] };
    }
    case 'settled':
      return {
        ...memory,
        owed: memory.owed.filter((owed) => owed.what !== fact.what || owed.unit !== fact.unit),
      };
    case 'revoked':
      return { ...memory, owed: memory.owed.filter((owed) => owed.run !== run) };
    case 'secretsMade':
      return { ...memory, secretsMade: true };
    case 'secretsPurged':
      return { ...memory, secretsMade: false, secretsSupplied: [] };
    case 'secretsSupplied':
      return {
        ...memory,
        secretsSupplied: [...new Set([...memory.secretsSupplied, ...fact.names])].sort(),
      };
    case 'source':
      return { ...memory, source: fact.origin };
    case 'packagesInstalled':
      return {
        ...memory,
        packagesInstalled: [...new Set([...memory.packagesInstalled, ...fact.names])].sort(),
      };
  }
}
