/** The command line in a directory that stands for `/`: the three modes, settings, edits, sources, and what stays. */
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { run, temporaryRoot, type Ran, type RunOptions } from '../support/installer.ts';
import { changedPaths, treeOf } from '../support/tree.ts';

const env = 'etc/mcp-oauth-proxy/.env';
const site = 'etc/nginx/sites-available/mcp-oauth-proxy.conf';
const code = 'usr/local/lib/mcp-oauth-proxy/oauth_proxy.py';

interface Place extends Disposable {
  readonly path: string;
  install(args?: readonly string[], options?: RunOptions): Promise<Ran>;
  read(file: string): string;
  write(file: string, text: string): void;
  settings(): Readonly<Record<string, string>>;
}

function place(): Place {
  const root = temporaryRoot();
  const at = (file: string): string => path.join(root.path, file);
  return {
    path: root.path,
    install: (args = [], options = {}) => run([...args, '--root', root.path], options),
    read: (file) => readFileSync(at(file), 'utf8'),
    write: (file, text) => {
      mkdirSync(path.dirname(at(file)), { recursive: true });
      writeFileSync(at(file), text);
    },
    settings: () =>
      Object.fromEntries(
        readFileSync(at(env), 'utf8')
          .split('\n')
          .filter((line) => line.includes('='))
          .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
      ),
    [Symbol.dispose]: () => root[Symbol.dispose](),
  };
}

async function installed(args: readonly string[] = []): Promise<Place> {
  const root = place();
  const { exitCode, stdout } = await root.install(args);
  expect({ exitCode, stdout }).toMatchObject({ exitCode: 0 });
  return root;
}

const journal = '/var/lib/mcp-installer';
const refusal = ({ exitCode, stderr }: Ran): { exitCode: number; stderr: string } => ({ exitCode, stderr });
const told = ({ exitCode, stdout }: Ran): { exitCode: number; stdout: string } => ({ exitCode, stdout });

describe('the three modes', () => {
  test('a fresh install writes four secrets of lower-case hex in their order, mode 0600', async () => {
    using root = await installed();
    expect(root.read(env)).toMatch(
      /^MCP_TOKEN=[0-9a-f]{64}\nCLIENT_ID=[0-9a-f]{32}\nCLIENT_SECRET=[0-9a-f]{64}\nTOKEN_SECRET=[0-9a-f]{64}\nLISTEN_PORT=8083\nBACKEND_URL=http:\/\/127\.0\.0\.1:8000\/mcp\n$/u,
    );
    expect(statSync(path.join(root.path, env)).mode & 0o7777).toBe(0o600);
    expect(statSync(path.join(root.path, path.dirname(env))).mode & 0o7777).toBe(0o700);
    expect(statSync(path.join(root.path, journal)).mode & 0o7777).toBe(0o700);
  });

  test('a rerun keeps inode and times of everything but the journal', async () => {
    using root = await installed();
    const before = treeOf(root.path);
    const again = await root.install(['--detailed-exitcode']);
    expect(told(again)).toEqual({
      exitCode: 0,
      stdout: expect.stringContaining('[OK] Nothing to do') as string,
    });
    const changed = changedPaths(before, treeOf(root.path));
    expect(changed.filter((name) => !name.startsWith(journal))).toEqual([]);
    expect(changed.length).toBeGreaterThan(0);
  });

  test('a rotation replaces all four, or the named one alone (security 24)', async () => {
    using root = await installed();
    const first = root.settings();
    expect((await root.install(['--force-rotate-tokens', '--detailed-exitcode'])).exitCode).toBe(2);
    const second = root.settings();
    for (const name of ['MCP_TOKEN', 'CLIENT_ID', 'CLIENT_SECRET', 'TOKEN_SECRET'])
      expect(second[name]).not.toBe(first[name]);
    expect((await root.install(['--force-rotate-tokens', 'CLIENT_SECRET'])).exitCode).toBe(0);
    const third = root.settings();
    expect({ ...third, CLIENT_SECRET: '' }).toEqual({ ...second, CLIENT_SECRET: '' });
    expect(third['CLIENT_SECRET']).not.toBe(second['CLIENT_SECRET']);
  });

  test('a missing and an empty secret are generated, alone, and said', async () => {
    using root = await installed();
    const first = root.settings();
    root.write(
      env,
      root
        .read(env)
        .replace(/CLIENT_ID=.*\n/u, '')
        .replace(/TOKEN_SECRET=.*/u, 'TOKEN_SECRET='),
    );
    const { stdout } = await root.install();
    expect(stdout).toContain('CLIENT_ID was missing');
    expect(stdout).toContain('TOKEN_SECRET was missing');
    const second = root.settings();
    expect({ a: second['MCP_TOKEN'], b: second['CLIENT_SECRET'] }).toEqual({
      a: first['MCP_TOKEN'],
      b: first['CLIENT_SECRET'],
    });
    expect(second['CLIENT_ID']).toMatch(/^[0-9a-f]{32}$/u);
    expect(second['TOKEN_SECRET']).toMatch(/^[0-9a-f]{64}$/u);
  });

  test('a lost .env is refused; only a rotation of everything starts anew', async () => {
    using root = await installed();
    rmSync(path.join(root.path, env));
    expect(refusal(await root.install())).toEqual({
      exitCode: 10,
      stderr: expect.stringContaining('E_ENV_LOST') as string,
    });
    expect((await root.install(['--force-rotate-tokens', 'CLIENT_ID'])).exitCode).toBe(10);
    expect((await root.install(['--force-rotate-tokens'])).exitCode).toBe(0);
    expect((await root.install(['--detailed-exitcode'])).exitCode).toBe(0);
  });
});

describe('a dry run', () => {
  test.each([
    [[]],
    [['--force-rotate-tokens']],
    [['--port', '9000', '--domain', 'mcp.example.org']],
  ] as const)('leaves the tree as it is and names the plan of the run after it: %s', async (args) => {
    using root = args.length === 0 ? place() : await installed();
    const before = treeOf(root.path);
    const predicted = await root.install([...args, '--dry-run', '--detailed-exitcode']);
    expect(predicted.exitCode).toBe(2);
    expect(changedPaths(before, treeOf(root.path))).toEqual([]);
    const real = await root.install([...args, '--detailed-exitcode']);
    expect(real.exitCode).toBe(2);
    const plan = /Plan [0-9a-f]{8}: \d+ changes?/u;
    expect(plan.exec(real.stdout)?.[0]).toBe(plan.exec(predicted.stdout)?.[0]);
  });

  test('shows what changes in the .env with every value and comment hidden', async () => {
    using root = await installed();
    root.write(env, `# about hunter2\nOTHER=hunter2\n${root.read(env)}`);
    chmodSync(path.join(root.path, env), 0o600);
    const { stdout } = await root.install(['--dry-run', '--domain', 'mcp.example.org', '--insecure-http']);
    expect(stdout).toContain('+DOMAIN=<setting in force>');
    expect(stdout).not.toContain('hunter2');
  });
});

describe('settings', () => {
  test('come from flag, environment, file, installation and default, in this order', async () => {
    using root = place();
    root.write('config', 'LISTEN_PORT=9003\nBACKEND_URL=http://127.0.0.1:9103/mcp\n');
    const config = ['--config', path.join(root.path, 'config')];
    const environment = { MCP_INSTALLER_PORT: '9002' };
    await root.install(['--port', '9001', ...config], { env: environment });
    expect(root.settings()).toMatchObject({ LISTEN_PORT: '9001', BACKEND_URL: 'http://127.0.0.1:9103/mcp' });
    await root.install(config, { env: environment });
    expect(root.settings()).toMatchObject({ LISTEN_PORT: '9002' });
    await root.install(config);
    expect(root.settings()).toMatchObject({ LISTEN_PORT: '9003' });
    await root.install();
    expect(root.settings()).toMatchObject({ LISTEN_PORT: '9003' });
    await root.install(['--unset', 'LISTEN_PORT']);
    expect(root.settings()['LISTEN_PORT']).toBe('8083');
  });

  test('a remembered one that is invalid is refused with its name and how to get rid of it', async () => {
    using root = await installed();
    root.write(env, root.read(env).replace('8083', 'http'));
    const before = treeOf(root.path, [journal]);
    expect(refusal(await root.install())).toEqual({
      exitCode: 10,
      stderr: expect.stringContaining('--unset LISTEN_PORT') as string,
    });
    expect(changedPaths(before, treeOf(root.path, [journal]))).toEqual([]);
    expect((await root.install(['--unset', 'LISTEN_PORT'])).exitCode).toBe(0);
  });
});

describe('a supplied MCP_TOKEN', () => {
  const token = 'supplied.token-0123456789';

  test('is taken from a file or from stdin, kept later, and skipped by a rotation', async () => {
    using root = place();
    expect((await root.install(['--mcp-token-file', '-'], { input: `${token}\n` })).exitCode).toBe(0);
    expect(root.settings()['MCP_TOKEN']).toBe(token);
    expect((await root.install()).exitCode).toBe(0);
    const rotated = await root.install(['--force-rotate-tokens']);
    expect(rotated.stdout).toContain('MCP_TOKEN was supplied from a file, so it is not rotated');
    expect(root.settings()['MCP_TOKEN']).toBe(token);
  });

  test('replaces another value only where a rotation names it', async () => {
    using root = await installed();
    root.write('token', token);
    const file = ['--mcp-token-file', path.join(root.path, 'token')];
    const refused = await root.install(file);
    expect(refusal(refused)).toEqual({
      exitCode: 10,
      stderr: expect.stringContaining('E_SECRET_DIFFERS') as string,
    });
    expect((await root.install([...file, '--force-rotate-tokens', 'MCP_TOKEN'])).exitCode).toBe(0);
    expect(root.settings()['MCP_TOKEN']).toBe(token);
  });
});

describe('files that a person edited', () => {
  test('stay as long as nothing new would be written there', async () => {
    using root = await installed();
    root.write(site, `${root.read(site)}# mine\n`);
    const { exitCode, stdout } = await root.install(['--detailed-exitcode']);
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: expect.stringContaining('was edited by a person and is kept') as string,
    });
    expect(root.read(site)).toContain('# mine');
    expect((await run(['status', '--root', root.path])).exitCode).toBe(0);
  });

  test('meet a change of ours: refused, or kept with ours beside it, or replaced with a backup', async () => {
    using root = await installed();
    const edited = `${root.read(site)}# mine\n`;
    root.write(site, edited);
    const change = ['--domain', 'mcp.example.org'];
    const before = treeOf(root.path, [journal]);
    const refused = await root.install(change);
    expect(refusal(refused)).toEqual({
      exitCode: 10,
      stderr: expect.stringContaining('E_EDIT_CONFLICT') as string,
    });
    expect(changedPaths(before, treeOf(root.path, [journal]))).toEqual([]);

    expect((await root.install([...change, '--keep-edited'])).exitCode).toBe(0);
    expect(root.read(site)).toBe(edited);
    expect(root.read(`${site}.mcp-new`)).toContain('server_name mcp.example.org;');
    expect((await root.install(['--detailed-exitcode'])).exitCode).toBe(0);

    expect((await root.install(['--force-config'])).exitCode).toBe(0);
    expect(root.read(site)).toContain('server_name mcp.example.org;');
    expect((await root.install(['--detailed-exitcode'])).exitCode).toBe(0);
  });
});

describe('--source', () => {
  test('is kept by later runs, which say so, until "bundled" goes back; lost, it is not made up', async () => {
    using root = await installed();
    const bundled = root.read(code);
    root.write('own.py', '# own\n');
    expect((await root.install(['--source', path.join(root.path, 'own.py')])).exitCode).toBe(0);
    const again = await root.install(['--detailed-exitcode']);
    expect(told(again)).toEqual({
      exitCode: 0,
      stdout: expect.stringContaining('came from --source and is kept') as string,
    });
    expect(root.read(code)).toBe('# own\n');
    rmSync(path.join(root.path, code));
    expect(refusal(await root.install())).toEqual({
      exitCode: 10,
      stderr: expect.stringContaining('E_SOURCE_LOST') as string,
    });
    expect((await root.install(['--source', 'bundled'])).exitCode).toBe(0);
    expect(root.read(code)).toBe(bundled);
  });
});

describe('below a root', () => {
  test('no symlink leads outside', async () => {
    using outside = temporaryRoot();
    using root = place();
    mkdirSync(path.join(root.path, 'etc'));
    mkdirSync(path.join(root.path, 'usr'));
    symlinkSync(outside.path, path.join(root.path, 'usr/local'));
    symlinkSync(`../../../../..${outside.path}`, path.join(root.path, 'etc/nginx'));
    const before = treeOf(outside.path);
    await root.install();
    expect(changedPaths(before, treeOf(outside.path))).toEqual([]);
  });

  test('a directory that somebody else may write is not trusted', async () => {
    using root = place();
    mkdirSync(path.join(root.path, 'etc'));
    chmodSync(path.join(root.path, 'etc'), 0o777);
    expect(refusal(await root.install())).toEqual({
      exitCode: 10,
      stderr: expect.stringContaining('E_PATH_UNSAFE') as string,
    });
  });

  test('two runs at once: one works, the other exits 11', async () => {
    using root = place();
    const runs = await Promise.all([root.install(), root.install(), root.install()]);
    const codes = runs.map(({ exitCode }) => exitCode);
    // One that comes when the first has ended already is a rerun.
    expect(codes.filter((exitCode) => exitCode !== 11 && exitCode !== 0)).toEqual([]);
    expect(codes).toContain(0);
    expect((await root.install(['--detailed-exitcode'])).exitCode).toBe(0);
  });
});

describe('the journal', () => {
  test('tells the runs, each run event by event, and folds to how it ended', async () => {
    using root = await installed();
    await root.install(['--force-rotate-tokens']);
    const history = await run(['history', '--root', root.path, '--json']);
    const entries = history.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(
      entries.filter(({ type }) => type === 'historyEntry').map(({ mode, outcome }) => [mode, outcome]),
    ).toEqual([
      ['forceRotate', 'installed'],
      ['fresh', 'installed'],
    ]);
    expect((await run(['show', 'last', '--root', root.path])).stdout).toContain(
      'run ended: installed, exit code 0',
    );
    expect((await run(['replay', 'last', '--root', root.path])).stdout).toMatch(/-> {2}installed\n$/u);
  });

  test('that is damaged stops no installation, but is told, with exit code 65 where it is read', async () => {
    using root = await installed();
    const [id = ''] = (await run(['history', '--root', root.path])).stdout.split(' ');
    const file = `${journal.slice(1)}/runs/${id}/journal.jsonl`;
    root.write(file, root.read(file).replace('"fresh"', '"frosh"'));
    expect((await run(['show', 'last', '--root', root.path])).exitCode).toBe(65);
    const { exitCode, stdout } = await root.install();
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: expect.stringContaining('is damaged') as string,
    });
  });
});

test('status: 4 where nothing is installed, 0 where all is as written, 3 where something differs', async () => {
  using root = place();
  const status = async (): Promise<number> => (await run(['status', '--root', root.path])).exitCode;
  expect(await status()).toBe(4);
  await root.install();
  expect(await status()).toBe(0);
  rmSync(path.join(root.path, code));
  expect(await status()).toBe(3);
});
