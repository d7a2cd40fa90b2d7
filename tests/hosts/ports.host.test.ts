/** Ports: whose they are, who may hold which address, and moving from one to the next. */
import { describe, expect, test } from 'vitest';
import { suites } from './support/base.ts';
import { createHost, until, type Host } from './support/host.ts';
import { differences, expectAnswering, expectExit, mainPid, snapshot } from './support/observe.ts';

const socketFile = '/etc/systemd/system/mcp-oauth-proxy.socket';

/** A program that listens there until it is stopped. */
async function listen(host: Host, address: string, port: number): Promise<void> {
  host.spawn(['python3', '-m', 'http.server', '--bind', address, String(port)], { cwd: '/run' });
  await until(`${address}:${port} is taken`, async () =>
    (await host.sh(`curl -s -o /dev/null http://${address}:${port}/`)).exitCode === 0 ? true : undefined,
  );
}

const answers = (host: Host, port: number): Promise<string> =>
  host.must(`curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:${port}/healthz`);

describe.each(suites)('%s', (suite) => {
  test('a program on the same port of another address is nobody’s concern', async () => {
    await using host = await createHost({ suite, name: 'other-address' });
    await host.must('ip addr add 10.9.9.9/24 dev lo');
    await listen(host, '127.0.0.2', 8083);
    await listen(host, '10.9.9.9', 8083);
    await listen(host, '10.9.9.9', 8084);
    expectExit(await host.installer([]), 0);
    await expectAnswering(host);
    expectExit(await host.installer(['--force-rotate-tokens']), 0);
    expect(expectExit(await host.installer(['--detailed-exitcode']), 0).output).toContain(
      '[OK] Nothing to do',
    );
    expectExit(await host.installer(['status']), 0);
  });

  test('a program that listens on every address is in the way, and a name says nothing of whose it is', async () => {
    await using host = await createHost({ suite, name: 'everywhere' });
    await host.must('cp /usr/bin/python3 /usr/local/bin/nginx');
    host.spawn(['nginx', '-m', 'http.server', '--bind', '0.0.0.0', '8084'], { cwd: '/run' });
    await until('the port is taken', async () =>
      (await host.sh('curl -s http://127.0.0.1:8084/')).exitCode === 0 ? true : undefined,
    );
    const before = snapshot(host);
    expect(expectExit(await host.installer([]), 10).output).toMatch(
      /E_PORT_TAKEN: Port 8084 on 0\.0\.0\.0 is in use by nginx \(process \d+\)\./u,
    );
    expect(differences(before, snapshot(host))).toEqual([]);
  });

  test('where a web port is taken, the advice is one that helps', async () => {
    await using host = await createHost({ suite, name: 'web-port' });
    await host.must('systemctl stop nginx');
    await listen(host, '127.0.0.1', 80);
    const { output } = expectExit(
      await host.installer(['--domain', 'mcp.example.org', '--insecure-http']),
      10,
    );
    expect(output).toMatch(/E_PORT_TAKEN: Port 80 on 127\.0\.0\.1 is in use by python3/u);
    expect(output).toContain('use --no-nginx with --public-url');
    expect(output).not.toContain('choose another port');
  });

  test('one port further and back: each gives up what the other takes, and a failure puts both back', async () => {
    await using host = await createHost({ suite, name: 'next-port' });
    expectExit(await host.installer([]), 0);
    await host.write('/root/broken.py', 'raise SystemExit("broken")\n');
    expectExit(await host.installer(['--port', '8084', '--source', '/root/broken.py']), 12);
    await expectAnswering(host);

    expectExit(await host.installer(['--port', '8084']), 0);
    expect([await answers(host, 8084), await answers(host, 8085)]).toEqual(['200', '200']);
    expect(expectExit(await host.installer(['--detailed-exitcode']), 0).output).toContain(
      '[OK] Nothing to do',
    );

    expectExit(await host.installer(['--port', '8083', '--source', '/root/broken.py']), 12);
    expect([await answers(host, 8084), await answers(host, 8085)]).toEqual(['200', '200']);
    expectExit(await host.installer(['--port', '8083']), 0);
    await expectAnswering(host);
  });

  test('a socket that listens elsewhere than its file says is restarted, and the service with it', async () => {
    await using host = await createHost({ suite, name: 'socket-elsewhere' });
    expectExit(await host.installer([]), 0);
    const pid = await mainPid(host);
    // As a kill while things are put back leaves it: the file is right, and loaded, and nobody listens there.
    await host.must(`sed -i.old s/8083/9000/ ${socketFile} && systemctl daemon-reload &&
      systemctl stop mcp-oauth-proxy.service && systemctl restart mcp-oauth-proxy.socket &&
      systemctl start mcp-oauth-proxy.service && mv ${socketFile}.old ${socketFile} && systemctl daemon-reload`);
    expect((await host.sh('curl -s http://127.0.0.1:8083/healthz')).exitCode).toBe(7);
    const { output } = expectExit(await host.installer(['status']), 3);
    expect(output).toContain('nobody listens on 127.0.0.1:8083');
    expect(expectExit(await host.installer([]), 0).output).toContain('mcp-oauth-proxy.socket');
    await expectAnswering(host);
    expect(await mainPid(host)).not.toBe(pid);
    expect(expectExit(await host.installer(['--detailed-exitcode']), 0).output).toContain(
      '[OK] Nothing to do',
    );
  });
});
