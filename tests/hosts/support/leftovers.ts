/**
 * Removing hosts: one's own at the end, and those that a crashed test run left behind.
 *
 * Everything here is synchronous, so that the same steps serve `dispose`, the sweep, and the moment when the
 * process exits.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { cacheDir } from './base.ts';
import { processesOf, removeGroup } from './cgroup.ts';
import { removeOverlay } from './overlay.ts';

const hostsDir = path.join(cacheDir, 'hosts');
const mine = new Set<string>();

/** When a process started, in clock ticks since boot: with it a process id cannot be mistaken for a later one. */
function startTime(pid: number | 'self'): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

export const directoryOf = (id: string): string => path.join(hostsDir, id);

/**
 * Makes the directory of a new host. Its name says who owns it, so there is no moment at which it has no owner.
 */
export function claimHost(name: string): string {
  const label = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 24);
  const id = `mcp-${label}-${process.pid}-${startTime('self') ?? '0'}-${randomBytes(3).toString('hex')}`;
  mkdirSync(hostsDir, { recursive: true });
  mkdirSync(directoryOf(id));
  if (!process.listeners('exit').includes(removeMine)) process.once('exit', removeMine);
  mine.add(id);
  return id;
}

const pause = (ms: number): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

/** Kills every process of a host and waits until the kernel is done with them. */
export function killHost(id: string): void {
  const deadline = Date.now() + 10_000;
  for (let left = processesOf(id); left.length > 0; left = processesOf(id)) {
    if (Date.now() > deadline) throw new Error(`processes of ${id} survive SIGKILL: ${left.join(', ')}`);
    for (const pid of left) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Gone already: the first one killed takes the rest of its host with it.
      }
    }
    pause(5);
  }
}

/** Removes all that there is of a host: processes, control groups, mounts, files. */
export function removeHost(id: string): void {
  killHost(id);
  removeGroup(id);
  removeOverlay(directoryOf(id));
  rmSync(`/run/systemd/nspawn/propagate/${id}`, { recursive: true, force: true });
  mine.delete(id);
}

function removeMine(): void {
  for (const id of mine) removeHost(id);
}

const ownerIsAlive = (id: string): boolean => {
  const [, pid, started] = /-(\d+)-(\d+)-[0-9a-f]{6}$/.exec(id) ?? [];
  return startTime(Number(pid)) === started;
};

/** Removes the hosts whose owner is dead. Several processes may do this at the same time. */
export function sweepHosts(): void {
  mkdirSync(hostsDir, { recursive: true });
  for (const id of readdirSync(hostsDir)) {
    if (mine.has(id) || ownerIsAlive(id)) continue;
    try {
      removeHost(id);
    } catch {
      // Another sweep is at it, or the next one will be.
    }
  }
}
