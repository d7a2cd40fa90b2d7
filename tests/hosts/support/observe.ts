/** What tests look at on a host: secrets in the file and in the process, process ids, the whole file system. */
import { execFileSync } from 'node:child_process';
import { expect } from 'vitest';
import { until, type Host } from './host.ts';
import type { Ran } from '../../support/installer.ts';

export { envFile, mainPid, secretNames, secretsInFile, secretsInProcess, type Secrets } from './secrets.ts';

/** Process ids of nginx's master and workers: a reload makes new workers. */
export const nginxPids = (host: Host): Promise<string> => host.must('pgrep nginx | sort -n | tr "\\n" " "');

/** Reloads nginx as a person would, and waits until the workers of before are gone: only the master stays. */
export async function reloadNginx(host: Host): Promise<void> {
  const before = (await nginxPids(host)).split(' ');
  await host.must('systemctl reload nginx');
  await until('the old workers are gone', async () => {
    const now = (await nginxPids(host)).split(' ');
    return now.filter((pid) => before.includes(pid)).length === 1 ? true : undefined;
  });
}

/** Answers on the service's own port and through nginx. */
export async function expectAnswering(host: Host): Promise<void> {
  for (const port of [8083, 8084]) {
    const { stdout } = await host.sh(
      `curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:${port}/healthz`,
    );
    expect({ port, status: stdout }).toEqual({ port, status: '200' });
  }
}

/** What systemd itself has noted about units since the host booted. */
export const systemdNotes = (host: Host): Promise<string> =>
  host.must("journalctl --no-pager -o cat _PID=1 | grep -E 'mcp-oauth-proxy|nginx|[Rr]eloading' || true");

export interface SnapshotOptions {
  /** Paths to leave out, relative to the root. */
  readonly without?: readonly string[];
  /** Hash every file, not only those that may be written. */
  readonly hashAll?: boolean;
}

/** What the host's own daemons write by themselves, whoever installs what. */
const noise = [
  './var/log',
  './var/lib/systemd',
  './var/lib/private',
  './var/cache',
  './var/tmp',
  './etc/machine-id',
];

/**
 * Every path of the host's file system with type, mode, owner, size, mtime, ctime, inode and link target, and hashes of
 * the files, from outside: looking changes nothing.
 */
export function snapshot(
  host: Host,
  { without = [], hashAll = false }: SnapshotOptions = {},
): ReadonlyMap<string, string> {
  const pruned = [...noise, ...without].flatMap((path, at) =>
    at === 0 ? ['-path', path] : ['-o', '-path', path],
  );
  const find = (root: string, ...action: string[]): string =>
    execFileSync('find', [root, '-xdev', '(', ...pruned, ')', '-prune', '-o', ...action], {
      cwd: host.tree,
      encoding: 'utf8',
      maxBuffer: 512 * 1024 * 1024,
    });
  const entries = new Map<string, string>();
  for (const line of find('.', '-printf', '%p\\t%y %m %U:%G %s %T@ %C@ %i %l\\n').split('\n')) {
    const [path = '', facts = ''] = line.split('\t');
    if (path !== '') entries.set(path, facts);
  }
  for (const root of hashAll ? ['.'] : ['./etc', './usr/local', './var', './root', './opt']) {
    for (const line of find(root, '-type', 'f', '-exec', 'sha256sum', '{}', '+').split('\n')) {
      const [hash = '', path = ''] = line.split('  ');
      if (path !== '') entries.set(path, `${entries.get(path) ?? ''} ${hash}`);
    }
  }
  return entries;
}

/** Paths that are new, gone or different. */
export function differences(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => before.get(path) !== after.get(path)).sort();
}

/** Fails with everything that was printed, so that a red test tells why. */
export function expectExit(result: Ran, exitCode: number): Ran {
  expect(result.exitCode, `${result.stdout}\n${result.stderr}`).toBe(exitCode);
  return result;
}

/** A real program that stops in the middle of a run until it is let go: makes "in between" a place. */
export async function holdUp(
  host: Host,
  program: string,
  argument: string,
): Promise<{ readonly reached: string; release(): Promise<void> }> {
  const name = program.split('/').at(-1) ?? '';
  const [reached, go] = [`/run/held-${name}`, `/run/go-${name}`];
  await host.must(`cp -a ${program} ${program}.real`);
  const script = `#!/bin/sh
for word in "$@"; do
  [ "$word" = "${argument}" ] || continue
  : >${reached}
  while [ ! -e ${go} ]; do sleep 0.02; done
done
exec ${program}.real "$@"
`;
  await host.write(`${program}.new`, script, '0755');
  await host.must(`mv ${program}.new ${program}`);
  return {
    reached,
    release: async () => {
      // The one that is held goes on with the copy, which stays.
      await host.must(`cp -a ${program}.real ${program}.new && mv ${program}.new ${program} && : >${go}`);
    },
  };
}
