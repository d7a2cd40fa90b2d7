/** Somebody who is not root and may not look is told to be root, not to loosen permissions. */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { notRoot } from '../../src/effects/host/resolve.ts';
import { bundle, temporaryRoot } from '../support/installer.ts';

const nobody = 65_534;

/** In a mount namespace of its own, where /var/lib and /etc hold what only root may enter. */
function asNobody(command: string, program: string) {
  const script = [
    'mount -t tmpfs tmpfs /var/lib && mkdir -m 700 /var/lib/mcp-installer && mkdir /var/lib/mcp-installer/runs',
    'mount -t tmpfs tmpfs /mnt && mkdir /mnt/upper /mnt/work',
    'mount -t overlay overlay -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work /etc',
    // It may be there already: this host may be one in service.
    'mkdir -p /etc/mcp-oauth-proxy && chmod 700 /etc/mcp-oauth-proxy',
    `exec setpriv --reuid=${nobody} --clear-groups ${process.execPath} ${program} ${command}`,
  ].join(' && ');
  return spawnSync('unshare', ['--mount', 'sh', '-c', script], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
  });
}

test.each([['--dry-run'], ['status'], ['history'], ['show last'], ['replay last']])(
  '%s on a host in service leads to sudo, with the line that was typed',
  (command) => {
    using place = temporaryRoot();
    chmodSync(place.path, 0o755);
    const program = path.join(place.path, 'mcp-installer.mjs');
    copyFileSync(bundle, program);
    const { status, stderr } = asNobody(command, program);
    expect({ status, stderr }).toEqual({
      status: 10,
      stderr: expect.stringMatching(
        /E_NOT_ROOT: This must run as root, because nobody else may look at \/(etc\/mcp-oauth-proxy|var\/lib\/mcp-installer)\S*\.\n/u,
      ) as string,
    });
    expect(stderr).toContain(`        Run: sudo ${process.execPath} ${program} ${command}\n`);
    expect(stderr).not.toContain('put it right');
  },
);

test('what is denied below another root is no matter of being root', () => {
  const denied = Object.assign(new Error('denied'), { code: 'EACCES' });
  expect(notRoot({ root: '/srv/tree' }, '/etc', denied)).toBe(null);
});
