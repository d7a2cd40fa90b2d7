/** The real host: files below its root through opened directories, programs, HTTP on loopback. */
import {
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { close } from '../../descriptor.ts';
import { errnoOf } from '../../errno.ts';
import { InstallerError } from '../../errors.ts';
import type { FileIdentity } from '../../facts.ts';
import { namesIn } from '../../opened-directory.ts';
import { lookAt } from '../identity.ts';
import { replaceFile, replaceLink } from './atomic-file.ts';
import { runCommand } from './commands.ts';
import { requestHttp } from './http.ts';
import { makeDirectory } from './make-directory.ts';
import { removeTree } from './remove-tree.ts';
import type { Change, Command, CommandResult, FileStatus, Host, WriteOptions } from './port.ts';
import { failed } from './failed.ts';
import { createPlaces, unreadable } from './places.ts';
import { locate, opened, type Place, type Trust } from './resolve.ts';
import type { Unsynced } from './unsynced.ts';

/** Where the host is, and what comes before each change of it. */
export interface RealHostOptions {
  /** `/`, or a directory that stands for it. */
  readonly root: string;
  /** Called before every change: the journal of what led to it must be on disk by then. */
  readonly beforeChange?: () => Promise<void>;
  /**
   * Where somebody syncs what is in it before saying that anything is done: then a file that was announced with others does
   * not wait for its directory.
   */
  readonly unsynced?: Unsynced;
}

const typeOf = (status: {
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}): FileStatus['type'] => {
  if (status.isFile()) return 'file';
  if (status.isDirectory()) return 'directory';
  return status.isSymbolicLink() ? 'link' : 'other';
};

const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * The host below `root`: its files through opened directories that no symlink leads elsewhere, its programs, HTTP on
 * loopback.
 */
export function createRealHost({ root, beforeChange, unsynced }: RealHostOptions): Host {
  const owner = root === '/' ? 0 : process.geteuid!();
  const group = root === '/' ? 0 : process.getegid!();
  const trust: Trust = { root, owner };
  const system = <T>(look: () => T): T | null => {
    try {
      return look();
    } catch {
      return null;
    }
  };

  const { at, look } = createPlaces(trust);
  const nothing = (): null => null;
  const noDirectory = (path: string) => (): never => {
    throw new InstallerError('E_WRITE_FAILED', { path, why: 'its directory is missing' });
  };

  async function change(path: string, make: (place: Place) => void, isAnnounced = false): Promise<Change> {
    // Who has nobody to sync the directory later is asked before each change, announced or not.
    if (!isAnnounced || unsynced === undefined) await beforeChange?.();
    try {
      at(path, make, noDirectory(path));
    } catch (error) {
      throw failed(path, error);
    }
    return 'changed';
  }

  function statusAt(place: Place): FileStatus | null {
    const status = lstatSync(place.path, { bigint: true, throwIfNoEntry: false });
    if (status === undefined) return null;
    return {
      type: typeOf(status),
      mode: Number(status.mode & 0o7777n),
      uid: Number(status.uid),
      gid: Number(status.gid),
      size: Number(status.size),
      changedNs: status.ctimeNs,
    };
  }

  function bytesAt(place: Place, path: string): Uint8Array | null {
    let fd: number;
    try {
      fd = openSync(place.path, readFlags);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return null;
      throw unreadable(trust, path, error);
    }
    try {
      if (!fstatSync(fd).isFile()) {
        throw new InstallerError('E_PATH_UNSAFE', { path, why: 'it is not a regular file' });
      }
      return readFileSync(fd);
    } catch (error) {
      throw unreadable(trust, path, error);
    } finally {
      close(fd);
    }
  }

  const linkAt = (place: Place): string | null => system(() => readlinkSync(place.path));

  /** E_CHANGED_UNDERWAY where the place, which is about to be changed, no longer holds what the plan was made for. */
  function mustStillBe(place: Place, path: string, expected: FileIdentity | null, bytes?: Uint8Array): void {
    const here = {
      lstat: () => statusAt(place),
      readFile: () => bytesAt(place, path),
      readLink: () => linkAt(place),
    };
    const found = lookAt(here, path);
    const same =
      expected === null || found === null
        ? expected === null && found === null
        : found.identity.type === expected.type &&
          (expected.hash === null || found.identity.hash === expected.hash) &&
          (bytes === undefined || (found.bytes !== null && Buffer.compare(found.bytes, bytes) === 0));
    if (!same) throw new InstallerError('E_CHANGED_UNDERWAY', { path });
  }

  const host: Host = {
    root,
    owner,
    group,
    lstat: (path) => look(path, statusAt, nothing),
    readFile: (path) => look(path, (place) => bytesAt(place, path), nothing),
    readLink: (path) => look(path, linkAt, nothing),
    list: (path) => at(`${path}/entry`, (place) => system(() => namesIn(place.fd).sort()), nothing),
    isFile: (path) => {
      const fd = system(() => opened(trust, path));
      if (fd === null) return false;
      try {
        return fstatSync(fd).isFile();
      } finally {
        close(fd);
      }
    },
    readSystem: (path) => (root === '/' ? system(() => readFileSync(path)) : null),
    listSystem: (path) => (root === '/' ? system(() => readdirSync(path).sort()) : null),
    linkSystem: (path) => (root === '/' ? system(() => readlinkSync(path)) : null),
    query: (command: Command) => runCommand(command, 'ours'),
    http: requestHttp,
    pause: async (milliseconds, signal) => {
      await sleep(milliseconds, undefined, signal === undefined ? {} : { signal });
    },

    makeDirectory: (path, mode) =>
      change(path, (place) => {
        makeDirectory(place, mode);
      }),
    writeFile: (path, bytes, options: WriteOptions) =>
      change(
        path,
        (place) => {
          const ownership = { uid: owner, gid: group, ...options.ownership, mode: options.mode };
          replaceFile(place, bytes, ownership, () =>
            mustStillBe(place, path, options.expected, options.expectedBytes),
          );
          if (options.announced === true && unsynced !== undefined) unsynced.add(place, path);
          // Without this a power cut after success would bring the old file back.
          else fsyncSync(place.fd);
        },
        options.announced,
      ),
    makeLink: (path, target, expected) =>
      change(path, (place) => {
        mustStillBe(place, path, expected);
        const elsewhere = expected === null ? null : locate(trust, path.split('/').slice(0, -1).join('/'));
        try {
          replaceLink(place, target, elsewhere);
        } finally {
          elsewhere?.close();
        }
      }),
    remove: (path) =>
      change(path, (place) => {
        const status = lstatSync(place.path, { throwIfNoEntry: false });
        if (status === undefined) return;
        if (status.isDirectory()) rmdirSync(place.path);
        else unlinkSync(place.path);
        fsyncSync(place.fd);
      }),
    removeTree: (path) =>
      change(path, (place) => {
        removeTree(place);
        fsyncSync(place.fd);
      }),
    setMode: (path, mode) =>
      change(path, (place) => {
        const fd = openSync(place.path, readFlags);
        try {
          fchmodSync(fd, mode);
          fsyncSync(fd);
        } finally {
          close(fd);
        }
      }),
    change: async (command): Promise<CommandResult> => {
      await beforeChange?.();
      return runCommand(command, 'its own');
    },
  };
  return host;
}
