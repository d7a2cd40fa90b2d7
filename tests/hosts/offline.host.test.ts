/** A host's own `/` where systemd is not running: an image being built, a container, a rescue system. */
import { describe, expect, test } from 'vitest';
import { suites } from './support/base.ts';
import { createHost, type Host } from './support/host.ts';
import type { Ran } from '../support/installer.ts';
import { expectAnswering, expectExit, secretsInFile, secretsInProcess } from './support/observe.ts';

/** sd_booted(3) looks for /run/systemd/system, and systemctl talks through /run/systemd. */
const withoutSystemd = (host: Host, args: string): Promise<Ran> =>
  host.sh(
    `unshare --mount sh -c 'mount -t tmpfs none /run/systemd && exec /opt/mcp-installer/install.sh ${args}'`,
  );

const links = `readlink /etc/systemd/system/sockets.target.wants/mcp-oauth-proxy.socket \
  /etc/systemd/system/multi-user.target.wants/mcp-oauth-proxy.service /etc/nginx/sites-enabled/mcp-oauth-proxy.conf`;

describe.each(suites)('%s', (suite) => {
  test('files are written and units enabled, which is said; at the next boot the service answers', async () => {
    await using host = await createHost({ suite, name: 'offline' });
    const first = expectExit(await withoutSystemd(host, '--detailed-exitcode'), 2);
    const words =
      'systemd is not running here: files are written and units enabled; the service starts at the next boot.';
    expect(first.output).toContain(words);
    expect(first.output).toContain('[OK] Installation complete');
    expect(first.output).not.toMatch(/Reloaded|started|The service answers/u);
    expect(await host.must(links)).toBe(
      [
        '/etc/systemd/system/mcp-oauth-proxy.socket',
        '/etc/systemd/system/mcp-oauth-proxy.service',
        '/etc/nginx/sites-available/mcp-oauth-proxy.conf',
      ].join('\n'),
    );
    expect(await host.must('systemctl is-active mcp-oauth-proxy.socket || true')).toBe('inactive');
    expect(expectExit(await withoutSystemd(host, '--detailed-exitcode'), 0).output).toContain(
      '[OK] Nothing to do',
    );
    const secrets = secretsInFile(host);

    await host.must('systemctl enable -q nginx.service');
    await host.reboot();
    await expectAnswering(host);
    expect(await secretsInProcess(host)).toEqual(secrets);
    expect(expectExit(await host.installer(['--detailed-exitcode']), 0).output).toContain(
      '[OK] Nothing to do',
    );
  });

  test('a rotation counts from the next boot on', async () => {
    await using host = await createHost({ suite, name: 'offline-rotate' });
    expectExit(await withoutSystemd(host, ''), 0);
    const before = secretsInFile(host);
    const { output } = expectExit(await withoutSystemd(host, '--force-rotate-tokens'), 0);
    expect(output).toContain('the service starts at the next boot');
    const after = secretsInFile(host);
    for (const [name, value] of Object.entries(after)) {
      expect({ name, rotated: value !== before[name as keyof typeof before] }).toEqual({
        name,
        rotated: true,
      });
    }
    await host.reboot();
    expect(await secretsInProcess(host)).toEqual(after);
  });
});
