/** What is refused before anything is touched, and the packages. */
import { describe, expect, test } from 'vitest';
import { suites } from './support/base.ts';
import { createHost, until } from './support/host.ts';
import { testNode } from './support/form.ts';
import { differences, expectAnswering, expectExit, snapshot } from './support/observe.ts';

describe.each(suites)('%s', (suite) => {
  test('without nginx and with --no-packages: exit 10, the packages named, nothing made', async () => {
    await using host = await createHost({ suite, bare: true, name: 'no-packages' });
    const before = snapshot(host);
    const { output } = expectExit(await host.installer(['--no-packages']), 10);
    expect(output).toContain('E_PACKAGES_MISSING');
    expect(output).toContain(
      'apt-get install python3-fastapi python3-uvicorn python3-httpx python3-jwt nginx',
    );
    expect(differences(before, snapshot(host))).toEqual([]);
  });

  test('a port in the hands of another program, and a masked unit, are refused', async () => {
    await using host = await createHost({ suite, name: 'refusals' });
    host.spawn(['python3', '-m', 'http.server', '--bind', '127.0.0.1', '8083'], { cwd: '/run' });
    await until('the port is taken', async () =>
      (await host.sh('curl -s http://127.0.0.1:8083/')).exitCode === 0 ? true : undefined,
    );
    const before = snapshot(host);
    const { output } = expectExit(await host.installer([]), 10);
    expect(output).toMatch(/E_PORT_TAKEN: Port 8083 on 127\.0\.0\.1 is in use by python3 \(process \d+\)\./u);
    expect(differences(before, snapshot(host))).toEqual([]);
    await host.must('pkill -f "[h]ttp.server"');

    await host.must('ln -s /dev/null /etc/systemd/system/mcp-oauth-proxy.service && systemctl daemon-reload');
    expect(expectExit(await host.installer([]), 10).output).toContain(
      'systemctl unmask mcp-oauth-proxy.service',
    );
    await host.must('rm /etc/systemd/system/mcp-oauth-proxy.service && systemctl daemon-reload');
    expectExit(await host.installer([]), 0);
  });

  test('a masked nginx is refused where it is wanted, before any change, and does not matter where it is not', async () => {
    await using host = await createHost({ suite, name: 'masked-nginx' });
    await host.must('systemctl stop nginx && systemctl mask nginx 2>&1');
    const before = snapshot(host);
    const { output } = expectExit(await host.installer([]), 10);
    expect(output).toContain('E_UNIT_MASKED: The unit nginx.service is masked.');
    expect(output).toContain('Run: systemctl unmask nginx.service');
    expect(differences(before, snapshot(host))).toEqual([]);
    const elsewhere = ['--no-nginx', '--public-url', 'https://mcp.example.org'];
    expectExit(await host.installer(elsewhere), 0);
    expect(await host.must('curl -s http://127.0.0.1:8083/healthz')).toBe('ok');
    expectExit(await host.installer(['--detailed-exitcode']), 0);
  });

  test('--no-start writes and enables, starts nothing; the next run starts it', async () => {
    await using host = await createHost({ suite, name: 'no-start' });
    expectExit(await host.installer(['--no-start']), 0);
    expect((await host.sh('systemctl is-active mcp-oauth-proxy.service mcp-oauth-proxy.socket')).output).toBe(
      'inactive\ninactive\n',
    );
    expect(
      (await host.sh('systemctl is-enabled mcp-oauth-proxy.service mcp-oauth-proxy.socket')).output,
    ).toBe('enabled\nenabled\n');
    expect(expectExit(await host.installer(['status']), 3).output).toContain('unhealthy');
    expectExit(await host.installer([]), 0);
    await expectAnswering(host);
    expectExit(await host.installer(['status']), 0);
    expectExit(await host.installer(['--detailed-exitcode']), 0);
  });

  test('an older installer refuses where a newer one was last, unless it is told to', async () => {
    await using host = await createHost({ suite, name: 'downgrade' });
    await host.must(
      'sed \'s/version="0.1.0"/version="9.0.0"/\' /opt/mcp-installer/dist/mcp-installer.mjs >/root/newer.mjs',
    );
    expectExit(await host.run([testNode, '/root/newer.mjs']), 0);
    expect((await host.run([testNode, '/root/newer.mjs', '--version'])).output).toBe('9.0.0\n');
    expect(expectExit(await host.installer([]), 10).output).toContain('E_DOWNGRADE');
    expectExit(await host.installer(['--allow-downgrade']), 0);
  });
});

test('missing packages are installed for real, and stay when the run fails', async () => {
  await using host = await createHost({ suite: 'bookworm', bare: true, network: true, name: 'packages' });
  await host.write('/root/broken.py', 'raise SystemExit("broken")\n');
  const failed = expectExit(
    await host.installer([
      '--port',
      '18083',
      '--source',
      '/root/broken.py',
      '--no-nginx',
      '--public-url',
      'https://mcp.example.org',
    ]),
    12,
  );
  expect(failed.output).toContain(
    'Installed packages python3-fastapi python3-uvicorn python3-httpx python3-jwt',
  );
  expect(failed.output).toContain('Left as it is: package python3-fastapi');
  expectExit(
    await host.installer(['--port', '18083', '--no-nginx', '--public-url', 'https://mcp.example.org']),
    0,
  );
  expect(await host.must("curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:18083/healthz")).toBe(
    '200',
  );
});
