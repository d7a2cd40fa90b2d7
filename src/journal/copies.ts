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

/** @returns undefined where there is no such directory */
function within<T>(directory: string, work: (fd: number) => T): T | undefined {
  let fd: number;
  try {
    fd = openDirectory(directory);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return work(fd);
  } finally {
    close(fd);
  }
}

/** Opens the directory of a run's copies, one after another of those that it is in. @returns undefined where one is missing */
const withinCopies = <T>(
  home: string,
  run: string,
  work: (before: number, folder: number) => T,
): T | undefined =>
  within(path.join(home, 'runs'), (runs) =>
    within(through(runs, run), (folder) =>
      within(through(folder, 'before'), (before) => work(before, folder)),
    ),
  );

/** Names of the copies of a run, and of what a kill has left of one; nothing of anybody else. */
export const copiesOf = (home: string, run: string): readonly string[] =>
  withinCopies(home, run, (before) =>
    namesIn(before)
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
  withinCopies(home, run, (before, folder) => {
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
