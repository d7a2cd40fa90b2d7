/**
 * A host in memory: for embedding programs' tests and for trying a product out. Files, links and directories behave as
 * on a disk; systemd is not running there, as in an image build, and no package is missing. Commands and HTTP are answered by the
 * caller, where the caller wants more.
 */
import { InstallerError } from '../../errors.ts';
import type { FileIdentity } from '../../facts.ts';
import { lookAt } from '../identity.ts';
import { tools } from '../tools.ts';
import type { Change, Command, CommandResult, FileStatus, Host, HttpAnswer, HttpRequest } from './port.ts';

/** A file, directory or link in memory. */
export interface MemoryNode {
  readonly type: 'file' | 'directory' | 'link' | 'other';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly changedNs: bigint;
  readonly bytes: Uint8Array;
}

/** What is there from the beginning, and what answers. */
export interface MemoryHostOptions {
  /** Path → text of files that are there from the beginning; their directories are made. */
  readonly files?: Readonly<Record<string, string>>;
  /** Answers programs; the default is {@link packageDatabase}. */
  readonly command?: (command: Command) => CommandResult;
  readonly http?: (request: HttpRequest) => HttpAnswer;
}

/** A {@link Host} whose files can be looked at. */
export interface MemoryHost extends Host {
  readonly nodes: ReadonlyMap<string, MemoryNode>;
}

/** Every package that is asked for is installed; no other program is there (exit code 127). */
const packageDatabase = ({ file, args }: Command): CommandResult => {
  if (file !== tools.dpkgQuery) return { exitCode: 127, stdout: '', stderr: '' };
  const names = args.filter((arg) => !arg.startsWith('-'));
  return { exitCode: 0, stdout: names.map((name) => `${name} installed\n`).join(''), stderr: '' };
};

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';

/** A host in memory, empty but for `files`: what is written to it is there to be read. */
export function createMemoryHost(options: MemoryHostOptions = {}): MemoryHost {
  const nodes = new Map<string, MemoryNode>();
  let clock = 0n;
  const put = (
    path: string,
    type: MemoryNode['type'],
    mode: number,
    bytes: Uint8Array = new Uint8Array(),
  ): void => {
    clock += 1n;
    nodes.set(path, { type, mode, uid: 0, gid: 0, changedNs: clock, bytes });
  };
  const makeParents = (path: string): void => {
    if (nodes.has(path)) return;
    if (path !== '/') makeParents(parentOf(path));
    put(path, 'directory', 0o755);
  };
  makeParents('/');
  for (const [path, text] of Object.entries(options.files ?? {})) {
    makeParents(parentOf(path));
    put(path, 'file', 0o644, Buffer.from(text));
  }

  const fails = (path: string, why: string): never => {
    throw new InstallerError('E_WRITE_FAILED', { path, why });
  };
  const change = (path: string, make: () => void): Promise<Change> =>
    Promise.resolve().then(() => {
      if (nodes.get(parentOf(path))?.type !== 'directory') fails(path, 'its directory is missing');
      make();
      return 'changed' as const;
    });
  const mustStillBe = (path: string, expected: FileIdentity | null): void => {
    const found = lookAt(host, path)?.identity ?? null;
    const same = found?.type === expected?.type && (expected?.hash == null || found?.hash === expected.hash);
    if (!same) throw new InstallerError('E_CHANGED_UNDERWAY', { path });
  };
  const children = (path: string): string[] =>
    [...nodes.keys()]
      .filter((other) => other !== '/' && parentOf(other) === path)
      .map((other) => other.slice(other.lastIndexOf('/') + 1));
  const run = (command: Command): CommandResult => (options.command ?? packageDatabase)(command);

  const host: MemoryHost = {
    nodes,
    root: '/',
    owner: 0,
    group: 0,
    lstat: (path): FileStatus | null => {
      const node = nodes.get(path);
      if (node === undefined) return null;
      const { type, mode, uid, gid, changedNs, bytes } = node;
      return { type, mode, uid, gid, changedNs, size: bytes.length };
    },
    readFile: (path) => {
      const node = nodes.get(path);
      if (node === undefined) return null;
      if (node.type !== 'file')
        throw new InstallerError('E_PATH_UNSAFE', { path, why: 'it is not a regular file' });
      return node.bytes;
    },
    readLink: (path) => {
      const node = nodes.get(path);
      return node?.type === 'link' ? Buffer.from(node.bytes).toString() : null;
    },
    list: (path) => (nodes.get(path)?.type === 'directory' ? children(path).sort() : null),
    isFile: (path) => nodes.get(path)?.type === 'file',
    readSystem: () => null,
    listSystem: () => null,
    linkSystem: () => null,
    query: (command) => Promise.resolve(run(command)),
    http: (request) => Promise.resolve(options.http?.(request) ?? { ok: false, why: 'ECONNREFUSED' }),
    pause: () => Promise.resolve(),
    makeDirectory: (path, mode) =>
      change(path, () => {
        if (nodes.has(path)) fails(path, 'EEXIST');
        put(path, 'directory', mode);
      }),
    writeFile: (path, bytes, { mode, expected, ownership }) =>
      change(path, () => {
        mustStillBe(path, expected);
        put(path, 'file', mode, Uint8Array.from(bytes));
        nodes.set(path, { ...nodes.get(path)!, ...ownership });
      }),
    makeLink: (path, target, expected) =>
      change(path, () => {
        mustStillBe(path, expected);
        put(path, 'link', 0o777, Buffer.from(target));
      }),
    remove: (path) =>
      change(path, () => {
        if (children(path).length > 0) fails(path, 'ENOTEMPTY');
        nodes.delete(path);
      }),
    removeTree: (path) =>
      change(path, () => {
        for (const known of [...nodes.keys()])
          if (known === path || known.startsWith(`${path}/`)) nodes.delete(known);
      }),
    setMode: (path, mode) =>
      change(path, () => {
        const node = nodes.get(path);
        if (node === undefined) return fails(path, 'ENOENT');
        clock += 1n;
        nodes.set(path, { ...node, mode, changedNs: clock });
      }),
    change: (command) => Promise.resolve(run(command)),
  };
  return host;
}
