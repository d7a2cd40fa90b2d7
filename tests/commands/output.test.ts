/** Where words go, what is said of output that nobody gets, and words that must be true. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { bundle, run, temporaryRoot } from '../support/installer.ts';

const env = 'etc/mcp-oauth-proxy/.env';

/** With the shell's redirections. */
const shell = (line: string, root: string) => {
  const script = line.replaceAll('INSTALLER', `'${process.execPath}' '${bundle}'`).replaceAll('ROOT', root);
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
  return { status, stdout, stderr };
};

async function installed() {
  const root = temporaryRoot();
  expect((await run(['--root', root.path])).exitCode).toBe(0);
  return root;
}

test('errors, what to do and what became of the host are on stderr; a file gets none of it', async () => {
  using root = temporaryRoot();
  const graph = await run(['graph', '--bogus']);
  expect(graph).toMatchObject({ exitCode: 64, stdout: '' });
  expect(graph.stderr).not.toContain('Nothing was changed');
  const install = await run(['--root', root.path, '--port', '1']);
  expect(install).toMatchObject({ exitCode: 64, stdout: '' });
  expect(install.stderr).toMatch(/^\[ERROR\] E_USAGE: .*\n {8}See .*\n\[!\] Nothing was changed\n$/u);
});

test.each([
  ['INSTALLER --version > /dev/full', 10],
  ['INSTALLER --help > /dev/full', 10],
  ['INSTALLER graph > /dev/full', 10],
  ['INSTALLER --root ROOT --dry-run --json > /dev/full', 10],
  ['INSTALLER --root ROOT > /dev/full', 13],
  ['INSTALLER status --root ROOT --json > /dev/full', 4],
  ['INSTALLER --bogus --json > /dev/full', 64],
])('%s: a report that is lost on a full disk is no success', (line, exitCode) => {
  using root = temporaryRoot();
  const { status, stderr } = shell(line, root.path);
  expect({ status, stderr }).toEqual({
    status: exitCode,
    stderr: expect.stringContaining(
      'E_OUTPUT: What was to be told could not be written to stdout (ENOSPC).',
    ) as string,
  });
  expect(stderr).not.toContain('    at ');
});

test('a reader that goes away stops no run', async () => {
  using root = temporaryRoot();
  const { status, stderr } = shell(
    'INSTALLER --root ROOT --json | head -1 > /dev/null; exit ${PIPESTATUS[0]}',
    root.path,
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringContaining('[OK]') as string });
  expect((await run(['status', '--root', root.path])).exitCode).toBe(0);
});

test.each([['status'], ['history'], ['show last'], ['replay last'], ['graph']])(
  '%s --json: data on stdout, people’s text on stderr',
  async (line) => {
    using root = await installed();
    const { stdout, stderr } = await run([...line.split(' '), '--json', '--root', root.path]);
    const types = stdout
      .trim()
      .split('\n')
      .map((text) => (JSON.parse(text) as { type: string }).type);
    expect(types).not.toContain('text');
    expect(types.length).toBeGreaterThan(1);
    expect(types.at(-1)).toBe('result');
    if (line !== 'graph') expect(stderr).not.toBe('');
  },
);

test('status tells secrets as data, and of a missing one what an installation would do', async () => {
  using root = await installed();
  const file = path.join(root.path, env);
  writeFileSync(file, readFileSync(file, 'utf8').replace(/CLIENT_ID=.*\n/u, ''));
  const { stdout, stderr } = await run(['status', '--json', '--root', root.path]);
  const [status] = stdout.split('\n').map((text) => (text === '' ? {} : (JSON.parse(text) as object)));
  const there = (name: string) => ({
    name,
    present: true,
    fingerprint: expect.stringMatching(/^[0-9a-f]{12}$/u) as string,
  });
  expect(status).toMatchObject({
    installed: true,
    secrets: [
      there('MCP_TOKEN'),
      { name: 'CLIENT_ID', present: false, fingerprint: null },
      there('CLIENT_SECRET'),
      there('TOKEN_SECRET'),
    ],
  });
  expect(stderr).toContain(
    'CLIENT_ID is missing in /etc/mcp-oauth-proxy/.env; an installation would generate it, alone.',
  );
  expect(stderr).not.toContain('is generated');
});

test('status that cannot judge says null, not false', async () => {
  using root = await installed();
  writeFileSync(path.join(root.path, env), 'MCP_TOKEN=a\\\n');
  const { stdout, exitCode } = await run(['status', '--json', '--root', root.path]);
  expect(exitCode).toBe(10);
  expect(JSON.parse(stdout.split('\n')[0] ?? '')).toMatchObject({ type: 'status', installed: null });
});

test('a lost .env is not called an existing one', async () => {
  using root = await installed();
  rmSync(path.join(root.path, env));
  const at = ['--root', root.path, '--force-rotate-tokens'];
  const predicted = await run([...at, '--dry-run']);
  expect(predicted.stdout).toContain('[DRY-RUN] Lost .env — all tokens would be REGENERATED\n');
  expect(predicted.stdout).not.toContain('Existing');
  const { stdout } = await run(at);
  expect(stdout).toContain(
    '[!] Installation without its secrets detected: /etc/mcp-oauth-proxy/.env is missing\n[!] --force-rotate-tokens : regenerating all secrets\n',
  );
  expect(stdout).not.toContain('Existing');
});

test('below another root the closing summary names that root’s .env', async () => {
  using root = temporaryRoot();
  const { stdout } = await run(['--root', root.path]);
  expect(stdout).toContain(`as they stand in ${root.path}/${env} `);
});
