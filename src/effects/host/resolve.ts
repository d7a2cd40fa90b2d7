/**
 * From a path below the root to an open directory and a name in it, without trusting anything on the way.
 *
 * Links on the way count as in a chroot: they never lead out of the root.
 */
import { constants, fstatSync, lstatSync, openSync, readlinkSync, type Stats } from 'node:fs';
import { close } from '../../descriptor.ts';
import { errnoOf } from '../../errno.ts';
import { InstallerError } from '../../errors.ts';
import { openDirectory, through } from '../../opened-directory.ts';

/** As the kernel: more links than this on one way are a loop. */
const maxLinks = 40;

/** A root directory, and the user whose files below it are trusted as root's are. */
export interface Trust {
  readonly root: string;
  /** The uid that stands for root. */
  readonly owner: number;
}

/** An open directory and the last name of the path; `close` it. */
export interface Place {
  readonly fd: number;
  readonly name: string;
  /** Path of `name` through the descriptor. */
  readonly path: string;
  close(): void;
}

const unsafe = (path: string, why: string): InstallerError =>
  new InstallerError('E_PATH_UNSAFE', { path, why });

/**
 * Somebody who is not root and may not look is told to be root: there is nothing to be put right, and who loosens the
 * permissions instead gives the secrets away. null where that is not the reason.
 */
export function notRoot(trust: Pick<Trust, 'root'>, path: string, error: unknown): InstallerError | null {
  const denied = ['EACCES', 'EPERM'].includes(errnoOf(error));
  return denied && trust.root === '/' && process.geteuid!() !== 0
    ? new InstallerError('E_NOT_ROOT', { path }, error)
    : null;
}

/** Whoever may write a directory may swap what is in it (CVE-2021-35939: every ancestor counts, not the parent alone). */
function mustBeOurs(status: Stats, trust: Trust, path: string): void {
  if (status.uid !== 0 && status.uid !== trust.owner) {
    throw unsafe(path, `the directory belongs to uid ${status.uid}, who could swap what is in it`);
  }
  const sticky = (status.mode & 0o1000) !== 0;
  if ((status.mode & 0o022) !== 0 && !sticky) {
    throw unsafe(path, 'others may write this directory and swap what is in it');
  }
}

/** The names of a path, without those that lead nowhere. */
export const partsOf = (path: string): string[] =>
  path.split('/').filter((part) => part !== '' && part !== '.');

/** One walk from the root to the parent of a path. Holds the descriptors of all directories down to where it is. */
class Walk {
  private readonly fds: number[] = [];
  private readonly names: string[] = [];
  private links = 0;
  private readonly trust: Trust;

  constructor(trust: Trust) {
    this.trust = trust;
    try {
      this.fds.push(openSync(trust.root, constants.O_RDONLY | constants.O_DIRECTORY));
    } catch (error) {
      throw new InstallerError('E_ROOT_INVALID', { path: trust.root, why: errnoOf(error) }, error);
    }
  }

  get fd(): number {
    return this.fds.at(-1)!;
  }

  private get where(): string {
    return `/${this.names.join('/')}`;
  }

  close(): void {
    for (const fd of this.fds.splice(0)) close(fd);
  }

  /** Keeps the directory that the walk has reached; the caller closes it. */
  take(): number {
    const fd = this.fds.pop()!;
    this.close();
    return fd;
  }

  private up(): void {
    if (this.fds.length === 1) return;
    close(this.fds.pop()!);
    this.names.pop();
  }

  /** An absolute link starts over at the root, as in a chroot. */
  toRoot(): void {
    while (this.fds.length > 1) this.up();
  }

  private enter(name: string, status: Stats): void {
    const path = `${this.where === '/' ? '' : this.where}/${name}`;
    let fd: number;
    try {
      fd = openDirectory(through(this.fd, name));
    } catch (error) {
      throw (
        notRoot(this.trust, path, error) ??
        unsafe(path, `it cannot be opened as a directory (${errnoOf(error)})`)
      );
    }
    this.fds.push(fd);
    this.names.push(name);
    const opened = fstatSync(fd);
    if (opened.ino !== status.ino || opened.dev !== status.dev)
      throw unsafe(path, 'it was swapped while we looked');
    mustBeOurs(opened, this.trust, path);
  }

  private follow(name: string, status: Stats, rest: string[]): string[] {
    const path = `${this.where === '/' ? '' : this.where}/${name}`;
    this.links += 1;
    if (this.links > maxLinks) throw unsafe(path, 'symlinks lead in a circle');
    if (status.uid !== 0 && status.uid !== this.trust.owner) {
      throw unsafe(path, `the symlink belongs to uid ${status.uid}`);
    }
    const target = readlinkSync(through(this.fd, name));
    if (target.startsWith('/')) this.toRoot();
    return [...partsOf(target), ...rest];
  }

  /** Enters every directory of `parts`; false where one of them is missing. */
  descend(parts: readonly string[]): boolean {
    let rest = [...parts];
    while (rest.length > 0) {
      const [name, ...others] = rest as [string, ...string[]];
      rest = others;
      if (name === '..') {
        this.up();
        continue;
      }
      const status = lstatSync(through(this.fd, name), { throwIfNoEntry: false });
      if (status === undefined) return false;
      if (status.isSymbolicLink()) rest = this.follow(name, status, rest);
      else if (status.isDirectory()) this.enter(name, status);
      else throw unsafe(`${this.where === '/' ? '' : this.where}/${name}`, 'it is not a directory');
    }
    return true;
  }
}

/**
 * @param path absolute, below the root
 * @returns null where a directory on the way is missing
 * @throws InstallerError E_PATH_UNSAFE, E_ROOT_INVALID
 */
export function locate(trust: Trust, path: string): Place | null {
  const parts = partsOf(path);
  const name = parts.pop();
  if (name === undefined || parts.includes('..') || name === '..')
    throw unsafe(path, 'it is no path of a file');
  const walk = new Walk(trust);
  try {
    if (!walk.descend(parts)) {
      walk.close();
      return null;
    }
    const fd = walk.take();
    return { fd, name, path: through(fd, name), close: () => close(fd) };
  } catch (error) {
    walk.close();
    throw error;
  }
}

/** As {@link locate}, with links at the last name followed too: for files that are other people's (certificates). */
export function opened(trust: Trust, path: string): number | null {
  const walk = new Walk(trust);
  try {
    const parts = partsOf(path);
    let name = parts.pop();
    let parents = parts;
    for (let links = 0; name !== undefined && links <= maxLinks; links += 1) {
      if (!walk.descend(parents)) return null;
      const here = through(walk.fd, name);
      const status = lstatSync(here, { throwIfNoEntry: false });
      if (status === undefined) return null;
      if (!status.isSymbolicLink())
        return openSync(here, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      const target = readlinkSync(here);
      if (target.startsWith('/')) walk.toRoot();
      parents = partsOf(target);
      name = parents.pop();
    }
    return null;
  } finally {
    walk.close();
  }
}
