/** A host that the older bash script set up: no journal knows it, certbot edited its site. */
import { describe, expect, test } from 'vitest';
import { suites } from './support/base.ts';
import { createHost, type Host } from './support/host.ts';
import { envFile, expectExit, secretNames, secretsInFile, secretsInProcess } from './support/observe.ts';

const unit = `[Unit]
Description=MCP OAuth proxy
After=network.target

[Service]
EnvironmentFile=/etc/mcp-oauth-proxy/.env
ExecStart=/usr/bin/python3 -m uvicorn --app-dir /usr/local/lib/mcp-oauth-proxy --host 127.0.0.1 --port 8083 oauth_proxy:app
Restart=always

[Install]
WantedBy=multi-user.target
`;

const service = `async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"old"})
`;

const site = `server {
    server_name mcp.example.org;
    location / { proxy_pass http://127.0.0.1:8083; }
    listen 8443 ssl; # managed by Certbot
    ssl_certificate /root/cert.pem; # managed by Certbot
    ssl_certificate_key /root/key.pem; # managed by Certbot
}
`;

/** What the script wrote, and its service running. */
async function setUp(host: Host): Promise<void> {
  await host.must(
    'openssl req -x509 -newkey rsa:2048 -nodes -keyout /root/key.pem -out /root/cert.pem -subj /CN=mcp.example.org -days 2 2>&1',
  );
  await host.must('mkdir -p /etc/mcp-oauth-proxy');
  const values = secretNames.map((name, at) => `${name}=${String(at + 1).repeat(64)}\n`).join('');
  await host.write(envFile, `# written by install.sh\n${values}`, '0600');
  await host.write('/usr/local/lib/mcp-oauth-proxy/oauth_proxy.py', service);
  await host.write('/etc/systemd/system/mcp-oauth-proxy.service', unit);
  await host.write('/etc/nginx/sites-available/mcp-oauth-proxy.conf', site);
  await host.must(
    'ln -s ../sites-available/mcp-oauth-proxy.conf /etc/nginx/sites-enabled/mcp-oauth-proxy.conf',
  );
  await host.must(
    'systemctl daemon-reload && systemctl enable --now mcp-oauth-proxy.service 2>&1 && systemctl reload nginx',
  );
}

describe.each(suites)('%s', (suite) => {
  test('its secrets are kept, its unit is adopted with a backup, its site is not touched, and all of it is said', async () => {
    await using host = await createHost({ suite, name: 'legacy' });
    await setUp(host);
    const secrets = secretsInFile(host);
    const env = host.read(envFile);
    const siteBefore = await host.must('stat -c "%i %Y %Z" /etc/nginx/sites-available/mcp-oauth-proxy.conf');

    const { output } = expectExit(await host.installer([]), 0);
    expect(host.read(envFile)).toBe(env);
    expect(await secretsInProcess(host)).toEqual(secrets);
    expect(await host.must('stat -c "%i %Y %Z" /etc/nginx/sites-available/mcp-oauth-proxy.conf')).toBe(
      siteBefore,
    );
    expect(output).toContain(
      'Wrote systemd unit /etc/systemd/system/mcp-oauth-proxy.service (adopted: a backup is kept)',
    );
    expect(output).toContain(
      '/etc/nginx/sites-available/mcp-oauth-proxy.conf was edited by a person and is kept as it is.',
    );
    const backups = await host.must(
      'grep -rlF "Description=MCP OAuth proxy" /var/lib/mcp-installer/runs/*/before/',
    );
    expect(backups.split('\n')).toHaveLength(1);
    expect(await host.must("curl -sk https://127.0.0.1:8443/healthz -H 'Host: mcp.example.org'")).toBe('ok');
    expect(await host.must('systemctl is-active mcp-oauth-proxy.socket')).toBe('active');

    expect(expectExit(await host.installer(['--detailed-exitcode']), 0).output).toContain(
      '[OK] Nothing to do',
    );
  });

  test('where its adoption fails it is put back, and its own service answers', async () => {
    await using host = await createHost({ suite, name: 'legacy-back' });
    await setUp(host);
    await host.write('/root/broken.py', 'raise SystemExit("broken")\n');
    const before = host.read('/etc/systemd/system/mcp-oauth-proxy.service');
    const { output } = expectExit(await host.installer(['--source', '/root/broken.py']), 12);
    expect(output).toContain('E_UNHEALTHY');
    expect(host.read('/etc/systemd/system/mcp-oauth-proxy.service')).toBe(before);
    expect(host.exists('/etc/systemd/system/mcp-oauth-proxy.socket')).toBe(false);
    expect(await host.must('curl -s http://127.0.0.1:8083/')).toBe('old');
  });
});
