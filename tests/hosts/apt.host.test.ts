/** How packages are asked for: what apt-get is told, and that no Ctrl-C at our terminal reaches it. */
import { describe, expect, test } from 'vitest';
import { suites } from './support/base.ts';
import { createHost } from './support/host.ts';
import { expectExit } from './support/observe.ts';

/** Records its arguments, its environment, and the session and group it runs in; installs nothing. */
const recorder = `#!/bin/sh
[ "$1" = install ] || { echo "$1" >/root/apt.update; exit 100; }
printf '%s\\n' "$@" >/root/apt.args
printf '%s\\n' "$DEBIAN_FRONTEND" "$NEEDRESTART_MODE" >/root/apt.environment
ps -o pid=,pgid=,sid= -p $$ | tr -s ' ' '\\n' | sed '/^$/d' >/root/apt.ids
ps -o sid= -p $PPID | tr -d ' ' >/root/apt.parent
echo "E: nothing is installed here" >&2
exit 100
`;

describe.each(suites)('%s', (suite) => {
  test('apt-get keeps edited files, recommends nothing, waits for its lock, and is in a session of its own', async () => {
    await using host = await createHost({ suite, bare: true, name: 'apt' });
    await host.must('rm /usr/bin/apt-get');
    await host.write('/usr/bin/apt-get', recorder, '0755');
    const { stderr } = expectExit(await host.installer([]), 12);
    expect(stderr).toContain(
      'E_PACKAGES_FAILED: apt-get could not install python3-fastapi python3-uvicorn python3-httpx python3-jwt nginx: E: nothing is installed here.',
    );
    expect(host.read('/root/apt.args').trimEnd().split('\n')).toEqual([
      'install',
      '--yes',
      '--quiet',
      '--no-install-recommends',
      '-o=Dpkg::Options::=--force-confold',
      '-o=Dpkg::Use-Pty=0',
      '-o=DPkg::Lock::Timeout=120',
      '--',
      'python3-fastapi',
      'python3-uvicorn',
      'python3-httpx',
      'python3-jwt',
      'nginx',
    ]);
    expect(host.read('/root/apt.update')).toBe('update\n');
    expect(host.read('/root/apt.environment')).toBe('noninteractive\nl\n');
    const [pid = '', group = '', session = ''] = host.read('/root/apt.ids').trimEnd().split('\n');
    expect(Number(pid)).toBeGreaterThan(1);
    expect([group, session]).toEqual([pid, pid]);
    expect(host.read('/root/apt.parent').trim()).not.toBe(session);
    // Nothing but the journal is left of the run, and the next one asks again.
    expect(host.exists('/etc/mcp-oauth-proxy')).toBe(false);
    expectExit(await host.installer(['--no-packages']), 10);
  });
});
