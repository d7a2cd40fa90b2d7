/**
 * What the runs of one product have done to the host, and how it was before each of them: from their facts alone. Pure, over
 * journals that were read; what is on disk now is compared by whoever is about to undo them.
 */
import type { FileIdentity } from '../facts.ts';
import type { Run } from './reader.ts';

/** A path as it was before a run, and where the bytes that stood there are kept. */
export interface PathBefore {
  readonly path: string;
  /** null: nothing was there. */
  readonly before: FileIdentity | null;
  /** The run that replaced those bytes, and the name of their copy in its folder; null where no copy was made. */
  readonly backup: { readonly run: string; readonly name: string } | null;
  /** What the journal knew of the path then. */
  readonly baselines: readonly string[];
  /**
   * What may stand there now, if nobody else has touched it: what was put there last, or, where a run was killed at it,
   * that or what it was about to put there.
   */
  readonly now: readonly (FileIdentity | null)[];
}

/** One run that changed something, or that undid others. */
export interface PastRun {
  readonly id: string;
  readonly run: Run;
  /** Paths that are otherwise than before it; what it put back itself is not among them. */
  readonly changed: readonly string[];
  /** It put the host back to how it was before this run; null where it undid nothing. */
  readonly undid: string | null;
  /** Is its work still there, neither undone by a later run nor made undone again? */
  readonly stands: boolean;
}

interface Replacement {
  readonly path: string;
  readonly before: FileIdentity | null;
  readonly after: FileIdentity | null;
  readonly backup: string | null;
  /** `announced`: the run was killed or failed at it. */
  readonly state: 'announced' | 'done' | 'restored';
}

/** What a run did to its paths, in order. */
function replacementsOf(run: Run): readonly Replacement[] {
  const all: Replacement[] = [];
  const last = (path: string): number => all.findLastIndex((each) => each.path === path);
  for (const record of run.records) {
    if (record.k !== 'fact') continue;
    const { fact } = record;
    if (fact.fact === 'replacing') {
      const { path, before, after, backup } = fact;
      all.push({ path, before, after, backup, state: 'announced' });
    } else if (fact.fact === 'replaced') {
      const at = last(fact.path);
      if (at !== -1) all[at] = { ...all[at]!, state: 'done' };
    } else if (fact.fact === 'restored') {
      // One `restored` for each replacement, the newest first.
      const at = all.findLastIndex((each) => each.path === fact.path && each.state !== 'restored');
      if (at !== -1) all[at] = { ...all[at]!, state: 'restored' };
    }
  }
  return all;
}

function undidOf(run: Run): string | null {
  for (const record of run.records)
    if (record.k === 'fact' && record.fact.fact === 'undone') return record.fact.to;
  return null;
}

/**
 * @param runs all runs of the host, oldest first
 * @returns those of the product that changed a path or undid others, oldest first
 */
export function pastRuns(runs: readonly Run[], product: string): readonly PastRun[] {
  const past: Omit<PastRun, 'stands'>[] = [];
  // Which runs stood before each run: whoever undoes back to it brings exactly those back.
  const stoodBefore = new Map<string, readonly string[]>();
  let standing: readonly string[] = [];
  for (const run of runs) {
    if (run.product !== product) continue;
    const all = replacementsOf(run);
    const changed = [...new Set(all.filter(({ state }) => state !== 'restored').map(({ path }) => path))];
    const undid = undidOf(run);
    if (changed.length === 0 && undid === null) continue;
    stoodBefore.set(run.id, standing);
    past.push({ id: run.id, run, changed, undid });
    standing = undid === null ? [...standing, run.id] : [...(stoodBefore.get(undid) ?? []), run.id];
  }
  return past.map((each) => ({ ...each, stands: standing.includes(each.id) }));
}

/** The run that `rollback` undoes without being told: the last one that stands, and that undid nothing itself. */
export const lastToUndo = (past: readonly PastRun[]): PastRun | null =>
  past.findLast(({ stands, undid, changed }) => stands && undid === null && changed.length > 0) ?? null;

function baselinesAt(run: Run, path: string): readonly string[] {
  const known = run.started?.inherited.baselines ?? {};
  return known[path] ?? [];
}

/** @returns every path that `to` or a later run touched, as it was before `to` */
export function pathsBefore(past: readonly PastRun[], to: string): readonly PathBefore[] {
  const found = new Map<string, PathBefore>();
  for (const { id, run } of past.slice(past.findIndex((each) => each.id === to))) {
    for (const { path, before, after, backup, state } of replacementsOf(run)) {
      const known = found.get(path);
      const now =
        state === 'done' ? [after] : state === 'restored' ? [before] : [...(known?.now ?? [before]), after];
      found.set(
        path,
        known === undefined
          ? {
              path,
              before,
              backup: backup === null ? null : { run: id, name: backup },
              baselines: baselinesAt(run, path),
              now,
            }
          : { ...known, now },
      );
    }
  }
  return [...found.values()];
}
