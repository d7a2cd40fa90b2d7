/** `status` on a host in service: what is asked of whom, and what each answer means. */
import { describe, expect, test } from 'vitest';
import { suites } from './support/base.ts';
import { createHost, until, type Host } from './support/host.ts';
import { testNode } from './support/form.ts';
import { differences, expectExit, reloadNginx, secretsInFile, snapshot } from './support/observe.ts';

const domain = 'mcp.example.org';
const live = `/etc/letsencrypt/live/${domain}`;
const socketFile = '/etc/systemd/system/mcp-oauth-proxy.socket';

/** A certificate for so many days, by a CA of the host's own; none left: one that has expired. */
async function certify(host: Host, days: number, name = domain): Promise<void> {
  const issue =
    'openssl x509 -req -in one.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile one.ext -out one.pem';
  // openssl 3.0 takes a negative number, the newer one takes dates.
  const times =
    days > 0
      ? `${issue} -days ${days}`
      : `{ ${issue} -days -1 || ${issue} -not_before 20250101000000Z -not_after 20250201000000Z; }`;
  await host.must(`mkdir -p ${live} /root/ca && cd /root/ca && printf 'subjectAltName=DNS:${name}\\n' >one.ext &&
    { [ -e ca.pem ] || openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -days 99 2>&1; } &&
    openssl req -newkey rsa:2048 -nodes -keyout one.key -out one.csr -subj /CN=${name} 2>&1 &&
    ${times} 2>&1 && cp one.pem ${live}/fullchain.pem && cp one.key ${live}/privkey.pem`);
}

interface Seen {
  readonly status: Readonly<Record<string, unknown>>;
  /** Codes of the notes. */
  readonly notes: readonly string[];
}

async function look(host: Host, exitCode: number): Promise<Seen> {
  const { stdout } = expectExit(await host.installer(['status', '--json']), exitCode);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const notes = events.filter(({ type }) => type === 'note').map(({ code }) => String(code));
  return { status: events[0] ?? {}, notes };
}

const day = (days: number): string =>
  new Date(Date.now() + days * 24 * 60 * 60 * 1000).toISOString().slice(0, 10);

/** Listens, and runs the words for each connection; what it was sent stands in /run/heard. */
async function listen(host: Host, port: number, answer: string): Promise<void> {
  await host.write(
    '/root/listen.py',
    `import socket, time
server = socket.create_server(("127.0.0.1", ${port}))
kept = []
while True:
    peer, _ = server.accept()
    kept.append(peer)
    peer.settimeout(0.2)
    with open("/run/heard", "ab") as heard:
        try:
            heard.write(peer.recv(65536))
        except TimeoutError:
            pass
    ${answer}
`,
  );
  host.spawn(['python3', '/root/listen.py'], { cwd: '/run' });
  await until(`${port} is taken`, async () =>
    (await host.sh(`ss -tlnH 'sport = ${port}' | grep -q .`)).exitCode === 0 ? true : undefined,
  );
}

const heard = async (host: Host): Promise<string> => (await host.sh('cat /run/heard')).stdout;

describe.each(suites)('%s', (suite) => {
  test('tells the address, both ways to the service and the backend, and changes nothing', async () => {
    await using host = await createHost({ suite, name: 'status' });
    expectExit(await host.installer([]), 0);
    const before = snapshot(host);
    const healthy = {
      url: 'http://127.0.0.1:8084/mcp',
      healthy: true,
      health: {
        loopback: { address: '127.0.0.1:8083', ok: true, why: null },
        web: { address: '127.0.0.1:8084', ok: true, why: null },
      },
      certificate: null,
    };
    const backend = { url: 'http://127.0.0.1:8000/mcp', reachable: false, why: 'ECONNREFUSED' };
    const dead = await look(host, 0);
    expect(dead.status).toMatchObject({ ...healthy, backend });
    expect(dead.notes).toEqual(['backend-unreachable']);
    const { stdout } = expectExit(await host.installer(['status']), 0);
    expect(stdout).toContain('  MCP URL: http://127.0.0.1:8084/mcp\n  on 127.0.0.1:8083: ok\n');
    expect(stdout).toContain('  through nginx on 127.0.0.1:8084: ok\n  certificate: none\n');
    expect(stdout).toContain('  backend: not reachable (ECONNREFUSED)\n');
    expect(stdout).toContain('[!] The MCP server at http://127.0.0.1:8000/mcp cannot be reached');

    expect(differences(before, snapshot(host))).toEqual([]);

    await listen(host, 8000, 'peer.sendall(b"HTTP/1.1 401 Unauthorized\\r\\nContent-Length: 0\\r\\n\\r\\n")');
    const alive = await look(host, 0);
    expect(alive.status).toMatchObject({ ...healthy, backend: { reachable: true, why: null } });
    expect(alive.notes).toEqual([]);
    expect(await heard(host)).toMatch(/^OPTIONS \/mcp HTTP\/1\.1\r\n/u);
    for (const secret of Object.values(secretsInFile(host))) expect(await heard(host)).not.toContain(secret);

    await host.must('systemctl stop nginx');
    const without = await look(host, 3);
    expect(without.status).toMatchObject({
      healthy: false,
      health: {
        loopback: { ok: true },
        web: { ok: false, why: 'nginx.service is not running' },
      },
    });
    await host.must('systemctl start nginx && systemctl stop mcp-oauth-proxy.service mcp-oauth-proxy.socket');
    expect((await look(host, 3)).status).toMatchObject({
      healthy: false,
      health: {
        loopback: { ok: false, why: 'it is not running' },
        web: { ok: false, why: 'through nginx, /healthz answers 502' },
      },
    });
  });

  test('a backend that never answers, and a name that nobody resolves, hold nothing up', async () => {
    await using host = await createHost({ suite, name: 'status-hangs' });
    expectExit(await host.installer([]), 0);
    await listen(host, 8000, 'pass');
    const began = Date.now();
    expect((await look(host, 0)).status).toMatchObject({
      healthy: true,
      backend: { reachable: false, why: expect.stringMatching(/^no answer within /u) as string },
    });
    expect(Date.now() - began).toBeLessThan(15_000);

    // A name server that is silent.
    await host.must('ip addr add 10.9.9.9/24 dev lo');
    host.spawn([
      'python3',
      '-c',
      'import socket,time; s=socket.socket(2,2); s.bind(("10.9.9.9",53)); time.sleep(999)',
    ]);
    await host.must('printf "nameserver 10.9.9.9\\noptions timeout:30\\n" >/etc/resolv.conf');
    expectExit(await host.installer(['--backend-url', 'https://backend.example.org/mcp']), 0);
    const asked = Date.now();
    expect((await look(host, 0)).status).toMatchObject({
      backend: { reachable: false, why: 'its name leads to no address' },
    });
    expect(Date.now() - asked).toBeLessThan(15_000);
  });

  test('the certificate that is served: its last day, a warning before it, ill health after it, and the one on disk', async () => {
    await using host = await createHost({ suite, name: 'status-tls' });
    await certify(host, 40);
    expectExit(await host.installer(['--domain', domain]), 0);
    const path = `${live}/fullchain.pem`;
    const long = { until: day(40), daysLeft: 39 };
    const good = await look(host, 0);
    expect(good.status).toMatchObject({
      url: `https://${domain}/mcp`,
      health: { web: { address: '127.0.0.1:443', ok: true } },
      certificate: { served: long, file: { path, ...long }, same: true },
    });
    expect(good.notes).toEqual(['backend-unreachable']);

    // Renewed, and nginx has not read it.
    await certify(host, 10);
    const other = await look(host, 3);
    const short = { until: day(10), daysLeft: 9 };
    expect(other.status).toMatchObject({
      healthy: true,
      drift: ['reload nginx'],
      certificate: { served: long, file: { path, ...short }, same: false },
    });
    await reloadNginx(host);
    const soon = await look(host, 0);
    expect(soon.status).toMatchObject({ certificate: { served: short, same: true } });
    expect(soon.notes).toContain('certificate-expiring');
    expect(expectExit(await host.installer(['status']), 0).stdout).toContain(
      `[!] The certificate for ${domain} expires on ${short.until} (9 days left); renew it: certbot renew`,
    );

    await certify(host, 0);
    await reloadNginx(host);
    const { stdout } = expectExit(await host.installer(['status']), 3);
    expect(stdout).toContain(`The certificate that nginx serves for ${domain} is not valid: it expired on `);
    expect(stdout).toMatch(/^ {2}certificate: until [\d-]+ \(expired\), \/etc\/letsencrypt/mu);
    expect((await look(host, 3)).status).toMatchObject({ healthy: false, drift: [] });

    await certify(host, 40, 'other.example.org');
    await reloadNginx(host);
    expect((await look(host, 0)).notes).toContain('certificate-name');
    await host.must('systemctl stop nginx');
    expect((await look(host, 3)).status).toMatchObject({ certificate: { served: null, same: null } });
  });

  test('what clients refuse of a certificate is told by install and by a rerun as well, and no run fails over it', async () => {
    await using host = await createHost({ suite, name: 'install-expired' });
    await certify(host, 0);
    const expired = `[!] The certificate that nginx serves for ${domain} is not valid: it expired on `;
    const given = [
      ...['--domain', domain],
      ...['--tls-cert', `${live}/fullchain.pem`, '--tls-key', `${live}/privkey.pem`],
    ];
    expect(expectExit(await host.installer(given), 0).output).toContain(expired);
    expect(expectExit(await host.installer(['--detailed-exitcode']), 0).output).toContain(expired);
    expect(expectExit(await host.installer(['status']), 3).output).toContain(expired.slice(4));

    await certify(host, 40, 'other.example.org');
    const other = expectExit(await host.installer(['--detailed-exitcode']), 2).output;
    expect(other).not.toContain(expired);
    expect(other).toContain(`[!] The certificate that nginx serves is not for ${domain}: clients refuse it.`);

    await certify(host, 40);
    expect(expectExit(await host.installer([]), 0).output).not.toContain('[!] The certificate');
  });

  test('where an installation would be refused, what runs is told all the same', async () => {
    await using host = await createHost({ suite, name: 'status-refused' });
    await certify(host, 40);
    expectExit(await host.installer(['--domain', domain]), 0);
    const served = { until: day(40), daysLeft: 39 };
    const running = {
      installed: true,
      healthy: false,
      url: `https://${domain}/mcp`,
      health: { loopback: { ok: true }, web: { address: '127.0.0.1:443', ok: true } },
      backend: { reachable: false },
    };

    await host.must(`mv ${live} /root/live`);
    const before = snapshot(host);
    const problem = `The site is served with TLS, but its certificate is gone: ${live}/fullchain.pem.`;
    expect((await look(host, 3)).status).toMatchObject({
      ...running,
      problem,
      settings: { DOMAIN: domain },
      certificate: { served, file: null, same: null },
    });
    const { stdout } = expectExit(await host.installer(['status']), 3);
    expect(stdout).toContain(`Installed; the service is unhealthy: ${problem}\n  Restore or renew`);
    expect(stdout).toContain('  through nginx on 127.0.0.1:443: ok\n');
    expect(stdout).toContain('Drift cannot be told, since an installation would be refused.');
    expect(differences(before, snapshot(host))).toEqual([]);
    expect(expectExit(await host.installer([]), 10).output).toContain('E_TLS_LOST');
    await host.must(`mv /root/live ${live}`);
    expect((await look(host, 0)).status).toMatchObject({ ...running, healthy: true, problem: null });

    await host.must('systemctl mask nginx 2>&1');
    expect((await look(host, 3)).status).toMatchObject({
      ...running,
      problem: 'The unit nginx.service is masked.',
      certificate: { served, same: true },
    });
    await host.must('systemctl unmask nginx 2>&1');

    const config = '/etc/nginx/nginx.conf';
    await host.must(`sed -i.old 's|include /etc/nginx/conf.d/.*;||' ${config}`);
    expect((await look(host, 3)).status).toMatchObject({
      ...running,
      problem: expect.stringContaining(`${config} does not include`) as string,
      certificate: { served, same: true },
    });
    await host.must(`mv ${config}.old ${config}`);
    expect((await look(host, 0)).status).toMatchObject({ healthy: true, problem: null });
    // What cannot be judged at all stays refused.
    await host.must("printf 'LISTEN_PORT=nonsense\\n' >>/etc/mcp-oauth-proxy/.env");
    expect((await look(host, 10)).status).toMatchObject({ installed: null, problem: null });
  });

  test('an installation of an earlier version is healthy, and what is newer is drift', async () => {
    await using host = await createHost({ suite, name: 'status-older' });
    await host.must(
      'sed "s/client_max_body_size 4m/client_max_body_size 3m/" /opt/mcp-installer/dist/mcp-installer.mjs >/root/older.mjs',
    );
    const older = (args: readonly string[]) => host.run([testNode, '/root/older.mjs', ...args]);
    expectExit(await older([]), 0);
    expect((await look(host, 3)).status).toMatchObject({
      healthy: true,
      problem: null,
      health: { web: { address: '127.0.0.1:8084', ok: true } },
      drift: [
        'write nginx snippet /etc/nginx/snippets/mcp-oauth-proxy.conf',
        expect.stringContaining('reload nginx') as string,
      ],
    });

    // Without a certificate yet it is healthy as well once there is one.
    expectExit(await older(['--domain', domain]), 0);
    await certify(host, 40);
    const waiting = { healthy: true, health: { web: { address: '127.0.0.1:80', ok: true } } };
    expect((await look(host, 3)).status).toMatchObject({ ...waiting, certificate: null });

    // What nginx has not read of what stands there is ill health.
    expectExit(await host.installer([]), 0);
    await host.must('cp -a /etc/nginx /root/nginx');
    expectExit(await older([]), 0);
    await host.must('rm -r /etc/nginx && mv /root/nginx /etc/nginx');
    expect((await look(host, 3)).status).toMatchObject({ healthy: false, drift: ['reload nginx'] });
  });

  test('a process that is not the unit’s own is told as one, and is sent nothing', async () => {
    await using host = await createHost({ suite, name: 'foreign-listener' });
    expectExit(await host.installer([]), 0);
    // The service runs, and its socket is elsewhere than its file says.
    await host.must(`sed -i.old s/8083/9000/ ${socketFile} && systemctl daemon-reload &&
      systemctl stop mcp-oauth-proxy.service && systemctl restart mcp-oauth-proxy.socket &&
      systemctl start mcp-oauth-proxy.service && mv ${socketFile}.old ${socketFile} && systemctl daemon-reload &&
      systemctl stop nginx`);
    await listen(host, 8083, 'peer.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")');
    const { stdout } = expectExit(await host.installer(['status']), 3);
    expect(stdout).toMatch(
      /127\.0\.0\.1:8083 is answered by a process that is not the unit's own \(python3, process \d+\)/u,
    );
    expect(stdout).toContain('No credential was sent to it.');
    expect(stdout).toMatch(/^\[!\] Port 8083 on 127\.0\.0\.1 is in use by python3 \(process \d+\)\.$/mu);
    expect(await heard(host)).toBe('');
    expect(expectExit(await host.installer([]), 10).output).toContain('E_PORT_TAKEN');
  });

  test('which configuration is served is told to the host itself only', async () => {
    await using host = await createHost({ suite, name: 'marker' });
    expectExit(await host.installer(['--domain', domain, '--insecure-http']), 0);
    await host.must('ip addr add 10.9.9.9/24 dev lo && ip addr add 10.9.9.8/24 dev lo');
    const asked = (from: string): Promise<string> =>
      host.must(
        `curl -s -w ' %{http_code}' --interface ${from} --resolve ${domain}:80:10.9.9.9 http://${domain}/.well-known/mcp-installer`,
      );
    expect(await asked('10.9.9.9')).toMatch(/^[0-9a-f]{16}\n 200$/u);
    const other = await asked('10.9.9.8');
    expect(other).toMatch(/ 404$/u);
    expect(other).not.toMatch(/[0-9a-f]{16}/u);
  });
});
