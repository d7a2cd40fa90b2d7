/** nginx: a domain is really served, TLS is never taken away, an edit of certbot's is kept. */
import { describe, expect, test } from 'vitest';
import { suites } from './support/base.ts';
import { createHost, type Host } from './support/host.ts';
import {
  expectAnswering,
  expectExit,
  nginxPids,
  reloadNginx,
  secretNames,
  secretsInFile,
  secretsInProcess,
} from './support/observe.ts';

const domain = 'mcp.example.org';
const live = `/etc/letsencrypt/live/${domain}`;

/** A certificate where Let's Encrypt's client puts it: links into an archive. */
const certify = (host: Host): Promise<string> =>
  host.must(`mkdir -p ${live} /etc/letsencrypt/archive/${domain} && cd /etc/letsencrypt/archive/${domain} &&
    openssl req -x509 -newkey rsa:2048 -nodes -keyout privkey1.pem -out fullchain1.pem -subj /CN=${domain} -days 2 2>&1 &&
    ln -sf ../../archive/${domain}/privkey1.pem ${live}/privkey.pem && ln -sf ../../archive/${domain}/fullchain1.pem ${live}/fullchain.pem`);

const site = '/etc/nginx/sites-available/mcp-oauth-proxy.conf';
const snippet = '/etc/nginx/snippets/mcp-oauth-proxy.conf';

/** The certificate that nginx shows, and the one on disk. */
const certificates = async (host: Host): Promise<{ served: string; onDisk: string }> => ({
  served: await host.must(
    `openssl s_client -connect 127.0.0.1:443 -servername ${domain} </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256`,
  ),
  onDisk: await host.must(`openssl x509 -in ${live}/fullchain.pem -noout -fingerprint -sha256`),
});

const status = (host: Host, url: string): Promise<string> =>
  host.must(
    `curl -sk -o /dev/null -w '%{http_code} %{redirect_url}' --resolve ${domain}:80:127.0.0.1 --resolve ${domain}:443:127.0.0.1 ${url}`,
  );

/** The files of the installer by the names by which nginx reads them, and what stands in them. */
const ours = (host: Host): readonly (readonly [string, string])[] => [
  ['/etc/nginx/conf.d/mcp-oauth-proxy.conf', host.read('/etc/nginx/conf.d/mcp-oauth-proxy.conf')],
  ['/etc/nginx/sites-enabled/mcp-oauth-proxy.conf', host.read(site)],
  [snippet, host.read(snippet)],
];

/** What nginx reads beside the distribution's own files. */
async function readByNginx(host: Host): Promise<readonly (readonly [string, string])[]> {
  const distribution = /^\/etc\/nginx\/(nginx\.conf|mime\.types|modules-enabled\/|sites-enabled\/default$)/u;
  const text = (await host.sh('nginx -T 2>/dev/null')).stdout;
  return text
    .split(/^# configuration file (?=\/)/mu)
    .slice(1)
    .map((section): [string, string] => {
      const end = section.indexOf(':\n');
      // A blank line ends each of them.
      return [section.slice(0, end), section.slice(end + 2).replace(/\n\n?$/u, '\n')];
    })
    .filter(([file]) => !distribution.test(file));
}

describe.each(suites)('%s', (suite) => {
  test('a domain added later is served: 503 until there is a certificate, then TLS, which no rerun takes away (security 18)', async () => {
    await using host = await createHost({ suite, name: 'domain' });
    expectExit(await host.installer([]), 0);
    await expectAnswering(host);

    const pending = expectExit(await host.installer(['--domain', domain]), 0);
    expect(pending.output).toContain(`certbot certonly --webroot -w /var/www/html -d ${domain}`);
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
    expect(await readByNginx(host)).toEqual(ours(host));
    expect(expectExit(await host.installer(['--detailed-exitcode']), 0).output).toContain(
      '[OK] Nothing to do',
    );

    await host.must(`mv ${live} /root/live`);
    expect(expectExit(await host.installer([]), 10).output).toContain('E_TLS_LOST');
    expect(await status(host, `https://${domain}/healthz`)).toBe('200');
    await host.must(`mv /root/live ${live}`);
    expectExit(await host.installer(['--detailed-exitcode']), 0);
  });

  test('a service on a domain tells https as its address as soon as it is served with TLS', async () => {
    await using host = await createHost({ suite, name: 'origin' });
    const issuer = async (): Promise<unknown> =>
      JSON.parse(await host.must('curl -s http://127.0.0.1:8083/.well-known/oauth-authorization-server'));
    const insecure = expectExit(await host.installer(['--domain', domain, '--insecure-http']), 0);
    expect(insecure.output).toContain(`URL http://${domain}/mcp;`);
    expect(await issuer()).toMatchObject({ issuer: `http://${domain}` });
    await certify(host);
    const secure = expectExit(await host.installer([]), 0);
    expect(secure.output).toContain(`URL https://${domain}/mcp;`);
    expect(await issuer()).toMatchObject({ issuer: `https://${domain}` });
    await host.must(`mv ${live} /root/live`);
    expect(expectExit(await host.installer([]), 10).output).toContain('E_TLS_LOST');
    expect(await status(host, `https://${domain}/healthz`)).toBe('200');
  });

  test('a renewed certificate is served after a rerun, which says so, and the one after that does nothing', async () => {
    await using host = await createHost({ suite, name: 'renewed' });
    await certify(host);
    expectExit(await host.installer(['--domain', domain]), 0);
    expectExit(await host.installer(['--detailed-exitcode']), 0);
    await certify(host);
    const before = await certificates(host);
    expect(before.served).not.toBe(before.onDisk);

    const predicted = expectExit(await host.installer(['--dry-run', '--detailed-exitcode']), 2);
    expect(predicted.output).toContain('[DRY-RUN] Would reload nginx');
    const { output } = expectExit(await host.installer(['--detailed-exitcode']), 2);
    expect(output).toContain(
      `${live}/fullchain.pem was renewed, and the web server still serves the old one: it is reloaded.`,
    );
    expect(await certificates(host)).toEqual({ served: before.onDisk, onDisk: before.onDisk });
    const pids = await nginxPids(host);
    expectExit(await host.installer(['--detailed-exitcode']), 0);
    expect(await nginxPids(host)).toBe(pids);
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
    await host.must(
      `sed -i 's|    server_name ${domain};|    server_name ${domain};\\n    listen 443 ssl; # managed by Certbot\\n    ssl_certificate ${live}/fullchain.pem; # managed by Certbot\\n    ssl_certificate_key ${live}/privkey.pem; # managed by Certbot|' ${site}`,
    );
    const edited = host.read(site);
    const { output } = expectExit(await host.installer([]), 0);
    expect(output).toContain('was edited by a person and is kept as it is.');
    expect(host.read(site)).toBe(edited);
    expect(await status(host, `https://${domain}/healthz`)).toBe('200');
    expectExit(await host.installer(['--detailed-exitcode']), 0);
    expectExit(await host.installer(['--port', '9005']), 0);
    expect(host.read(site)).toBe(edited);
    expect(await status(host, `https://${domain}/healthz`)).toBe('200');
  });

  test.each([
    ['another port', 's/listen 127.0.0.1:8084;/listen 127.0.0.1:9999;/'],
    ['nobody is let in', 's/listen 127.0.0.1:8084;/&\\n    deny all;/'],
    ['the include as a comment', 's/^    include/    #include/'],
  ])(
    'a site edited by a person (%s) is their own: runs and rotations go on, with a warning',
    async (_, edit) => {
      await using host = await createHost({ suite, name: 'edited' });
      expectExit(await host.installer([]), 0);
      await host.must(`sed -i '${edit}' ${site}`);
      await reloadNginx(host);
      const edited = host.read(site);
      const pids = await nginxPids(host);

      const { output } = expectExit(await host.installer(['--detailed-exitcode']), 0);
      expect(output).toContain(`[+] ${site} was edited by a person and is kept as it is.`);
      expect(output).toMatch(
        /^\[!\] The nginx site is not as the installer wrote it, so it is not judged: .*\.$/mu,
      );
      expect(await nginxPids(host)).toBe(pids);
      expectExit(await host.installer(['status']), 0);

      const old = secretsInFile(host);
      expectExit(await host.installer(['--force-rotate-tokens', '--detailed-exitcode']), 2);
      const rotated = secretsInFile(host);
      expect(await secretsInProcess(host)).toEqual(rotated);
      for (const name of secretNames) expect(rotated[name]).not.toBe(old[name]);
      expect(await nginxPids(host)).toBe(pids);

      // The snippet is the installer's: where it changes, nginx has to read it.
      const snippetBefore = host.read(snippet);
      expectExit(await host.installer(['--backend-url', 'http://127.0.0.1:8100/mcp']), 0);
      expect(host.read(snippet)).toBe(snippetBefore);
      expect(await nginxPids(host)).toBe(pids);
      expectExit(await host.installer(['--port', '9100', '--keep-edited']), 0);
      expect(host.read(snippet)).not.toBe(snippetBefore);
      expect(await nginxPids(host)).not.toBe(pids);
      expect(host.read(site)).toBe(edited);
    },
  );

  test("a file of a person's in place of the link is refused, and kept it is served as it is", async () => {
    await using host = await createHost({ suite, name: 'enabled' });
    expectExit(await host.installer([]), 0);
    const enabled = '/etc/nginx/sites-enabled/mcp-oauth-proxy.conf';
    await host.must(`rm ${enabled} && sed 's/8084/9999/' ${site} >${enabled} && systemctl reload nginx`);
    const edited = host.read(enabled);
    expect(expectExit(await host.installer([]), 10).output).toContain(`Someone edited ${enabled},`);
    expectExit(await host.installer(['--keep-edited', '--detailed-exitcode']), 0);
    expectExit(await host.installer(['--force-rotate-tokens']), 0);
    expect(host.read(enabled)).toBe(edited);
    expect(await host.must('curl -s http://127.0.0.1:9999/healthz')).toBe('ok');
    expectExit(await host.installer(['--force-config', '--detailed-exitcode']), 2);
    await expectAnswering(host);
    expectExit(await host.installer(['--detailed-exitcode']), 0);
  });

  test('an address on which another site answers for the domain is named', async () => {
    await using host = await createHost({ suite, name: 'address' });
    await host.must('ip addr add 10.9.9.9/24 dev lo');
    const marker = (): Promise<string> =>
      host.must(`curl -s --resolve ${domain}:80:10.9.9.9 http://${domain}/.well-known/mcp-installer`);
    const words = `[!] On 10.9.9.9, port 80, something else answers for ${domain}: `;
    const alone = expectExit(await host.installer(['--domain', domain, '--insecure-http']), 0);
    expect(alone.output).not.toContain('something else answers');
    expect(await marker()).toMatch(/^[0-9a-f]{16}$/u);

    await host.write(
      '/etc/nginx/sites-enabled/other',
      'server { listen 10.9.9.9:80; server_name other.example.org; return 200 other; }\n',
    );
    await reloadNginx(host);
    expect(await marker()).toBe('other');
    expect(expectExit(await host.installer(['--detailed-exitcode']), 0).output).toContain(words);
    await host.must('rm /etc/nginx/sites-enabled/other');
    await reloadNginx(host);
    expect(expectExit(await host.installer(['--detailed-exitcode']), 0).output).not.toContain(words);
  });

  test('a snippet that a person edited so that it tells no marker is their own too', async () => {
    await using host = await createHost({ suite, name: 'snippet' });
    expectExit(await host.installer([]), 0);
    await host.must(`sed -i 's|= /.well-known/mcp-installer|= /elsewhere|' ${snippet}`);
    await reloadNginx(host);
    const { output } = expectExit(await host.installer(['--detailed-exitcode']), 0);
    expect(output).toContain("port 8084 does not show the installer's snippet.");
  });

  test('nginx that was stopped and disabled is started, and that it would not come back is said', async () => {
    await using host = await createHost({ suite, name: 'disabled' });
    await host.must('systemctl disable --now nginx 2>&1');
    const warning = 'To enable it: systemctl enable nginx.service';
    expect(expectExit(await host.installer([]), 0).output).toContain(warning);
    await expectAnswering(host);
    expect((await host.sh('systemctl is-enabled nginx')).output).toBe('disabled\n');
    expect(expectExit(await host.installer(['--detailed-exitcode']), 0).output).toContain(warning);
    await host.must('systemctl enable nginx 2>&1');
    expect(expectExit(await host.installer(['--detailed-exitcode']), 0).output).not.toContain(warning);
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

  test('a run ends only when the workers of before have let go of the port, so that nobody is shown the old site after it', async () => {
    await using host = await createHost({ suite, name: 'old-worker' });
    expectExit(await host.installer([]), 0);
    await host.must(`cp ${snippet} /root/ours && sed -i 's/return 200 "[0-9a-f]*/return 200 "0/' ${snippet}`);
    await reloadNginx(host);
    await host.must(`cp /root/ours ${snippet}`);
    // One worker sleeps through the reload, until the new site has answered a while.
    await host.write(
      '/root/wake.sh',
      `worker=$(pgrep -P "$(cat /run/nginx.pid)" | head -n 1)
kill -STOP "$worker"
: >/root/asleep
shown=0
while [ "$shown" -lt 50 ]; do
  case $(curl -s -m 1 http://127.0.0.1:8084/.well-known/mcp-installer) in
    0 | '') ;;
    *) shown=$((shown + 1)) ;;
  esac
done
date -u +%Y-%m-%dT%H:%M:%S.%3NZ >/root/woken
kill -CONT "$worker"
`,
    );
    await host.must('setsid sh /root/wake.sh >/dev/null 2>&1 & until [ -e /root/asleep ]; do :; done');
    expect(expectExit(await host.installer([]), 0).output).toContain('Reloaded nginx');
    const ended = await host.must(
      `tail -qn 1 "$(ls -d /var/lib/mcp-installer/runs/* | tail -n 1)/journal.jsonl"`,
    );
    const woken = (await host.must('cat /root/woken')).trim();
    const { t } = JSON.parse(ended) as { t: string };
    expect([woken, t].sort()).toEqual([woken, t]);
  });
});
