/** A booted Debian as the system under test. */
import { expect } from 'vitest';
import type { Suite } from '../hosts/support/base.ts';
import { installerProcess } from '../hosts/support/form.ts';
import { createHost, until } from '../hosts/support/host.ts';
import { holdUp, secretsInProcess, snapshot } from '../hosts/support/observe.ts';
import { files, type System } from './life.ts';

const legacyUnit = `[Service]
EnvironmentFile=/etc/mcp-oauth-proxy/.env
ExecStart=/usr/bin/python3 -m http.server --bind 127.0.0.1 8083
`;

export async function hostSystem(suite: Suite): Promise<System> {
  const host = await createHost({ suite, name: 'life' });
  return {
    live: true,
    run: (args) => host.installer(args),
    status: async () => (await host.installer(['status'])).exitCode,
    read: (file) => (host.exists(file) ? host.read(file) : null),
    write: async (file, text, mode) => {
      await host.write(file, text, mode);
    },
    remove: async (file) => {
      await host.must(`rm ${file}`);
    },
    look: () => snapshot(host, { without: ['./var/lib/mcp-installer', './var/lib/mcp-oauth-proxy'] }),
    modeOf: (file) => host.must(`stat -c %a ${file}`),
    leftovers: () => host.must('find /etc /usr/local -name "*.mcp-installer-tmp"'),
    stopService: async () => {
      await host.must('systemctl stop mcp-oauth-proxy.service mcp-oauth-proxy.socket');
    },
    killMidway: async (args) => {
      const held = await holdUp(host, '/usr/bin/systemctl', 'restart');
      const run = host.installer(args);
      await until('the run waits before its restart', async () =>
        (await host.run(['test', '-e', held.reached])).exitCode === 0 ? true : undefined,
      );
      // With what it has started, or that would restart what is to stay owed.
      await host.must(`pkill -KILL -f '${installerProcess}|[/]usr/bin/systemctl .*restart'`);
      await held.release();
      await run;
    },
    legacyScript: async (env) => {
      await host.must('mkdir -p -m 700 /etc/mcp-oauth-proxy');
      await host.write(files.env, env, '0600');
      await host.write(files.code, '# the service of old\n');
      await host.write('/etc/systemd/system/mcp-oauth-proxy.service', legacyUnit);
      await host.write(
        files.site,
        'server { listen 8443; server_name mcp.example.org; } # managed by Certbot\n',
      );
      await host.must('systemctl daemon-reload && systemctl start mcp-oauth-proxy.service');
    },
    expectRunning: async (secrets, port) => {
      expect(await secretsInProcess(host)).toEqual(secrets);
      expect(await host.must(`curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:${port}/healthz`)).toBe(
        '200',
      );
    },
    dispose: async () => host[Symbol.asyncDispose](),
  };
}
