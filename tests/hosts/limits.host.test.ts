/** nginx before the service: how often each client may ask, and that what nginx answers by itself is JSON. */
import { describe, expect, test } from 'vitest';
import { suites } from './support/base.ts';
import { createHost, type Host } from './support/host.ts';
import {
  differences,
  expectAnswering,
  expectExit,
  nginxPids,
  reloadNginx,
  snapshot,
} from './support/observe.ts';

const domain = 'mcp.example.org';
const zones = '/etc/nginx/conf.d/mcp-oauth-proxy.conf';
const snippet = '/etc/nginx/snippets/mcp-oauth-proxy.conf';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

const times = (count: number, url: string): string =>
  Array.from({ length: count }, () => `-o /dev/null ${url}`).join(' ');

/**
 * One answer of the site, with what `curl` was told beside its address; `after` are requests that the same process makes
 * at once before: on a slow host the next one comes so late that a limit has room again.
 */
async function ask(host: Host, path: string, options = '', after = ''): Promise<Answer> {
  const before = after === '' ? '' : `-s ${after} --next`;
  const text = await host.must(`curl ${before} -s -i ${options} http://127.0.0.1:8084${path}`);
  const [head = '', ...rest] = text.replaceAll('\r', '').split('\n\n');
  const [first = '', ...lines] = head.split('\n');
  const headers = lines.map((line): [string, string] => {
    const [name = '', ...value] = line.split(': ');
    return [name.toLowerCase(), value.join(': ')];
  });
  const body: unknown = JSON.parse(rest.join('\n\n'));
  return { status: Number(first.split(' ')[1]), headers: Object.fromEntries(headers), body };
}

/** How many of so many requests in a row nginx refused; they all begin within a moment. */
async function refusedOf(host: Host, count: number, url: string, options = ''): Promise<number> {
  const codes = await host.must(`curl -s -w '%{http_code}\\n' ${options} ${times(count, url)}`);
  return codes.split('\n').filter((code) => code === '429').length;
}

const rpc = (message: string) => ({ jsonrpc: '2.0', error: { code: -32000, message }, id: null });

describe.each(suites)('%s', (suite) => {
  test('a client that asks too often is told so as OAuth JSON, and nobody else is', async () => {
    await using host = await createHost({ suite, name: 'limits' });
    expectExit(await host.installer([]), 0);
    const site = 'http://127.0.0.1:8084';
    // 20 more than the first; a second or two may pass meanwhile, and each gives two back.
    expect(await refusedOf(host, 20, `${site}/token`, '-X POST')).toBe(0);
    const limited = await refusedOf(host, 40, `${site}/token`, '-X POST');
    expect(limited).toBeGreaterThan(20);
    const full = `-X POST ${times(40, `${site}/token`)}`;
    expect(await ask(host, '/token', '-d a=b', full)).toMatchObject({
      status: 429,
      headers: { 'content-type': 'application/json', 'cache-control': 'no-store', 'retry-after': '5' },
      body: { error: 'temporarily_unavailable', error_description: expect.any(String) as string },
    });
    // However it is written.
    for (const path of ['/%74oken', '/x/../token', '/token?a=b'])
      expect((await ask(host, path, '--path-as-is', full)).status).toBe(429);
    expect(await refusedOf(host, 20, `${site}/token`, '-X POST --interface 127.0.0.2')).toBe(0);

    expect(await refusedOf(host, 10, `${site}/authorize`)).toBe(0);
    expect(await refusedOf(host, 20, `${site}/authorize`)).toBeGreaterThan(10);
    expect((await ask(host, '/authorize')).headers['cache-control']).toBe('no-store');
    // What is asked for often is not limited.
    for (const path of ['/mcp', '/healthz', '/.well-known/oauth-authorization-server'])
      expect({ path, refused: await refusedOf(host, 60, `${site}${path}`) }).toEqual({ path, refused: 0 });
  });

  test('of IPv6 a network is one client', async () => {
    await using host = await createHost({ suite, name: 'limits-ipv6' });
    expectExit(await host.installer(['--domain', domain, '--insecure-http']), 0);
    await host.must(
      'for net in 1 2; do for at in 1 2 3; do ip -6 addr add fd00:0:0:$net::$at/64 dev lo nodad; done; done',
    );
    const refused = (from: string, count: number): Promise<number> =>
      refusedOf(
        host,
        count,
        `http://${domain}/token`,
        `-X POST --interface ${from} --resolve '${domain}:80:[fd00:0:0:1::1]'`,
      );
    expect(await refused('fd00:0:0:1::2', 60)).toBeGreaterThan(20);
    expect(await refused('fd00:0:0:1::3', 20)).toBeGreaterThan(10);
    expect(await refused('fd00:0:0:2::2', 20)).toBe(0);
  });

  test('what nginx answers by itself is JSON: JSON-RPC for /mcp; what the service answers passes unchanged', async () => {
    await using host = await createHost({ suite, name: 'nginx-answers' });
    expectExit(await host.installer([]), 0);
    await host.must('head -c 5000000 /dev/zero >/root/large');
    const large = '-X POST -H Expect: --data-binary @/root/large';
    const json = { 'content-type': 'application/json', 'cache-control': 'no-store' };
    const tooLarge = 'The request is larger than 4 MiB.';
    expect(await ask(host, '/mcp', large)).toMatchObject({
      status: 413,
      headers: json,
      body: rpc(tooLarge),
    });
    expect(await ask(host, '/token.html', large)).toMatchObject({
      status: 413,
      headers: json,
      body: { error: 'invalid_request', error_description: tooLarge },
    });
    const own = await ask(host, '/mcp', '-d {}');
    expect(own.status).toBe(401);
    expect(own.headers['www-authenticate']).toContain('resource_metadata=');

    const service = 'mcp-oauth-proxy.service mcp-oauth-proxy.socket';
    await host.must(`systemctl stop ${service}`);
    const unavailable = 'The service does not answer.';
    expect(await ask(host, '/mcp', '-d {}')).toMatchObject({
      status: 502,
      headers: json,
      body: rpc(unavailable),
    });
    expect(await ask(host, '/token', '-d a=b')).toMatchObject({
      status: 502,
      headers: json,
      body: { error: 'temporarily_unavailable', error_description: unavailable },
    });
  });

  test('rates that a person tuned stay, and what is served is judged as before; without the file it is made again', async () => {
    await using host = await createHost({ suite, name: 'tuned' });
    expectExit(await host.installer([]), 0);
    await host.must(`sed -i 's/rate=2r/rate=99r/' ${zones}`);
    await reloadNginx(host);
    const tuned = host.read(zones);
    const pids = await nginxPids(host);
    expect(expectExit(await host.installer(['--detailed-exitcode']), 0).output).toContain(
      `${zones} was edited by a person and is kept as it is.`,
    );
    expect(await nginxPids(host)).toBe(pids);
    expectExit(await host.installer(['status']), 0);
    expectExit(await host.installer(['--port', '9000']), 0);
    expect(host.read(zones)).toBe(tuned);
    // Judged: an older configuration that is still served is noticed.
    await host.must(`cp ${snippet} /root/ours && sed -i 's/return 200 "[0-9a-f]*/return 200 "0/' ${snippet}`);
    await reloadNginx(host);
    await host.must(`cp /root/ours ${snippet}`);
    expect(expectExit(await host.installer([]), 0).output).toContain('Reloaded nginx');

    await host.must(`rm ${zones}`);
    expect(expectExit(await host.installer(['status']), 3).output).toContain(`nginx rate limits ${zones}`);
    expectExit(await host.installer(['--detailed-exitcode']), 2);
    expect(host.read(zones)).toContain('rate=2r/s');
    expectExit(await host.installer(['--detailed-exitcode']), 0);
  });

  test('an edit that takes a rate limit away, so that nginx would not start again, is not called in order', async () => {
    await using host = await createHost({ suite, name: 'zone-removed' });
    expectExit(await host.installer([]), 0);
    await host.must(`sed -i '/zone=mcp_oauth_proxy_authorize/d' ${zones}`);
    expect((await host.sh('nginx -t')).exitCode).not.toBe(0);
    const edited = host.read(zones);
    const { output } = expectExit(await host.installer([]), 10);
    expect(output).toContain(`E_EDIT_CONFLICT: Someone edited ${zones}, and ${zones} lacks what others`);
    expect(output).toContain('--force-config');
    const found = expectExit(await host.installer(['status']), 3);
    expect(found.output).toContain(`${zones} was edited by a person and is kept, but it lacks what others`);
    expect(found.output).toContain(`  write new version of the nginx rate limits ${zones}.mcp-new`);
    expect(host.read(zones)).toBe(edited);
    expect(host.exists(`${zones}.mcp-new`)).toBe(false);

    // Kept on purpose it is told all the same.
    const told = `[!] ${zones} was edited by a person and is kept, but it lacks what others`;
    expect(expectExit(await host.installer(['--keep-edited']), 0).output).toContain(told);
    expect(host.read(zones)).toBe(edited);
    expectExit(await host.installer([]), 10);

    expectExit(await host.installer(['--force-config', '--detailed-exitcode']), 2);
    await host.must('nginx -t -q');
    expectExit(await host.installer(['status']), 0);
    expectExit(await host.installer(['--detailed-exitcode']), 0);
  });

  test('where nginx does not read the rate limits, that is refused; where it cannot be told before, it is put back', async () => {
    await using host = await createHost({ suite, name: 'not-included' });
    const config = '/etc/nginx/nginx.conf';
    const include = 'include /etc/nginx/conf.d/\\*.conf;';
    await host.must(`cp ${config} /root/nginx.conf && sed -i 's|${include}||' ${config}`);
    const before = snapshot(host);
    const { output } = expectExit(await host.installer([]), 10);
    expect(output).toContain(`E_NOT_INCLUDED: ${config} does not include /etc/nginx/conf.d/*.conf,`);
    expect(differences(before, snapshot(host))).toEqual([]);

    await host.must(`sed 's|${include}|include /etc/nginx/nothing*/*.conf;|' /root/nginx.conf >${config}`);
    const failed = expectExit(await host.installer([]), 12);
    expect(failed.output).toContain('zero size shared memory zone "mcp_oauth_proxy_token"');
    expect(failed.output).toContain(`${zones} defines that zone: `);
    for (const file of [zones, snippet]) expect(host.exists(file)).toBe(false);
    await host.must(`nginx -t -q && cp /root/nginx.conf ${config}`);
    expectExit(await host.installer([]), 0);
    await expectAnswering(host);
  });
});
