/**
 * What the runs of one product have done to the host, and how it was before each of them: from their facts alone. Pure: no
 * file is read here; what is on disk now is compared by whoever is about to undo them.
 */
import type { Fact, FileIdentity, Obligation } from './facts.ts';
import { emptyMemory, type Memory } from './memory.ts';

/** A run as far as undoing looks into it. */
export interface FactsOfRun {
  readonly id: string;
  /** Name of the product that it was about. */
  readonly product: string | null;
  readonly facts: readonly Fact[];
  /** What was known before it. */
  readonly inherited: Memory;
}

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
  /** What becomes due when it changes. */
  readonly due: readonly Obligation['what'][];
}

/** Runs whose work is there, as a list from the newest on: each run adds to the list before it, so none is copied. */
interface Standing {
  readonly id: string;
  readonly earlier: Standing | null;
  /** The earliest of them that undid nothing itself. */
  readonly installed: string | null;
}

/** One run that changed something, or that undid others. */
export interface PastRun {
  readonly id: string;
  readonly run: FactsOfRun;
  /** Paths that are otherwise than before it; what it put back itself is not among them. */
  readonly changed: readonly string[];
  /** It was to put the host back to how it was before this run; null where it was to undo nothing. */
  readonly undid: string | null;
  /** Is its work still there, neither undone by a later run nor made undone again? */
  readonly stands: boolean;
  /** The run that an uninstall would go back to before, once this one and all later ones are undone. */
  readonly installedBefore: string | null;
}

/** Ids of the runs of a list. */
function idsOf(standing: Standing | null): ReadonlySet<string> {
  const ids = new Set<string>();
  for (let each = standing; each !== null; each = each.earlier) ids.add(each.id);
  return ids;
}

interface Replacement {
  readonly path: string;
  readonly before: FileIdentity | null;
  readonly after: FileIdentity | null;
  readonly backup: string | null;
  readonly due: readonly Obligation['what'][];
  /** `announced`: the run was killed or failed at it. */
  readonly state: 'announced' | 'done' | 'restored';
}

/** What a run did to its paths, in order. */
function replacementsOf(run: FactsOfRun): readonly Replacement[] {
  const all: Replacement[] = [];
  const last = (path: string): number => all.findLastIndex((each) => each.path === path);
  for (const fact of run.facts) {
    if (fact.fact === 'replacing') {
      const { path, before, after, backup, due = [] } = fact;
      all.push({ path, before, after, backup, due, state: 'announced' });
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

type FactOf<Kind extends Fact['fact']> = Extract<Fact, { fact: Kind }>;

/** The first fact of a kind in a run; null where it has none. */
const firstFact = <Kind extends Fact['fact']>(run: FactsOfRun, kind: Kind): FactOf<Kind> | null =>
  run.facts.find((fact): fact is FactOf<Kind> => fact.fact === kind) ?? null;

/**
 * @param runs all runs of the host, oldest first
 * @returns those of the product that changed a path or undid others, oldest first
 */
export function pastRuns(runs: readonly FactsOfRun[], product: string): readonly PastRun[] {
  const past: Omit<PastRun, 'stands'>[] = [];
  const stoodBefore = new Map<string, Standing | null>();
  let standing: Standing | null = null;
  for (const run of runs) {
    if (run.product !== product) continue;
    const all = replacementsOf(run);
    const changed = [...new Set(all.filter(({ state }) => state !== 'restored').map(({ path }) => path))];
    // One that found everything undone already, by a run that was killed at its end, has announced nothing.
    const undid = (firstFact(run, 'undoing') ?? firstFact(run, 'undone'))?.to ?? null;
    if (changed.length === 0 && undid === null) continue;
    stoodBefore.set(run.id, standing);
    past.push({ id: run.id, run, changed, undid, installedBefore: standing?.installed ?? null });
    // One that was killed at it has undone nothing yet: the next one begins where it began.
    const done = firstFact(run, 'undone');
    const earlier: Standing | null = done === null ? standing : (stoodBefore.get(done.to) ?? null);
    const installed: string | null = earlier?.installed ?? (undid === null ? run.id : null);
    standing = { id: run.id, earlier, installed };
  }
  const ids = idsOf(standing);
  return past.map((each) => ({ ...each, stands: ids.has(each.id) }));
}

/** The run that `rollback` undoes without being told: the last one that stands, and that undid nothing itself. */
export const lastToUndo = (past: readonly PastRun[]): PastRun | null =>
  past.findLast(({ stands, undid, changed }) => stands && undid === null && changed.length > 0) ?? null;

/** The run that an uninstall goes back to before: the first one that stands, and that undid nothing itself. */
export const firstInstalled = (past: readonly PastRun[]): PastRun | null =>
  past.find(({ stands, undid }) => stands && undid === null) ?? null;

/** @returns every path that one of these runs touched, as it was before the first of them */
function pathsBefore(runs: readonly PastRun[]): readonly PathBefore[] {
  const found = new Map<string, PathBefore>();
  for (const { id, run } of runs) {
    for (const { path, before, after, backup, state, due } of replacementsOf(run)) {
      const known = found.get(path);
      const now =
        state === 'done' ? [after] : state === 'restored' ? [before] : [...(known?.now ?? [before]), after];
      const first: Omit<PathBefore, 'now' | 'due'> = known ?? {
        path,
        before,
        backup: backup === null ? null : { run: id, name: backup },
        baselines: run.inherited.baselines[path] ?? [],
      };
      found.set(path, { ...first, now, due: [...new Set([...(known?.due ?? []), ...due])] });
    }
  }
  return [...found.values()];
}

/** How the host was before a run, as far as that run or a later one has touched it. */
export interface Before {
  /** In the order in which they were first touched. */
  readonly paths: readonly PathBefore[];
  /** Settings in the env file; null: there was none; undefined: nobody has touched it. */
  readonly settings: Readonly<Record<string, string>> | null | undefined;
  /** Units that ran; null where no unit was touched. */
  readonly running: readonly string[] | null;
  /** Secrets whose values of then are gone. */
  readonly replaced: readonly string[];
  /** What was known of code from --source. */
  readonly sources: Pick<Memory, 'sourcesSupplied' | 'sourcesInsteadOf'>;
}

/** @param to id of one of `past` */
export function hostBefore(past: readonly PastRun[], to: string): Before {
  const runs = past.slice(past.findIndex((each) => each.id === to));
  const firstOf = <Kind extends Fact['fact']>(kind: Kind): FactOf<Kind> | null => {
    for (const { run } of runs) {
      const fact = firstFact(run, kind);
      if (fact !== null) return fact;
    }
    return null;
  };
  // One that put everything back itself has kept them.
  const replaced = runs.flatMap(({ run, changed }) =>
    changed.length === 0 ? [] : (firstFact(run, 'secretsReplaced')?.names ?? []),
  );
  const settings = firstOf('settingsFound');
  const { sourcesSupplied, sourcesInsteadOf } = runs[0]?.run.inherited ?? emptyMemory;
  return {
    paths: pathsBefore(runs),
    settings: settings === null ? undefined : settings.settings,
    running: firstOf('unitsFound')?.running ?? null,
    replaced: [...new Set(replaced)],
    sources: { sourcesSupplied, sourcesInsteadOf },
  };
}
