/**
 * Each host runs in a control group of its own.
 *
 * Two reasons: systemd in one host must not see, and kill, the services of another, which it would, since nspawn
 * uses the caller's group; and what belongs to a host can be found when nobody remembers its process ids.
 */
import { existsSync, readFileSync, readdirSync, rmdirSync } from 'node:fs';
import path from 'node:path';

/** Mount points of the hierarchies that systemd uses: the unified one, and its named one beside cgroup v1. */
function hierarchies(): string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(
      ([, , type, options = '']) =>
        type === 'cgroup2' || (type === 'cgroup' && options.split(',').includes('name=systemd')),
    )
    .map(([, target = '']) => target);
}

/** Is the unified hierarchy the only one here? Then newer systemd versions need no persuasion to boot. */
export const onlyUnified = (): boolean => existsSync('/sys/fs/cgroup/cgroup.controllers');

/**
 * Wraps a command so that it runs in the group of host `id`, under the process id of the wrapper.
 *
 * Where systemd manages this machine, it is asked for a delegated scope; else the group is made by hand.
 */
export function inGroup(id: string, argv: readonly string[]): string[] {
  if (existsSync('/run/systemd/system'))
    return ['systemd-run', '--quiet', '--scope', '--property=Delegate=yes', `--unit=${id}`, '--', ...argv];
  const groups = hierarchies().map((mount) => path.join(mount, id));
  const join = 'while [ "$1" != -- ]; do mkdir -p "$1" && echo 0 >"$1/cgroup.procs" || exit; shift; done';
  return ['sh', '-c', `${join}; shift; exec "$@"`, 'in-group', ...groups, '--', ...argv];
}

const isRunning = (pid: string): boolean => {
  // The state follows the command's name, which may itself hold blanks and parentheses.
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.charAt(stat.lastIndexOf(')') + 2) !== 'Z';
};

/** Every process of host `id`, by the process ids of this machine; none that merely waits to be reaped. */
export function processesOf(id: string): number[] {
  const pattern = new RegExp(`/${id}(\\.scope)?(/|$)`, 'm');
  const found: number[] = [];
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      if (pattern.test(readFileSync(`/proc/${pid}/cgroup`, 'utf8')) && isRunning(pid))
        found.push(Number(pid));
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}

/** Removes the groups of a host in which nothing runs any more. */
export function removeGroup(id: string): void {
  const remove = (dir: string): void => {
    for (const entry of readdirSync(dir, { withFileTypes: true }))
      if (entry.isDirectory()) remove(path.join(dir, entry.name));
    rmdirSync(dir);
  };
  for (const mount of hierarchies()) {
    try {
      remove(path.join(mount, id));
    } catch {
      // Not there, or the kernel is not done with it: an empty group does no harm.
    }
  }
}
