/**
 * One run at a time, by a lock that the kernel holds and drops with the process, however it ends.
 *
 * Node has no flock(2). The program `flock` takes it on a descriptor that it inherits; the lock belongs to the open file
 * description, so this process goes on holding it. Synchronous and without execa, which cannot pass a descriptor on.
 */
import { spawnSync } from 'node:child_process';
import { constants, existsSync, openSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { close } from '../descriptor.ts';
import { attempt } from './attempt.ts';

const flock = '/usr/bin/flock';

/** util-linux: the lock is held by somebody else. */
const heldExit = 1;

/** Seconds: somebody who only looks whether a run is under way holds the lock for an instant. */
const patience = '0.3';

function lockDescriptor(fd: number, ...how: readonly string[]): boolean {
  const result = spawnSync(flock, [...how, '3'], {
    stdio: ['ignore', 'ignore', 'ignore', fd],
    env: {},
  });
  if (result.status === 0) return true;
  if (result.status === heldExit) return false;
  throw result.error ?? new Error(`flock failed (${result.status ?? result.signal ?? 'unknown'})`);
}

const openDirectory = (directory: string): number =>
  attempt(() => openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY));

export interface Lock {
  /** Gives it back; what this process does not give back is gone with the process. */
  release(): void;
}

/**
 * @param directory what stands for "the installation"
 * @returns null where another run holds it, in this process or in another one
 * @throws InstallerError E_JOURNAL where it cannot be asked for
 */
export function takeLock(directory: string): Lock | null {
  const fd = openDirectory(directory);
  let taken = false;
  try {
    taken = attempt(() => lockDescriptor(fd, '--exclusive', '--wait', patience));
    return taken ? { release: () => close(fd) } : null;
  } finally {
    if (!taken) close(fd);
  }
}

/** Where there are none yet, nobody can take one of them for going on. */
const runsOf = (home: string): string => path.join(home, 'runs');

/**
 * Takes the lock of the plain installation, which is everybody's, for what is no run of it and has no directory of its own to
 * lock: that of the plain one's runs tells so.
 *
 * @param home the journal's directory of the plain installation
 * @returns as {@link takeLock}
 * @throws InstallerError as {@link takeLock}
 */
export function takeLockForOther(home: string): Lock | null {
  const lock = takeLock(home);
  if (lock === null || !existsSync(runsOf(home))) return lock;
  try {
    // Held by somebody else, it tells what it is to tell all the same.
    const mark = takeLock(runsOf(home));
    return {
      release: () => {
        lock.release();
        mark?.release();
      },
    };
  } catch (error) {
    // Nobody gets it to give it back: in a program that goes on it would be held for good.
    lock.release();
    throw error;
  }
}

/** Is another run under way? Leaves nothing behind, works on read-only file systems. E_JOURNAL. */
export function probeLock(directory: string): boolean {
  const fd = openDirectory(directory);
  try {
    return !attempt(() => lockDescriptor(fd, '--shared', '--nonblock'));
  } finally {
    close(fd);
  }
}

/** Directories of the instances; a file that somebody has put beside them is none. */
function instancesOf(home: string): readonly string[] {
  const directory = path.join(home, 'instances');
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => path.join(directory, name));
}

/**
 * Is a run of this very installation under way? The lock of the plain one is everybody's; a run of an instance holds its
 * own as well, and who has none that of the plain one's runs.
 *
 * @param home the journal's directory of the installation
 */
export function isUnderWay(home: string): boolean {
  if (!probeLock(home)) return false;
  const runs = existsSync(runsOf(home)) ? [runsOf(home)] : [];
  return ![...runs, ...instancesOf(home)].some((other) => probeLock(other));
}
