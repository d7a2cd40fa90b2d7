/** examples/other-product from the packed package, on a host that has mcp-oauth-proxy already: what another product gets. */
import { createHmac } from 'node:crypto';
import { cpSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { installExample, promisedOutput, withoutChance } from '../examples/support/example.ts';
import { suites } from '../hosts/support/base.ts';
import { testNode } from '../hosts/support/form.ts';
import { createHost, type Host } from '../hosts/support/host.ts';
import type { Ran } from '../support/installer.ts';
import {
  expectAnswering,
  expectExit,
  mainPid,
  nginxPids,
  envFile as proxyEnv,
} from '../hosts/support/observe.ts';
import { signerFiles } from './signer.ts';

const place = '/opt/other-product';

/** Type-checks and builds the example, and lays it onto the host with what it needs at run time. */
async function bring(host: Host): Promise<void> {
  using example = await installExample('other-product');
  const checked = await example.run('npx', ['tsc']);
  expect(checked).toMatchObject({ exitCode: 0, output: '' });
  const at = path.join(host.tree, place);
  mkdirSync(at, { recursive: true });
  const needed = ['mcp-installer', 'valibot', 'xstate'].map((name) => `node_modules/${name}`);
  for (const name of ['package.json', 'product.yaml', 'service', 'dist', ...needed])
    cpSync(path.join(example.directory, name), path.join(at, name), { recursive: true });
}

const installs = (host: Host, ...args: readonly string[]): Promise<Ran> =>
  host.run([testNode, `${place}/dist/main.js`, ...args]);

const lastLine = ({ stdout }: Ran): string => stdout.trimEnd().split('\n').at(-1) ?? '';

const pidOf = (host: Host): Promise<string> =>
  host.must('systemctl show --property=MainPID --value signer.service');

function secretsOf(host: Host): Readonly<Record<string, string>> {
  const lines = host.read(signerFiles.env).split('\n');
  return Object.fromEntries(
    ['API_KEY', 'SIGNING_KEY'].map((name) => [
      name,
      lines.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1) ?? '',
    ]),
  );
}

/** What the service answers to somebody with this key: its status, then its body. */
async function sign(host: Host, key = '', port = 8095): Promise<readonly [string, unknown]> {
  const words = `curl -s -w '\\n%{http_code}' -H @- -d 'some text' http://127.0.0.1:${port}/sign`;
  const { stdout } = await host.sh(words, { input: `Authorization: Bearer ${key}\n` });
  const [body = '', status = ''] = stdout.split('\n');
  return [status, JSON.parse(body === '' ? 'null' : body)];
}

const signed = (key = ''): string => createHmac('sha256', key).update('some text').digest('hex');

/** Everything of mcp-oauth-proxy that another product's runs must leave as it is. */
const proxyOf = async (host: Host): Promise<unknown> => ({
  pid: await mainPid(host),
  nginx: await nginxPids(host),
  env: host.read(proxyEnv),
  files: await host.must(
    'stat -c "%n %i %Y" /etc/mcp-oauth-proxy/.env /usr/local/lib/mcp-oauth-proxy/* /etc/systemd/system/mcp-oauth-proxy.* /etc/nginx/*/mcp-oauth-proxy.conf',
  ),
});

describe.each(suites)('%s', (suite) => {
  test('another product: fresh, again, rotated, upgraded, failed, beside mcp-oauth-proxy', async () => {
    await using host = await createHost({ suite, name: 'other-product' });
    expectExit(await host.installer([]), 0);
    await bring(host);
    const proxy = await proxyOf(host);

    const fresh = expectExit(await installs(host), 0);
    expect(withoutChance(fresh.stdout)).toBe(withoutChance(promisedOutput('other-product')));
    const made = secretsOf(host);
    const answer = { issuer: 'signer', signature: signed(made['SIGNING_KEY']) };
    expect(await sign(host, made['API_KEY'])).toEqual(['200', answer]);
    expect((await sign(host, 'wrong'))[0]).toBe('401');
    expect(await host.must(`stat -c '%a %U' ${signerFiles.env} /etc/signer`)).toBe('600 root\n700 root');

    const pid = await pidOf(host);
    expect(lastLine(expectExit(await installs(host), 0))).toBe('unchanged 0');
    expect({ pid: await pidOf(host), secrets: secretsOf(host) }).toEqual({ pid, secrets: made });

    expect(lastLine(expectExit(await installs(host, '--rotate', 'API_KEY'), 0))).toBe('installed 0');
    const rotated = secretsOf(host);
    expect({ kept: rotated['SIGNING_KEY'], rotated: rotated['API_KEY'] !== made['API_KEY'] }).toEqual({
      kept: made['SIGNING_KEY'],
      rotated: true,
    });
    expect(await sign(host, rotated['API_KEY'])).toEqual(['200', answer]);
    expect((await sign(host, made['API_KEY']))[0]).toBe('401');

    await host.must(
      `sed -i 's/{"issuer": CONFIG/{"version": 2, "issuer": CONFIG/' ${place}/service/signer.py`,
    );
    expectExit(await installs(host), 0);
    expect(await sign(host, rotated['API_KEY'])).toEqual(['200', { version: 2, ...answer }]);
    expect(secretsOf(host)).toEqual(rotated);

    const good = host.read(signerFiles.code);
    await host.must(
      `echo 'raise SystemExit(1)' >>${place}/service/signer.py && sed -i '1i import nothing' ${place}/service/signer.py`,
    );
    const failed = expectExit(await installs(host), 12);
    expect(lastLine(failed)).toContain('E_UNHEALTHY');
    expect({ code: host.read(signerFiles.code), secrets: secretsOf(host) }).toEqual({
      code: good,
      secrets: rotated,
    });
    expect(await sign(host, rotated['API_KEY'])).toEqual(['200', { version: 2, ...answer }]);

    // The same product by its file, with the example as it was: the code goes back, and nothing else is to do.
    await bring(host);
    const byFile = ['--product', `${place}/product.yaml`];
    const back = expectExit(await host.installer(byFile), 0);
    expect(back.output).toContain('[+] Plan');
    expect(expectExit(await host.installer(byFile), 0).output).toContain('[OK] Nothing to do');
    expect(lastLine(expectExit(await installs(host), 0))).toBe('unchanged 0');
    expectExit(await host.installer(['status', ...byFile]), 0);
    expectExit(await host.installer([...byFile, '--port', '9095', '--issuer', 'The "best" signer']), 0);
    expect(await sign(host, rotated['API_KEY'], 9095)).toEqual([
      '200',
      { ...answer, issuer: 'The "best" signer' },
    ]);
    expect(secretsOf(host)).toEqual(rotated);

    expect(await proxyOf(host)).toEqual(proxy);
    await expectAnswering(host);
    expect(expectExit(await host.installer([]), 0).output).toContain('[OK] Nothing to do');
    expectExit(await host.installer(['status']), 0);
  });
});
