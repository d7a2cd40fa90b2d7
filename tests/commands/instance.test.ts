/** `--instance NAME`: a second installation beside the first, sharing nothing that could break the other. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { both, envOf, settingOf } from '../support/instances.ts';
import { expectExit, files, installed, place, type Place } from '../support/place.ts';
import { eventsOf } from '../support/run-events.ts';
import { traced } from '../support/trace.ts';
import { changedPaths, treeOf } from '../support/tree.ts';
import { repositoryRoot } from '../hosts/support/base.ts';

const b = ['--instance', 'b'];
const runsOf = (root: Place, instance: string): string => `${files.journal}/instances/${instance}/runs`;

/** Every path of an installation, and its journal. */
const placesOf = (root: Place, name: string): ReadonlyMap<string, string> =>
  new Map([...root.look()].filter(([path]) => new RegExp(`/${name}(?:[./]|$)`, 'u').test(path)));

/** Refused with this code, and nothing of the tree is touched. */
async function expectRefused(
  root: Place,
  args: readonly string[],
  code: string,
  exitCode = 10,
): Promise<string> {
  const before = root.look();
  const ran = expectExit(await root.install(args), exitCode);
  expect([ran.stderr.includes(`${code}: `), changedPaths(before, root.look())]).toEqual([true, []]);
  return ran.stderr;
}

describe('a second installation', () => {
  test('has its own files, secrets, ports and journal; the first one is not touched', async () => {
    using root = await installed();
    const plain = placesOf(root, 'mcp-oauth-proxy');
    const journal = treeOf(root.at(`${files.journal}/runs`));
    expectExit(await root.install(b), 0);
    expect(changedPaths(plain, placesOf(root, 'mcp-oauth-proxy'))).toEqual([]);
    expect(changedPaths(journal, treeOf(root.at(`${files.journal}/runs`)))).toEqual([]);
    const own = [...placesOf(root, 'mcp-oauth-proxy-b').keys()].filter((name) => !name.includes('_proxy.py'));
    expect(own.filter((name) => /\.(?:env|conf|socket|service)$/u.test(name)).toSorted()).toEqual([
      envOf('b'),
      '/etc/nginx/conf.d/mcp-oauth-proxy-b.conf',
      '/etc/nginx/sites-available/mcp-oauth-proxy-b.conf',
      '/etc/nginx/sites-enabled/mcp-oauth-proxy-b.conf',
      '/etc/nginx/snippets/mcp-oauth-proxy-b.conf',
      '/etc/systemd/system/mcp-oauth-proxy-b.service',
      '/etc/systemd/system/mcp-oauth-proxy-b.socket',
      '/etc/systemd/system/multi-user.target.wants/mcp-oauth-proxy-b.service',
      '/etc/systemd/system/sockets.target.wants/mcp-oauth-proxy-b.socket',
    ]);
    const tokens = [files.env, envOf('b')].map((env) => settingOf(root, env, 'CLIENT_SECRET'));
    expect(new Set(tokens).size).toBe(2);
    expect(root.read('/etc/systemd/system/mcp-oauth-proxy-b.socket')).toContain(
      'ListenStream=127.0.0.1:8085\n',
    );
  });

  test('a rerun finds nothing to do, and remembers its port whatever is free by then', async () => {
    using root = await both();
    expectExit(await root.install(['--instance', 'c']), 0);
    expect(settingOf(root, envOf('c'), 'LISTEN_PORT')).toBe('8087');
    expectExit(await root.run('uninstall', [...b, '--purge']), 0);
    const before = root.look();
    expect(expectExit(await root.install(['--instance', 'c', '--detailed-exitcode']), 0).stdout).toContain(
      'Nothing to do',
    );
    expect(changedPaths(before, root.look())).toEqual([]);
    expectExit(await root.install(['--instance', 'd']), 0);
    expect(settingOf(root, envOf('d'), 'LISTEN_PORT')).toBe('8085');
  });

  test('a dry run writes nothing, and names the plan of the run after it', async () => {
    using root = await installed();
    const [before, journal] = [root.look(), root.journalTree()];
    const dry = expectExit(await root.install([...b, '--dry-run']), 0).stdout;
    expect([...changedPaths(before, root.look()), ...changedPaths(journal, root.journalTree())]).toEqual([]);
    const hash = /Plan [0-9a-f]{8}: \d+ changes/u;
    expect(hash.exec(expectExit(await root.install(b), 0).stdout)?.[0]).toBe(hash.exec(dry)?.[0]);
  });

  test('is there without a first one, whose journal it does not found', async () => {
    using root = place();
    expectExit(await root.install(b), 0);
    expect(expectExit(await root.run('status'), 4).stdout).toContain(
      'Beside it on this host: mcp-oauth-proxy-b (--instance b), 127.0.0.1:8085',
    );
    await expectRefused(root, ['--port', '8085'], 'E_INSTANCE_CLASH');
    expect(expectExit(await root.run('history'), 0).stdout).toContain('No runs are recorded here.');
    expectExit(await root.install(), 0);
  });

  test('a rerun of either reads the newest journal of the other once', async () => {
    using root = await both();
    const opened = async (args: readonly string[], runs: string): Promise<number> => {
      const { exitCode, calls } = await traced([...args, '--root', root.path]);
      expect(exitCode).toBe(0);
      const journals = new RegExp(`^${root.at(runs)}/[^/]+/journal\\.jsonl$`, 'u');
      return calls.filter(({ name, path }) => name === 'openat' && journals.test(path)).length;
    };
    expect([await opened([], runsOf(root, 'b')), await opened(b, `${files.journal}/runs`)]).toEqual([1, 1]);
  });

  test('rotating one leaves the secrets of the other', async () => {
    using root = await both();
    const [plain, other] = [root.read(files.env), root.read(envOf('b'))];
    expectExit(await root.install([...b, '--force-rotate-tokens']), 0);
    expect([root.read(files.env) === plain, root.read(envOf('b')) === other]).toEqual([true, false]);
  });
});

describe('a name', () => {
  test.each(['', 'B', 'a b', '-a', 'a-', '../x', 'a.b', 'ä', 'a'.repeat(33)])(
    '%j is refused, with what would be valid',
    async (name) => {
      using root = place();
      const words = await expectRefused(root, [`--instance=${name}`], 'E_USAGE', 64);
      expect(words).toContain('1 to 32 of a-z, 0-9 and hyphens between them are valid');
    },
  );

  test('in the environment is refused by every command: it is no setting', async () => {
    using root = await both();
    const before = root.look();
    const env = { MCP_INSTALLER_INSTANCE: 'b' };
    for (const command of ['install', 'status', 'uninstall', 'rollback', 'history']) {
      const ran = expectExit(await root.install([command], { env }), 64);
      expect(ran.stderr).toContain('E_USAGE: MCP_INSTALLER_INSTANCE in the environment does nothing');
    }
    expect(changedPaths(before, root.look())).toEqual([]);
  });

  test('of a journal that is not there means no runs', async () => {
    using root = await both();
    expect(expectExit(await root.run('history', ['--instance', 'x']), 0).stdout).toContain('No runs');
    expectExit(await root.run('show', ['last', '--instance', 'x']), 64);
    expectExit(await root.run('status', ['--instance', 'x']), 4);
    expect(expectExit(await root.run('uninstall', ['--instance', 'x', '--purge']), 0).stdout).toContain(
      'mcp-oauth-proxy-x is not installed.',
    );
  });
});

describe('what another installation has', () => {
  test.each([
    ['its port', ['--port', '8083'], 'Port 8083 is taken by mcp-oauth-proxy,'],
    ['the port of its site', ['--port', '8084'], 'Port 8084 is taken by mcp-oauth-proxy,'],
    ['a port below its own, whose site would take it', ['--port', '8082'], 'Port 8083 is taken by'],
  ])('%s is refused', async (_, args, words) => {
    using root = await installed();
    expect(await expectRefused(root, [...b, ...args], 'E_INSTANCE_CLASH')).toContain(words);
  });

  test('its domain is refused, and so is that of its site where a person has changed it', async () => {
    using root = await both(['--domain', 'b.example.org']);
    expect(await expectRefused(root, ['--domain', 'b.example.org'], 'E_INSTANCE_CLASH')).toContain(
      'The domain b.example.org is taken by mcp-oauth-proxy-b (--instance b)',
    );
    const site = '/etc/nginx/sites-available/mcp-oauth-proxy-b.conf';
    root.write(site, root.read(site).replaceAll('server_name b.', 'server_name www.b.example.org b.'));
    await expectRefused(root, ['--domain', 'www.b.example.org'], 'E_INSTANCE_CLASH');
    expectExit(await root.install(['--domain', 'a.example.org']), 0);
  });

  test('is not kept by skipping the preflight, and a rerun of either is no clash', async () => {
    using root = await both();
    await expectRefused(root, ['--port', '8085', '--skip-preflight'], 'E_INSTANCE_CLASH');
    expectExit(await root.install(['--port', '9000']), 0);
    expectExit(await root.install([...b, '--port', '8083']), 0);
    expectExit(await root.install(), 0);
  });

  test('is free once it is uninstalled, though its secrets are kept; taking it up again is refused then', async () => {
    using root = await both();
    expectExit(await root.run('uninstall', b), 0);
    expectExit(await root.install(['--port', '8085']), 0);
    await expectRefused(root, b, 'E_INSTANCE_CLASH');
    expectExit(await root.install([...b, '--port', '8090']), 0);
  });

  test('rollback refuses to take it back', async () => {
    using root = await both();
    expectExit(await root.install([...b, '--port', '9000']), 0);
    expectExit(await root.install(['--port', '8085']), 0);
    const before = root.look();
    expect(expectExit(await root.run('rollback', b), 10).stderr).toContain(
      'E_INSTANCE_CLASH: Port 8085 is taken',
    );
    expect(changedPaths(before, root.look())).toEqual([]);
    expectExit(await root.run('rollback'), 0);
    expectExit(await root.run('rollback', b), 0);
    expect(settingOf(root, envOf('b'), 'LISTEN_PORT')).toBe('8085');
  });
});

describe('taking one away', () => {
  test('leaves the other as it was, and its journal', async () => {
    using root = await both();
    const plain = placesOf(root, 'mcp-oauth-proxy');
    const [runs, other] = [treeOf(root.at(`${files.journal}/runs`)), treeOf(root.at(runsOf(root, 'b')))];
    expectExit(await root.run('uninstall', [...b, '--purge']), 0);
    expect([...placesOf(root, 'mcp-oauth-proxy-b').keys()]).toEqual([]);
    expect(changedPaths(plain, placesOf(root, 'mcp-oauth-proxy'))).toEqual([]);
    expect(changedPaths(runs, treeOf(root.at(`${files.journal}/runs`)))).toEqual([]);
    expect(changedPaths(other, treeOf(root.at(runsOf(root, 'b')))).length).toBeGreaterThan(0);
    expectExit(await root.run('status', b), 4);
    expect(expectExit(await root.run('uninstall', [...b, '--purge']), 0).stdout).toContain(
      'is not installed',
    );
  });

  test('so does taking away the plain one, which made the directories that both are in', async () => {
    using root = await both();
    const other = placesOf(root, 'mcp-oauth-proxy-b');
    expectExit(await root.run('uninstall', ['--purge']), 0);
    expect([...placesOf(root, 'mcp-oauth-proxy').keys()]).toEqual([]);
    expect(changedPaths(other, placesOf(root, 'mcp-oauth-proxy-b'))).toEqual([]);
    expect(expectExit(await root.install([...b, '--detailed-exitcode']), 0).stdout).toContain(
      'Nothing to do',
    );
  });
});

describe('status', () => {
  test('names what is beside, and tells only of its own', async () => {
    using root = await both(['--domain', 'b.example.org']);
    const beside = async (args: readonly string[]): Promise<unknown> => {
      const [found] = eventsOf((await root.run('status', ['--json', ...args])).stdout);
      return found?.type === 'status' ? found.besides : null;
    };
    const plain = { name: 'mcp-oauth-proxy', product: 'mcp-oauth-proxy', instance: null };
    expect(await beside(b)).toEqual([{ ...plain, ports: [8083, 8084], domains: [] }]);
    expect(await beside([])).toEqual([
      { ...plain, name: 'mcp-oauth-proxy-b', instance: 'b', ports: [8085], domains: ['b.example.org'] },
    ]);
    root.write(files.service, '# edited\n');
    expect(expectExit(await root.run('status', b), 0).stdout).toContain('No drift.');
    expectExit(await root.run('uninstall', b), 0);
    expect(await beside([])).toEqual([]);
  });
});

describe('a product of one’s own', () => {
  const yaml = (name: string): string =>
    readFileSync(path.join(repositoryRoot, 'examples/other-product/product.yaml'), 'utf8')
      .replace(/^name: .*$/mu, `name: ${name}`)
      .replaceAll('/usr/local/lib/signer/', `/usr/local/lib/${name}/`);

  function productIn(root: Place, name: string): readonly string[] {
    const directory = root.at('/root/product/service');
    mkdirSync(directory, { recursive: true });
    for (const file of ['config.json.template', 'signer.py', 'signer.service'])
      writeFileSync(
        path.join(directory, file),
        readFileSync(path.join(repositoryRoot, 'examples/other-product/service', file)),
      );
    const file = path.join(directory, '..', `${name}.yaml`);
    writeFileSync(file, yaml(name));
    return ['--product', file];
  }

  test('has instances likewise, each with the next free port', async () => {
    using root = place();
    const product = productIn(root, 'signer');
    expectExit(await root.install(product), 0);
    expectExit(await root.install([...product, ...b]), 0);
    const [plain, other] = ['/etc/signer/.env', '/etc/signer-b/.env'].map((env) =>
      settingOf(root, env, 'PORT'),
    );
    expect([plain, other]).toEqual(['8095', '8096']);
    expect(root.read('/etc/systemd/system/signer-b.service')).toContain('/usr/local/lib/signer-b/signer.py');
    await expectRefused(root, [...product, ...b, '--port', '8095'], 'E_INSTANCE_CLASH');
    expectExit(await root.run('uninstall', [...product, ...b, '--purge']), 0);
    expectExit(await root.install(product), 0);
  });

  test('by the name of another’s instance it would have its places: it is refused, either way round', async () => {
    using root = place();
    const [signer, named] = [productIn(root, 'signer'), productIn(root, 'signer-b')];
    expectExit(await root.install([...signer, ...b]), 0);
    await expectRefused(root, named, 'E_INSTANCE_CLASH');
    expect(expectExit(await root.run('uninstall', [...named, '--purge']), 10).stderr).toContain(
      'signer-b is installed on this host with --instance b',
    );
    expectExit(await root.run('uninstall', [...signer, ...b, '--purge']), 0);
    rmSync(root.at(files.journal), { recursive: true });
    expectExit(await root.install(named), 0);
    await expectRefused(root, [...signer, ...b], 'E_INSTANCE_CLASH');
  });
});
