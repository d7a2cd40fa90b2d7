/**
 * Copies of what runs replaced, `before/N` in the folder of each: listed and removed. Every directory is opened without
 * following links, and what is in it is named through its descriptor, as everywhere in the journal.
 */
import { fsyncSync, lstatSync, rmdirSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { close } from '../descriptor.ts';
import { errnoOf } from '../errno.ts';
import { namesIn, openDirectory, through } from '../opened-directory.ts';
import { isLeftover } from './files.ts';

/** Names as facts tell them; one that leads elsewhere is none that a run has given. */
export const isCopy = (name: string): boolean => /^before\/\d+(?:\.masked)?$/u.test(name);

/** Is there still a copy of that name in the run's folder? */
export const hasCopy = (home: string, run: string, name: string): boolean =>
  isCopy(name) && lstatSync(path.join(home, 'runs', run, name), { throwIfNoEntry: false }) !== undefined;

/** Those of these runs whose folder has copies in it: a look at each folder, not into it. */
export const runsWithCopies = (home: string, runs: readonly string[]): readonly string[] =>
  runs.filter((run) => lstatSync(path.join(home, 'runs', run, 'before'), { throwIfNoEntry: false }));

/** Opens directory after directory below `home`, and closes all of them. @returns undefined where one is missing */
function inside<T>(
  home: string,
  names: readonly string[],
  work: (fds: readonly number[]) => T,
): T | undefined {
  const fds: number[] = [];
  try {
    for (const name of names) {
      const parent = fds.at(-1);
      fds.push(openDirectory(parent === undefined ? path.join(home, name) : through(parent, name)));
    }
    return work(fds);
  } catch (error) {
    if (fds.length < names.length && errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  } finally {
    for (const fd of fds) close(fd);
  }
}

/** Names of the copies of a run, and of what a kill has left of one; nothing of anybody else. */
export const copiesOf = (home: string, run: string): readonly string[] =>
  inside(home, ['runs', run, 'before'], (fds) =>
    namesIn(fds.at(-1) ?? -1)
      .map((name) => `before/${name}`)
      .filter((name) => isCopy(name) || isLeftover(name))
      .sort(),
  ) ?? [];

/**
 * Removes copies; their directory too once it is empty. Durable when this returns; what is gone already is no failure.
 *
 * @param names as {@link copiesOf} tells them
 * @throws the system's error; what was removed by then is gone
 */
export function removeCopies(home: string, run: string, names: readonly string[]): void {
  inside(home, ['runs', run, 'before'], (fds) => {
    const [folder, before] = [fds.at(-2) ?? -1, fds.at(-1) ?? -1];
    for (const name of names) {
      try {
        unlinkSync(through(before, path.basename(name)));
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') throw error;
      }
    }
    fsyncSync(before);
    if (namesIn(before).length > 0) return;
    rmdirSync(through(folder, 'before'));
    fsyncSync(folder);
  });
}
