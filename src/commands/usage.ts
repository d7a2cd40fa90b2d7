/** Bad usage: one sentence that names the value and what would be valid. Exit 64, nothing touched. */
import { InstallerError } from '../errors.ts';

export const usage = (what: string, remedy?: string): InstallerError =>
  new InstallerError('E_USAGE', { what, ...(remedy === undefined ? {} : { remedy }) });

/** Edits (insert, remove, replace a character) that lead from one word to the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (const [i, a] of Array.from(from).entries()) {
    const next = [i + 1];
    for (const [j, b] of Array.from(to).entries()) {
      next.push(Math.min(row[j + 1]! + 1, next[j]! + 1, row[j]! + (a === b ? 0 : 1)));
    }
    row = next;
  }
  return row[to.length]!;
}

/** The known word that was probably meant; null where none is near. */
export function nearest(word: string, known: readonly string[]): string | null {
  const [best] = known
    .map((candidate) => ({ candidate, far: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.far - b.far);
  return best !== undefined && best.far <= Math.max(2, best.candidate.length / 3) ? best.candidate : null;
}
