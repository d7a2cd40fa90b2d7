/** Programs and variables that somebody has laid in the way of root: none of them is run, none of them reaches a child. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryRoot } from '../support/installer.ts';
import { suites } from './support/base.ts';
import { createHost, type Host } from './support/host.ts';

const planted = '/root/bin';
const names =
  'systemctl systemd-analyze nginx python3 node dpkg-query apt-get getent flock env sh bash setpriv git npm';

const variables = {
  PATH: `${planted}:/usr/local/bin:/usr/bin:/bin`,
  PYTHONPATH: planted,
  BASH_ENV: `${planted}/rc`,
  ENV: `${planted}/rc`,
  // Of these the program itself is at the mercy of who calls it; what it starts is not.
  NODE_OPTIONS: '--no-warnings',
  LD_LIBRARY_PATH: planted,
  LD_PRELOAD: `${planted}/none.so`,
  MCP_SOMETHING: 'x',
};

interface Started {
  readonly file: string;
  readonly variables: readonly string[];
}

const stringsIn = (text: string): readonly string[] =>
  [...text.matchAll(/"((?:[^"\\]|\\.)*)"/gu)].map(([, inner = '']) => inner);

/** What the installer started, and what was started by that. */
function startedBy(host: Host, args: readonly string[]): readonly Started[] {
  using place = temporaryRoot();
  const file = path.join(place.path, 'trace');
  const program = host.installerCommand(args);
  const command = host.command(program, { env: variables, cwd: planted });
  const options = ['-f', '-v', '-s', '4096', '-e', 'trace=execve', '-o', file];
  const { status, stdout, stderr } = spawnSync('strace', [...options, ...command], { encoding: 'utf8' });
  expect({ args, status, stdout, stderr }).toMatchObject({ status: 0 });
  const made = readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line): Started[] => {
      const [, program = '', env = ''] =
        /execve\("([^"]+)", \[.*\], \[(.*)\](?:\) = 0| <unfinished)/u.exec(line) ?? [];
      const keys = stringsIn(env).map((pair) => pair.split('=')[0] ?? '');
      return program === '' ? [] : [{ file: program, variables: keys.sort() }];
    });
  return made.slice(made.findIndex((each) => each.file === program[0]) + 1);
}

const programs = [
  '/usr/bin/dpkg-query',
  '/usr/bin/flock',
  '/usr/bin/systemctl',
  '/usr/bin/systemd-analyze',
  '/usr/sbin/nginx',
];
const built = ['HOME', 'LANG', 'LC_ALL', 'PATH', 'SYSTEMD_COLORS', 'SYSTEMD_PAGER', 'TERM'];

describe.each(suites)('%s', (suite) => {
  test('what runs is what is meant, by its absolute path, without a shell, in an environment of its own (security 20, 21)', async () => {
    await using host = await createHost({ suite, name: 'planted' });
    await host.must(`mkdir -p ${planted} && cd ${planted} && for name in ${names} rc sitecustomize.py; do
      printf '#!/bin/sh\ntouch /root/ran-%s\n' $name >$name; chmod 755 $name; done
      echo 'open("/root/ran-python", "w")' >sitecustomize.py`);
    const started = [[], ['status']].flatMap((args) => startedBy(host, args));
    expect(await host.must('ls /root')).toBe('bin');
    expect(new Set(started.map(({ file }) => file))).toEqual(new Set(programs));
    expect(new Set(started.map(({ variables: keys }) => keys.join(' ')))).toEqual(
      new Set(['', built.join(' ')]),
    );
  });
});
