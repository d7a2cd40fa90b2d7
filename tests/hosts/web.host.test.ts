/** nginx: a domain is really served, TLS is never taken away, an edit of certbot's is kept. */
import { describe, expect, test } from 'vitest';
import { suites } from './support/base.ts';
import { createHost, type Host } from './support/host.ts';
import { expectAnswering, expectExit } from './support/observe.ts';

const domain = 'mcp.example.org';
const live = `/etc/letsencrypt/live/${domain}`;

/** A certificate where Let's Encrypt's client puts it: links into an archive. */
const certify = (host: Host): Promise<string> =>
  host.must(`mkdir -p ${live} /etc/letsencrypt/archive/${domain} && cd /etc/letsencrypt/archive/${domain} &&
    openssl req -x509 -newkey rsa:2048 -nodes -keyout privkey1.pem -out fullchain1.pem -subj /CN=${domain} -days 2 2>&1 &&
    ln -sf ../../archive/${domain}/privkey1.pem ${live}/privkey.pem && ln -sf ../../archive/${domain}/fullchain1.pem ${live}/fullchain.pem`);

const status = (host: Host, url: string): Promise<string> =>
  host.must(
    `curl -sk -o /dev/null -w '%{http_code} %{redirect_url}' --resolve ${domain}:80:127.0.0.1 --resolve ${domain}:443:127.0.0.1 ${url}`,
  );

describe.each(suites)('%s', (suite) => {
  test('a domain added later is served: 503 until there is a certificate, then TLS, which no rerun takes away', async () => {
    await using host = await createHost({ suite, name: 'domain' });
    expectExit(await host.installer([]), 0);
    await expectAnswering(host);

    const pending = expectExit(await host.installer(['--domain', domain]), 0);
    expect(pending.stdout).toContain(`certbot certonly --webroot -w /var/www/html -d ${domain}`);
    expect(await status(host, `http://${domain}/healthz`)).toBe('503');
    await host.must(
      'mkdir -p /var/www/html/.well-known/acme-challenge && echo proof >/var/www/html/.well-known/acme-challenge/x',
    );
    expect(
      await host.must(`curl -s http://127.0.0.1/.well-known/acme-challenge/x -H 'Host: ${domain}'`),
    ).toBe('proof');

    await certify(host);
    expectExit(await host.installer(['--detailed-exitcode']), 2);
    expect(await status(host, `https://${domain}/healthz`)).toBe('200');
    expect(await status(host, `http://${domain}/healthz`)).toBe(`308 https://${domain}/healthz`);
    expect(expectExit(await host.installer(['--detailed-exitcode']), 0).stdout).toContain(
      '[OK] Nothing to do',
    );

    await host.must(`mv ${live} /root/live`);
    expect(expectExit(await host.installer([]), 10).stdout).toContain('E_TLS_LOST');
    expect(await status(host, `https://${domain}/healthz`)).toBe('200');
    await host.must(`mv /root/live ${live}`);
    expectExit(await host.installer(['--detailed-exitcode']), 0);
  });

  test('without a certificate and with --insecure-http a domain is served on port 80', async () => {
    await using host = await createHost({ suite, name: 'insecure' });
    expectExit(await host.installer(['--domain', domain, '--insecure-http']), 0);
    expect(await status(host, `http://${domain}/healthz`)).toBe('200');
    // Who is not on this host is not told which configuration is served.
    expect(
      await host.must(`curl -s http://127.0.0.1/.well-known/mcp-installer -H 'Host: ${domain}'`),
    ).toMatch(/^[0-9a-f]{16}$/u);
  });

  test('a site that certbot edited stays as it is, and what the installer changes in its snippet is served through it', async () => {
    await using host = await createHost({ suite, name: 'certbot' });
    expectExit(await host.installer(['--domain', domain]), 0);
    await certify(host);
    const site = '/etc/nginx/sites-available/mcp-oauth-proxy.conf';
    await host.must(
      `sed -i 's|    server_name ${domain};|    server_name ${domain};\\n    listen 443 ssl; # managed by Certbot\\n    ssl_certificate ${live}/fullchain.pem; # managed by Certbot\\n    ssl_certificate_key ${live}/privkey.pem; # managed by Certbot|' ${site}`,
    );
    const edited = host.read(site);
    const { stdout } = expectExit(await host.installer([]), 0);
    expect(stdout).toContain('was edited by a person and is kept as it is.');
    expect(host.read(site)).toBe(edited);
    expect(await status(host, `https://${domain}/healthz`)).toBe('200');
    expectExit(await host.installer(['--detailed-exitcode']), 0);
    expectExit(await host.installer(['--port', '9005']), 0);
    expect(host.read(site)).toBe(edited);
    expect(await status(host, `https://${domain}/healthz`)).toBe('200');
  });

  test('--no-nginx leaves nginx alone', async () => {
    await using host = await createHost({ suite, name: 'no-nginx' });
    const before = await host.must('find /etc/nginx -printf "%p %i %T@\\n" | sort; pgrep nginx');
    expectExit(await host.installer(['--no-nginx', '--public-url', 'https://mcp.example.org']), 0);
    expect(await host.must('find /etc/nginx -printf "%p %i %T@\\n" | sort; pgrep nginx')).toBe(before);
    expect(await host.must("curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8083/healthz")).toBe(
      '200',
    );
  });
});
