/**
 * Limits and locks of the system itself, met wherever they are met: a largest file size, so that a write ends in the middle,
 * a disk without room for one block or one inode more, and files that not even root may change.
 */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { files, hostTree, type HostTree } from '../../support/host-tree.ts';
import { bundle } from '../../support/installer.ts';
import { onDisk } from '../disk.ts';
import type { FaultClass, Injection, Verdict } from '../fault-class.ts';
import { judge } from '../judge.ts';
import type { Copy, Prepared } from '../prepared.ts';

const must = (file: string, ...args: readonly string[]): string =>
  execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

/** @param lift takes the limit away again, as an operator does before the next run */
async function limited(
  prepared: Prepared,
  host: HostTree,
  prefix: readonly string[] = [],
  lift: () => void = () => undefined,
): Promise<Verdict> {
  const ended = await prepared.disturb(host, { command: [...prefix, process.execPath, bundle] });
  lift();
  return {
    fired: / = -1 (?:EFBIG|ENOSPC|EPERM) /u.test(ended.text),
    problems: await judge(prepared, host, ended),
  };
}

/** Bytes: every length at which a record of the journal or a line of the env file may be torn is near one of these. */
const sizes = Array.from({ length: 60 }, (_, index) => index * 37);

async function withLargestFile(prepared: Prepared, bytes: number): Promise<Verdict> {
  using host = prepared.copy();
  return await limited(prepared, host, ['prlimit', `--fsize=${bytes}`]);
}

let mounts = 0;

/** A copy of the host on a file system of its own, whose room can be set. */
function onSmallDisk(prepared: Prepared): Copy & { allow(option: string): void; used(what: string): number } {
  mounts += 1;
  const mount = path.join(prepared.work, `small-${mounts}`);
  must('mkdir', mount);
  must('mount', '-t', 'tmpfs', '-o', 'size=64M,nr_inodes=10000', 'tmpfs', mount);
  const root = path.join(mount, 'root');
  prepared.copy(root);
  return {
    ...hostTree(root),
    allow: (option) => void must('mount', '-o', `remount,${option}`, mount),
    used: (what) => Number(must('df', `--output=${what}`, '--block-size=4096', mount).trim().split('\n')[1]),
    [Symbol.dispose]: () => {
      must('umount', '--lazy', mount);
      rmSync(mount, { recursive: true, force: true });
    },
  };
}

/** Room for so many more; small enough that each of these runs needs more than that. */
const rooms: Readonly<Record<string, { readonly blocks: number; readonly inodes: number }>> = {
  fresh: { blocks: 10, inodes: 12 },
  upgrade: { blocks: 3, inodes: 3 },
  'rotate-all': { blocks: 2, inodes: 2 },
};

async function withoutRoom(prepared: Prepared, what: 'blocks' | 'inodes', more: number): Promise<Verdict> {
  using host = onSmallDisk(prepared);
  // A size of nought means none to tmpfs.
  if (what === 'blocks') host.allow(`size=${Math.max(1, host.used('used') + more) * 4096}`);
  else host.allow(`nr_inodes=${host.used('iused') + more}`);
  return await limited(prepared, host, [], () => host.allow('size=64M,nr_inodes=10000'));
}

async function withImmutable(prepared: Prepared, place: string): Promise<Verdict> {
  using host = onDisk(prepared, prepared.work);
  must('chattr', '+i', host.at(place));
  return await limited(prepared, host, [], () => void must('chattr', '-i', host.at(place)));
}

/** Directories in which such a run makes or removes names, and files that it replaces or removes. */
const lockedIn: Readonly<Record<string, readonly string[]>> = {
  move: ['/etc/mcp-oauth-proxy', '/etc/systemd/system', `${files.journal}/runs`, files.env, files.socket],
  purge: [
    '/etc/mcp-oauth-proxy',
    '/etc/systemd/system',
    '/usr/local/lib/mcp-oauth-proxy',
    `${files.journal}/runs`,
    files.env,
    files.code,
    files.service,
    files.socket,
    files.snippet,
  ],
};

export const limits: FaultClass = {
  id: '3b',
  title: 'no room, a largest file size, immutable files',
  needs: ['strace', 'mkfs.ext4', 'chattr'],
  scenarios: [...new Set([...Object.keys(rooms), ...Object.keys(lockedIn)])],
  injections: (prepared) =>
    Promise.resolve(
      prepared.flatMap((each): Injection[] => {
        const { name } = each.scenario;
        const prefix = `3b/${name}`;
        const room = rooms[name];
        const full = (['blocks', 'inodes'] as const).flatMap((what) =>
          Array.from({ length: room?.[what] ?? 0 }, (_, more) => ({
            id: `${prefix}/ROOM/${what}/${more}`,
            quick: more === 1,
            make: () => withoutRoom(each, what, more),
          })),
        );
        const large = (room === undefined ? [] : sizes).map((bytes, index) => ({
          id: `${prefix}/SIZE/${bytes}`,
          quick: index === 20,
          make: () => withLargestFile(each, bytes),
        }));
        const locked = (lockedIn[name] ?? []).map((place) => ({
          id: `${prefix}/IMMUTABLE/${place}`,
          quick: place === files.env,
          make: () => withImmutable(each, place),
        }));
        return [...full, ...large, ...locked];
      }),
    ),
};
