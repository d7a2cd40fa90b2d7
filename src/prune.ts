/** Pruning: copies of replaced files that no undoing of the newest runs needs go; journals stay whole. */
import { errnoOf } from './errno.ts';
import { InstallerError, toPublicError } from './errors.ts';
import { copiesOf, removeCopies, runsWithCopies } from './journal/copies.ts';
import { factsOf, readRun, runIds, type Run } from './journal/reader.ts';
import { keptRuns, retained } from './retention.ts';
import type { RunEvent } from './run-events.ts';

/** Copies of one run that go. */
export interface Going {
  readonly run: string;
  /** Their names in the run's folder. */
  readonly names: readonly string[];
  /** The paths that stood there; of a copy that a kill left without a record, none. */
  readonly paths: readonly string[];
}

interface Found {
  readonly going: readonly Going[];
  /** Runs whose copies stay, since nobody can tell any more what they are of. */
  readonly damaged: readonly { readonly run: string; readonly why: string }[];
}

function pathsOf(run: Run, names: readonly string[]): readonly string[] {
  const paths = run.records.flatMap((record) =>
    record.k === 'fact' && record.fact.fact === 'replacing' && names.includes(record.fact.backup ?? '')
      ? [record.fact.path]
      : [],
  );
  return [...new Set(paths)];
}

function orPruneFails<T>(run: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new InstallerError('E_PRUNE', { run, why: errnoOf(error) }, error);
  }
}

/**
 * @param home the journal's directory
 * @param keep how many runs of each product keep all of their copies
 * @throws InstallerError E_PRUNE where a folder cannot be looked into
 */
export function copiesToPrune(home: string, keep: number): Found {
  const ids = runIds(home);
  const withCopies = new Set(runsWithCopies(home, ids));
  // No journal need be read to know that there are few.
  if (withCopies.size <= keep) return { going: [], damaged: [] };
  const holding = new Map<string, Run>();
  const facts = ids.map((id) => {
    const run = readRun(home, id);
    if (withCopies.has(id)) holding.set(id, run);
    return factsOf(run);
  });
  const stays = retained(facts, withCopies, keep);
  const all = [...holding.values()];
  const isClear = ({ damage, product }: Run): boolean => damage === null && product !== null;
  const going = all.filter(isClear).flatMap((run) => {
    const names = orPruneFails(run.id, () => copiesOf(home, run.id)).filter((name) => !stays(run.id, name));
    return names.length === 0 ? [] : [{ run: run.id, names, paths: pathsOf(run, names) }];
  });
  const damaged = all.flatMap(({ id, damage }) => (damage === null ? [] : [{ run: id, why: damage }]));
  return { going, damaged };
}

/**
 * Removes them, durably, the oldest run first; whoever was killed at it is gone on from by the next one. The caller holds
 * the journal's lock.
 *
 * @param told hears of each run once its copies are gone
 * @throws InstallerError E_PRUNE at the first run of which something cannot be removed
 */
export function prune(home: string, going: readonly Going[], told: (gone: Going) => void): void {
  for (const each of going) {
    orPruneFails(each.run, () => removeCopies(home, each.run, each.names));
    told(each);
  }
}

/**
 * What a run does at its end, when it has made copies: what happened has happened, so nothing of this fails it.
 *
 * @param home the journal's directory, locked by the run; null where it has made no copies
 */
export function pruneAfterRun(home: string | null, emit: (event: RunEvent) => void): void {
  if (home === null) return;
  const note = (code: string, level: 'info' | 'warning', text: string): void =>
    emit({ v: 1, type: 'note', code, level, text });
  const gone: string[] = [];
  try {
    prune(home, copiesToPrune(home, keptRuns).going, ({ run }) => gone.push(run));
  } catch (error) {
    const { message, remedy } = toPublicError(error);
    note('prune-failed', 'warning', `${message} ${remedy}`);
  }
  if (gone.length === 0) return;
  const words = gone.length === 1 ? `run ${gone[0] ?? ''}` : `${gone.length} runs`;
  const text = `The copies of replaced files that ${words} kept were pruned: the newest ${keptRuns} runs keep theirs.`;
  note('copies-pruned', 'info', text);
}
