/**
 * A disk of its own for one host, whose power can be cut: what was not synced is lost, as with a real one.
 *
 * ext4 over a loop device, with a commit interval that no test lives to see and without the heuristics that sync a file
 * behind a rename (`noauto_da_alloc`), so that only what the installer itself syncs is there afterwards. The cut is the
 * file system's own shutdown ioctl; mounting it again replays its log, as a boot does.
 */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { until } from '../hosts/support/host.ts';
import { hostTree } from '../support/host-tree.ts';
import type { Copy, Prepared } from './prepared.ts';

/** EXT4_IOC_SHUTDOWN's flags (fs/ext4/ext4.h): what the log holds in memory is written before, or is lost as well. */
export const cuts = { logFlushed: 1, logLost: 2 } as const;
export type Cut = keyof typeof cuts;

/** `_IOR('X', 125, __u32)`. */
const shutdown = `import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack("I", int(sys.argv[2])))`;

export interface Disk extends Copy {
  /** Power off, and on again. */
  cut(how: Cut): Promise<void>;
}

let disks = 0;

const must = (file: string, args: readonly string[]): void =>
  void execFileSync(file, args, { stdio: 'ignore' });

/**
 * Mounted again while anybody still has the file system, it would be the one that was shut down: a host that boots meanwhile
 * has a copy of every mount of this machine, until it has left its root behind.
 */
const released = (image: string): Promise<true> =>
  until('nobody has the disk any more', () =>
    execFileSync('losetup', ['--associated', image], { encoding: 'utf8' }) === '' ? true : undefined,
  );

/** A copy of the prepared host on a disk of its own, all of it synced. */
export function onDisk(prepared: Prepared, work: string): Disk {
  disks += 1;
  const image = path.join(work, `disk-${disks}.img`);
  const mount = path.join(work, `disk-${disks}`);
  const root = path.join(mount, 'root');
  must('truncate', ['-s', '48M', image]);
  must('mkfs.ext4', ['-q', '-F', '-O', '^metadata_csum', image]);
  must('mkdir', [mount]);
  must('mount', ['-o', 'loop,commit=300,noauto_da_alloc', image, mount]);
  prepared.copy(root);
  must('sync', ['-f', mount]);
  return {
    ...hostTree(root),
    cut: async (how) => {
      must('python3', ['-c', shutdown, mount, String(cuts[how])]);
      must('umount', [mount]);
      await released(image);
      must('mount', ['-o', 'loop', image, mount]);
    },
    [Symbol.dispose]: () => {
      must('umount', ['--lazy', mount]);
      rmSync(image, { force: true });
      rmSync(mount, { recursive: true, force: true });
    },
  };
}
