/**
 * Which copies of replaced files stay: those of the newest runs that have any, and the originals from before the first
 * installation, which an uninstall puts back. Pure: from facts alone; what is in the folders is told by whoever asks.
 */
import { firstInstalled, hostBefore, pastRuns, type FactsOfRun } from './past.ts';

/** So many runs of each product keep their copies unless another number is asked for. */
export const keptRuns = 20;

export type Retained = (run: string, name: string) => boolean;

/**
 * Undoing goes back in one step from now to before a run, so it needs copies of that run and of later ones only: whoever
 * is among the newest can be undone with what the newest keep. The originals are kept for the installation that stands,
 * and for each one that would stand again once a run that keeps its copies, an uninstall for example, is undone.
 *
 * @param runs all runs of the host, oldest first
 * @param withCopies ids of those that have copies
 * @param keep how many of the newest of these keep all of theirs, for each product
 * @returns does this copy stay? Not asked of a run whose product is not known
 */
export function retained(
  runs: readonly FactsOfRun[],
  withCopies: ReadonlySet<string>,
  keep: number,
): Retained {
  const whole = new Set<string>();
  const originals = new Set<string>();
  const products = new Set(runs.flatMap(({ product }) => (product === null ? [] : [product])));
  for (const product of products) {
    const own = runs.filter((run) => run.product === product && withCopies.has(run.id));
    const newest = own.slice(Math.max(0, own.length - keep));
    for (const { id } of newest) whole.add(id);
    const past = pastRuns(runs, product);
    const oldest = newest[0]?.id;
    const undoable = oldest === undefined ? [] : past.filter(({ id }) => id >= oldest);
    const installations = [firstInstalled(past)?.id, ...undoable.map((each) => each.installedBefore)];
    for (const id of new Set(installations)) {
      if (id == null) continue;
      for (const { backup } of hostBefore(past, id).paths)
        if (backup !== null) originals.add(`${backup.run}/${backup.name}`);
    }
  }
  return (run, name) => whole.has(run) || originals.has(`${run}/${name}`);
}
