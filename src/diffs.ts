/** Unified diffs of text files, loaded only where somebody will see them. */
import type { FileChange } from './effects/scope.ts';

export interface FileDiff {
  readonly path: string;
  /** With file names and hunks, three lines of context. */
  readonly diff: string;
}

export type Differ = (changes: readonly FileChange[]) => readonly FileDiff[];

/** Loads the library; secrets and comments are masked in the changes that are handed over. A change of mode alone has none. */
export async function loadDiffer(): Promise<Differ> {
  const { createTwoFilesPatch } = await import('diff');
  return (changes) =>
    changes
      .filter(({ before, after }) => before !== after)
      .map(({ path, before, after }) => {
        const diff = createTwoFilesPatch(path, path, before, after, undefined, undefined, { context: 3 });
        return { path, diff: diff.replace(/^Index:.*\n=+\n/u, '') };
      });
}
