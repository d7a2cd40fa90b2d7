/** The units as systemd runs them: what holds the port, how the service stops, what it may reach. */
import { describe, expect, test } from 'vitest';
import { suites } from './support/base.ts';
import { createHost } from './support/host.ts';
import type { Ran } from '../support/installer.ts';
import { envFile, expectAnswering, expectExit, mainPid } from './support/observe.ts';

const application = (path: string, before = ''): string => `${before}
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    status = 200 if scope["path"] == "${path}" else 404
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})
`;

describe.each(suites)('%s', (suite) => {
  test('no connection is refused while a rotation restarts the service: systemd holds the socket', async () => {
    await using host = await createHost({ suite, name: 'unit-socket' });
    expectExit(await host.installer([]), 0);
    const before = await mainPid(host);
    const loop = host.sh(
      `: >/run/codes; while [ ! -e /run/enough ]; do
         curl -s -o /dev/null -m 20 -w '%{http_code} ' http://127.0.0.1:8083/healthz; echo $?
       done >>/run/codes`,
    );
    expectExit(await host.installer(['--force-rotate-tokens']), 0);
    await host.must(': >/run/enough');
    await loop;
    expect(await mainPid(host)).not.toBe(before);
    const answers = (await host.must('sort /run/codes | uniq -c | sort -rn')).split('\n');
    expect(answers[0]).toMatch(/^\s*\d+ 200 0$/u);
    // curl's 7: refused. A request that was under way may have been cut off with the old process.
    expect(answers.filter((line) => line.endsWith(' 7'))).toEqual([]);
  });

  test('a service that ignores SIGTERM is down within 5 seconds', async () => {
    await using host = await createHost({ suite, name: 'unit-stop' });
    const deaf = 'import signal\nsignal.signal = lambda *_: None\n';
    const handler = 'import asyncio\nasyncio.BaseEventLoop.add_signal_handler = lambda *_: None\n';
    const ignore = `import ctypes\nctypes.CDLL(None).signal(15, ctypes.c_void_p(1))\n`;
    await host.write('/root/deaf.py', application('/healthz', `${deaf}${handler}${ignore}`));
    expectExit(await host.installer(['--source', '/root/deaf.py']), 0);
    const took = await host.must(
      'began=$(date +%s%N); systemctl stop mcp-oauth-proxy.service; echo $((($(date +%s%N) - began) / 1000000))',
    );
    expect(Number(took)).toBeLessThan(5_000);
    expect(await host.must('systemctl show --property=ActiveState --value mcp-oauth-proxy.service')).toMatch(
      /^(inactive|failed)$/u,
    );
  });

  test('a service that answers at the metadata path alone is healthy', async () => {
    await using host = await createHost({ suite, name: 'unit-health' });
    await host.write('/root/metadata.py', application('/.well-known/oauth-authorization-server'));
    const { output } = expectExit(await host.installer(['--source', '/root/metadata.py']), 0);
    expect(output).toContain('[+] The service answers');
    expectExit(await host.installer(['status']), 0);
  });

  test('with a backend on this host the service reaches nothing else, with one elsewhere it does', async () => {
    await using host = await createHost({ suite, name: 'unit-cage' });
    const denied = async (): Promise<readonly string[]> => {
      const show = 'systemctl show --property=IPAddressDeny --value mcp-oauth-proxy.service';
      return (await host.must(show)).split(' ').sort();
    };
    expectExit(await host.installer([]), 0);
    expect(await denied()).toEqual(['0.0.0.0/0', '::/0']);
    expectExit(await host.installer(['--backend-url', 'https://mcp.example.org/mcp']), 0);
    expect(await denied()).toEqual(['']);
    await expectAnswering(host);
    // systemd's own judgement of the sandbox, of which only the firewall is missing now.
    const judged = await host.must('systemd-analyze security --no-pager mcp-oauth-proxy.service | tail -n 1');
    expect(Number(/: ([\d.]+) /u.exec(judged)?.[1])).toBeLessThanOrEqual(1.2);
  });

  test('a backend elsewhere must be https: MCP_TOKEN does not leave this host in the clear', async () => {
    await using host = await createHost({ suite, name: 'unit-remote' });
    expectExit(await host.installer([]), 0);
    const start = (backend: string): Promise<Ran> =>
      host.sh(
        `. ${envFile}; export MCP_TOKEN CLIENT_ID CLIENT_SECRET TOKEN_SECRET BACKEND_URL=${backend}
         exec timeout 30 python3 -B -m uvicorn --app-dir /usr/local/lib/mcp-oauth-proxy --port 9000 oauth_proxy:app`,
      );
    for (const backend of [
      'http://192.0.2.1/mcp',
      'http://127.0.0.1.example.org/mcp',
      'http://[2001:db8::1]/mcp',
    ]) {
      const { exitCode, output } = await start(backend);
      expect(exitCode).toBe(1);
      expect(output).toContain('refuses to start: BACKEND_URL must be https');
      expect(output).not.toContain('Traceback');
    }
    const { output } = await host.installer(['--backend-url', 'http://192.0.2.1/mcp']);
    expect(output).toContain('it must be https: MCP_TOKEN is sent to it');
  });

  test('a unit file that was touched is loaded again, and what runs is made the one of the file', async () => {
    await using host = await createHost({ suite, name: 'unit-touched' });
    expectExit(await host.installer([]), 0);
    const before = await mainPid(host);
    await host.must('touch /etc/systemd/system/mcp-oauth-proxy.service');
    const { output } = expectExit(await host.installer(['--detailed-exitcode']), 2);
    expect(output).toContain('[+] Reloaded systemd and restarted mcp-oauth-proxy.service');
    expect(await mainPid(host)).not.toBe(before);
    expect(
      await host.must('systemctl show --property=NeedDaemonReload --value mcp-oauth-proxy.service'),
    ).toBe('no');
    expectExit(await host.installer(['--detailed-exitcode']), 0);
  });
});
