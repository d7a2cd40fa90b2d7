/** What a process inherits: masks, closed streams, a directory that is gone, limits, variables, planted programs. */
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { HostTree } from '../../support/host-tree.ts';
import { bundle } from '../../support/installer.ts';
import type { FaultClass, Verdict } from '../fault-class.ts';
import { judge } from '../judge.ts';
import type { Prepared } from '../prepared.ts';

interface Environment {
  /** What the installer is started by. `planted` is a directory of programs that leave a trace. */
  readonly prefix: (planted: string) => readonly string[];
  /** Can anybody hear what it says? */
  readonly heard?: boolean;
}

const shell = (text: string): readonly string[] => ['sh', '-c', text, 'sh'];
const variables = (...all: readonly string[]): Environment => ({ prefix: () => ['env', ...all] });
const limit = (option: string): Environment => ({ prefix: () => ['prlimit', option] });
const started = (text: string): Environment => ({ prefix: () => shell(text) });

const environments: Readonly<Record<string, Environment>> = {
  'umask-000': started('umask 000; exec "$@"'),
  'umask-777': started('umask 777; exec "$@"'),
  'cwd-deleted': started('d=$(mktemp -d) && cd "$d" && rmdir "$d"; exec "$@"'),
  'stdin-closed': started('exec "$@" <&-'),
  'stderr-closed': started('exec "$@" 2>&-'),
  'stdout-closed': { ...started('exec "$@" >&-'), heard: false },
  'all-closed': { ...started('exec "$@" <&- >&- 2>&-'), heard: false },
  'planted-path': { prefix: (planted) => ['env', `PATH=${planted}:/usr/bin:/bin`] },
  'planted-only': { prefix: (planted) => ['env', `PATH=${planted}`] },
  'bash-env': { prefix: (planted) => ['env', `BASH_ENV=${planted}/sh`, `ENV=${planted}/sh`] },
  'node-options': variables('NODE_OPTIONS=--throw-deprecation --stack-trace-limit=0', 'NODE_DEBUG=fs'),
  'ld-preload': variables('LD_PRELOAD=/nonexistent/planted.so'),
  'home-unset': variables('-u', 'HOME'),
  'tmpdir-missing': variables('TMPDIR=/nonexistent'),
  turkish: variables('LANG=tr_TR.UTF-8', 'LC_ALL=tr_TR.UTF-8'),
  'far-time-zone': variables('TZ=Pacific/Kiritimati'),
  'few-descriptors': limit('--nofile=24'),
  'core-unlimited': limit('--core=unlimited'),
};

const programs = [
  'systemctl',
  'systemd-analyze',
  'nginx',
  'apt-get',
  'dpkg-query',
  'python3',
  'node',
  'sh',
  'id',
];

/** Programs under the names of those that the installer uses; each leaves a trace where somebody runs it. */
function plantedBeside(host: HostTree): { directory: string; ran: () => boolean } & Disposable {
  const directory = `${host.path}-planted`;
  const trace = path.join(directory, 'ran');
  mkdirSync(directory);
  for (const name of programs) {
    writeFileSync(path.join(directory, name), `#!/bin/sh\necho ${name} >>${trace}\n`);
    chmodSync(path.join(directory, name), 0o755);
  }
  return {
    directory,
    ran: () => existsSync(trace),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

async function inheriting(prepared: Prepared, { prefix, heard = true }: Environment): Promise<Verdict> {
  using host = prepared.copy();
  using planted = plantedBeside(host);
  const command = [...prefix(planted.directory), process.execPath, bundle];
  const ended = await prepared.disturb(host, { command });
  return {
    // As far as the lock: then the program itself was running.
    fired: ended.text.includes(host.path),
    problems: [
      ...(planted.ran() ? ['a planted program was run'] : []),
      ...(await judge(prepared, host, ended, { heard })),
    ],
  };
}

export const environment: FaultClass = {
  id: '5b',
  title: 'hostile environments of the process',
  needs: ['strace'],
  scenarios: ['fresh', 'rerun', 'upgrade', 'rotate-all', 'uninstall'],
  injections: (prepared) =>
    Promise.resolve(
      prepared.flatMap((each) =>
        Object.entries(environments).map(([name, one]) => ({
          id: `5b/${each.scenario.name}/${name}`,
          quick:
            each.scenario.name === 'upgrade' && ['umask-000', 'all-closed', 'planted-only'].includes(name),
          make: () => inheriting(each, one),
        })),
      ),
    ),
};
