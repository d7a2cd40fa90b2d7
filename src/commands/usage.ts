/** Bad usage: one sentence that names the value and what would be valid. Exit 64, nothing touched. */
import { InstallerError } from '../errors.ts';

export const usage = (what: string, remedy?: string): InstallerError =>
  new InstallerError('E_USAGE', { what, ...(remedy === undefined ? {} : { remedy }) });

/** A word as it may stand in a sentence. What has an @ may hold a password. */
export const shown = (word: string): string =>
  word.includes('@') ? 'a value' : JSON.stringify(word.slice(0, 60));

/** Edits (insert, remove, replace a character, swap two neighbours) that lead from one word to the other. */
function distance(from: string, to: string): number {
  const [a, b] = [Array.from(from), Array.from(to)];
  const rows = [Array.from({ length: b.length + 1 }, (_, at) => at)];
  for (let i = 1; i <= a.length; i += 1) {
    const [above, twoAbove] = [rows[i - 1]!, rows[i - 2]];
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped =
        twoAbove !== undefined && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
          ? twoAbove[j - 2]! + 1
          : replaced;
      row.push(Math.min(above[j]! + 1, row[j - 1]! + 1, replaced, swapped));
    }
    rows.push(row);
  }
  return rows.at(-1)!.at(-1)!;
}

/** One typing error in three characters; more, and it is another word. */
const isNear = (far: number, word: string): boolean => far <= Math.max(1, Math.floor(word.length / 3));

/** Whoever wants to take something away must not be shown the way to put more there. */
const takesAway = /^(un|de|rem|rm|purge|erase|clean)/iu;

/** The known word that was probably meant; null where none is near. */
export function nearest(word: string, known: readonly string[]): string | null {
  const bare = (text: string): string => text.replace(/^-+/u, '').toLowerCase();
  const [best] = known
    .filter((candidate) => candidate !== 'install' || !takesAway.test(word))
    .map((candidate) => ({ candidate, far: distance(bare(word), bare(candidate)) }))
    .sort((a, b) => a.far - b.far);
  return best !== undefined && isNear(best.far, bare(best.candidate)) ? best.candidate : null;
}

/** ` Did you mean X?`, or nothing. */
export function hint(word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  return meant === null ? '' : ` Did you mean ${meant}?`;
}
