/** Several installations of one product: names that nobody shares, texts that are the plain one's, and who is asked. */
import { describe, expect, test } from 'vitest';
import { createMemoryHost } from '../../src/effects/host/memory.ts';
import type { Host } from '../../src/effects/host/port.ts';
import { InstallerError } from '../../src/errors.ts';
import { install } from '../../src/install.ts';
import { journalDirectory } from '../../src/journal-home.ts';
import { probeLock } from '../../src/journal/lock.ts';
import { claimsOfFiles } from '../../src/products/beside.ts';
import { instanceOf, validateInstance } from '../../src/products/instances.ts';
import { createMcpOauthProxy, mcpOauthProxy } from '../../src/products/mcp-oauth-proxy/index.ts';
import type { Desired, HostView, Product, Settings } from '../../src/products/product.ts';
import { defineService } from '../../src/products/service/index.ts';
import { place } from '../support/place.ts';
import { signerDefinition } from './signer.ts';

const domain = 'mcp.example.org';
const live = `/etc/letsencrypt/live/${domain}`;
const view: HostView = {
  fileAt: (path) => (path.startsWith(live) ? 'file' : 'missing'),
  exists: () => false,
  readText: () => null,
  foreignText: () => null,
  list: () => null,
  ipv6: true,
};
const local: Settings = { LISTEN_PORT: '8083', BACKEND_URL: 'http://127.0.0.1:8000/mcp' };

function desiredOf(product: Product, settings: Settings): Desired {
  const wanted = product.desired({ settings, given: settings, view, code: product.bundledCode });
  if (!wanted.ok) throw new Error(wanted.code);
  return wanted.desired;
}

const textsOf = ({ files, links }: Desired): readonly string[] => [
  ...files.map(
    ({ path, content, role }) =>
      `${path}\n${role === 'service' ? '' : Buffer.from(content).toString('utf8')}`,
  ),
  ...links.map(({ path, target }) => `${path} ${target}`),
];

/** Names that nginx, systemd and the file system know for all of a host at once. */
const sharedNames = (desired: Desired): ReadonlySet<string> => {
  const text = textsOf(desired).join('\n');
  const found = [
    ...text.matchAll(/\szone=(\w+):/gu),
    ...text.matchAll(/^map \$\w+ (\$\w+) /gmu),
    ...text.matchAll(/^StateDirectory=(.*)$/gmu),
    ...text.matchAll(/^(?:EnvironmentFile|Requires)=(.*)$/gmu),
    ...text.matchAll(/\sinclude (\S+);/gu),
  ].map(([, name]) => name!);
  const paths = [...desired.files, ...desired.links, ...desired.directories.filter(({ shared }) => !shared)];
  return new Set([...found, ...paths.map(({ path }) => path)]);
};

describe.each<[string, Settings]>([
  ['loopback alone', local],
  ['TLS', { ...local, DOMAIN: domain }],
  ['a certificate to come', { ...local, DOMAIN: 'later.example.org' }],
  ['no TLS', { ...local, DOMAIN: 'later.example.org', INSECURE_HTTP: '1' }],
])('with %s', (_, settings) => {
  test('what an instance writes is what the plain installation writes, but for its name', () => {
    const plain = (text: string): string =>
      text
        .replaceAll('mcp-oauth-proxy-team-b', 'mcp-oauth-proxy')
        .replaceAll('mcp_oauth_proxy_team_b_', 'mcp_oauth_proxy_')
        .replaceAll('mcp_client_of_team_b', 'mcp_oauth_proxy_client')
        .replace(/^(Description=.*) \(team-b\)$/gmu, '$1')
        .replace(/return 200 "[0-9a-f]{16}\\n"/u, 'return 200 "MARKER"');
    const other = desiredOf(createMcpOauthProxy('team-b'), settings);
    expect(textsOf(other).map(plain)).toEqual(textsOf(desiredOf(mcpOauthProxy, settings)).map(plain));
  });

  test('no two of them share a name of the host, however they are called', () => {
    const names = [
      'b',
      'token',
      'authorize',
      'client',
      'oauth-proxy',
      'b-token',
      'token-b',
      '0',
      'b--c',
      'b-c',
    ];
    const all = [mcpOauthProxy, ...names.map((name) => createMcpOauthProxy(name))].map((product) => [
      ...sharedNames(desiredOf(product, settings)),
    ]);
    expect(all[0]!.length).toBeGreaterThan(10);
    expect(new Set(all.flat()).size).toBe(all.flat().length);
  });
});

test('of the longest name nginx still takes the variable, 64 bytes a bucket', () => {
  const desired = desiredOf(createMcpOauthProxy('a'.repeat(32)), local);
  const [variable] = [...sharedNames(desired)].filter((name) => name.startsWith('$'));
  expect(variable!.length - 1).toBeLessThanOrEqual(46);
});

test('a name is 1 to 32 of a-z, 0-9 and inner hyphens', () => {
  for (const name of ['a', '0', 'a-b', 'a--b', 'a'.repeat(32)]) expect(validateInstance(name).ok).toBe(true);
  for (const name of ['', '-', 'a-', '-a', 'A', 'a_b', 'a b', 'a\n', 'a'.repeat(33)]) {
    expect([name, validateInstance(name).ok]).toEqual([name, false]);
    expect(() => createMcpOauthProxy(name)).toThrow(InstallerError);
  }
});

test('of what a person edited it is the files that tell what an installation has', () => {
  const site =
    '# server_name no.example.org;\nserver { listen 127.0.0.1:9001; server_name localhost a.example.org b.example.org; }';
  expect(claimsOfFiles('[Socket]\nListenStream=127.0.0.1:9000\n#ListenStream=127.0.0.1:1\n', site)).toEqual({
    ports: [9000, 9001],
    domains: ['a.example.org', 'b.example.org'],
  });
  expect(claimsOfFiles(null, null)).toEqual({ ports: [], domains: [] });
});

describe('on a host', () => {
  const env = '/etc/mcp-oauth-proxy/.env';
  const withPlain = async () => {
    const host = createMemoryHost();
    const { output } = await install({ host });
    expect(output.outcome).toBe('installed');
    return host;
  };
  const b = createMcpOauthProxy('b');

  test('a neighbour’s env file that this user may not read is no neighbour that is not there', async () => {
    const host = await withPlain();
    const denied: Host = {
      ...host,
      readFile: (path) => {
        if (path === env) throw new InstallerError('E_NOT_ROOT', { path });
        return host.readFile(path);
      },
    };
    const { output } = await install({
      host: denied,
      product: b,
      request: { settings: { LISTEN_PORT: '9000' } },
    });
    expect([output.outcome, output.error?.code]).toEqual(['refused', 'E_NOT_ROOT']);
  });

  test('one that cannot be used is its own trouble: what its units say counts', async () => {
    const host = await withPlain();
    const unsafe: Host = {
      ...host,
      readFile: (path) => {
        if (path === env) throw new InstallerError('E_PATH_UNSAFE', { path, why: 'it is a symlink' });
        return host.readFile(path);
      },
    };
    const attempt = async (port: string) =>
      (await install({ host: unsafe, product: b, request: { settings: { LISTEN_PORT: port } } })).output.error
        ?.code;
    expect([await attempt('8083'), await attempt('9000')]).toEqual(['E_INSTANCE_CLASH', undefined]);
  });

  test('a run of an instance holds the lock of the host while it changes it, and its journal is its own', async () => {
    using root = place();
    const held: boolean[] = [];
    const { run } = await install({
      root: root.path,
      product: b,
      onEvent: ({ type }) => {
        if (type === 'operation') held.push(probeLock(root.at(journalDirectory)));
      },
    });
    expect([...new Set(held)]).toEqual([true]);
    expect(root.read(`${journalDirectory}/instances/b/runs/${run!}/journal.jsonl`)).toContain(
      'mcp-oauth-proxy-b',
    );
    expect([...root.journalTree().keys()]).not.toContain('/runs');
  });
});

describe('a product that is described by data', () => {
  const signer = defineService(signerDefinition);

  test('is moved whole: its own directories, and the first port that is free', () => {
    const { ok, ...wanted } = instanceOf(signer, 'b').desired({
      settings: { PORT: '8096', ISSUER: 'signer', MAX_BYTES: '1' },
      given: {},
      view,
      code: new Uint8Array(),
    });
    if (!ok || !('desired' in wanted)) throw new Error('refused');
    const paths = wanted.desired.files.map(({ path }) => path);
    expect(paths).toEqual([
      '/usr/local/lib/signer-b/signer.py',
      '/usr/local/lib/signer-b/config.json',
      '/etc/systemd/system/signer-b.service',
    ]);
    expect(textsOf(wanted.desired).join('\n')).not.toMatch(/(?:etc|lib|system)\/signer[/.]/u);
    expect(instanceOf(signer, 'b').settings.find(({ key }) => key === 'PORT')?.default).toBeUndefined();
  });

  test('that writes out its own places is refused as an instance, with all of them; as itself it is not', () => {
    const unit = signerDefinition.unit
      .replace('{{codeDirectory}}/config.json', '/usr/local/lib/signer/config.json')
      .replace('DynamicUser=yes', 'DynamicUser=yes\nStateDirectory=signer\n# /etc/signer/old');
    const site = 'server { listen 80; {{marker}} }';
    const own = defineService({ ...signerDefinition, unit, nginx: { site, port: 80 } });
    expect(() => instanceOf(own, 'b')).toThrow(
      /unit: "\/usr\/local\/lib\/signer"[^]*unit: "StateDirectory=signer"[^]*nginx: .*serverName/u,
    );
    const named = unit
      .replace('/usr/local/lib/signer/', '{{codeDirectory}}/')
      .replace('=signer', '={{name}}');
    expect(instanceOf(defineService({ ...signerDefinition, unit: named }), 'b').state).toEqual(['signer-b']);
  });

  test('or by a program of which a host has one alone: it has no instances', () => {
    const { instances, ...one } = signer;
    expect(instances).toBeDefined();
    expect(() => instanceOf(one, 'b')).toThrow('--instance "b": a host has one signer alone.');
  });
});
