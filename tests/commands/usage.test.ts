/** Bad usage: exit 64, one sentence that names the value and what would be valid, and nothing touched. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { run, temporaryRoot } from '../support/installer.ts';
import { changedPaths, treeOf } from '../support/tree.ts';

interface Wrong {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What the message has to say. */
  readonly says: readonly string[];
}

const wrong: readonly Wrong[] = [
  { args: ['--domian', 'a.example.org'], says: ['--domian', 'Did you mean --domain?'] },
  { args: ['--dryrun'], says: ['--dryrun', 'Did you mean --dry-run?'] },
  { args: ['--product', ''], says: ['--product needs a file.'] },
  { args: ['graph', '--product', ''], says: ["Unknown option '--product' of graph"] },
  { args: ['history', '--product', 'nofile'], says: ["Unknown option '--product' of history"] },
  { args: ['instal'], says: ['"instal"', 'Did you mean install?'] },
  { args: ['--domain', 'http://x.example.org'], says: ['not a host name'] },
  { args: ['--domain', 'a.example.org; include /etc/passwd'], says: ['not a host name'] },
  { args: ['--domain', 'a.example.org\nExecStartPre=/bin/sh'], says: ['not a host name'] },
  { args: ['--domain', '*.example.org'], says: ['not a host name'] },
  { args: ['--domain', '$host.example.org'], says: ['not a host name'] },
  { args: ['--domain', 'a{}.example.org'], says: ['not a host name'] },
  { args: ['--domain', 'a".example.org'], says: ['not a host name'] },
  { args: ['--domain', 'a_b.example.org'], says: ['not a host name'] },
  { args: ['--domain', `${'abcdefghi.'.repeat(25)}info`], says: ['not a host name'] },
  { args: ['--domain', '192.0.2.1'], says: ['is an address'] },
  { args: ['--domain', ''], says: ['--domain'] },
  { args: ['--port', '80'], says: ['"80"', 'between 1024 and 65534'] },
  { args: ['--port', '65535'], says: ['between 1024 and 65534'] },
  { args: ['--port', '8083x'], says: ['"8083x"'] },
  { args: ['--backend-url', 'http://user:hunter2@127.0.0.1/mcp'], says: ['do not belong into a URL'] },
  { args: ['--backend-url', 'http:////user:hunter2@127.0.0.1/mcp'], says: ['do not belong into a URL'] },
  { args: ['--backend-url', 'http:user:hunter2@127.0.0.1/mcp'], says: ['do not belong into a URL'] },
  { args: ['--backend-url', 'http://mcp.example.org/mcp'], says: ['must be https'] },
  { args: ['--backend-url', 'ftp://127.0.0.1/'], says: ['not an http or https URL'] },
  { args: ['--backend-url', 'http://127.0.0.1/a"b'], says: ['not an http or https URL'] },
  { args: ['--public-url', 'https://a.example.org/path'], says: ['an origin without path'] },
  { args: ['--public-url', 'http://a.example.org'], says: ['must be https'] },
  { args: ['--no-nginx'], says: ['--no-nginx', '--public-url'] },
  { args: ['--tls-cert', '/nowhere/cert.pem', '--tls-key', '/nowhere/key.pem'], says: ['/nowhere/cert.pem'] },
  { args: ['--tls-cert', '/etc/cert.pem', '--domain', 'a.example.org'], says: ['--tls-key'] },
  {
    args: ['--tls-cert', '/etc/cert.pem', '--tls-key', '/etc/cert.pem'],
    says: ['--tls-cert needs a domain'],
  },
  { args: ['--redirect-uris', 'http://a.example.org/cb'], says: ['--redirect-uris'] },
  {
    args: ['--force-rotate-tokens', 'CLIENT_SECRETS'],
    says: ['CLIENT_SECRETS', 'Did you mean CLIENT_SECRET?', 'MCP_TOKEN'],
  },
  { args: ['--force-rotate-tokens', ','], says: ['names no secret'] },
  { args: ['--unset', 'DOMAN'], says: ['DOMAN', 'Did you mean DOMAIN?'] },
  { args: ['--unset', 'DOMAIN', '--domain', 'a.example.org'], says: ['--unset DOMAIN contradicts'] },
  { args: ['--keep-edited', '--force-config'], says: ['contradict each other'] },
  { args: ['--source', '/nowhere/oauth_proxy.py'], says: ['--source /nowhere/oauth_proxy.py', 'ENOENT'] },
  { args: ['--source', '/dev/null'], says: ['is empty'] },
  { args: ['--mcp-token-file', '/nowhere/token'], says: ['--mcp-token-file /nowhere/token'] },
  { args: ['--mcp-token-file', '/etc'], says: ['--mcp-token-file /etc'] },
  { args: ['--config', '/nowhere/config'], says: ['--config /nowhere/config'] },
  { args: [], env: { DRY_RUN: 'maybe' }, says: ['DRY_RUN="maybe"'] },
  { args: [], env: { FORCE_ROTATE_TOKENS: '1' }, says: ['FORCE_ROTATE_TOKENS', '--force-rotate-tokens'] },
  { args: [], env: { MCP_INSTALLER_PORT: '99999' }, says: ['MCP_INSTALLER_PORT', '"99999"'] },
  { args: ['history', '--limit', '0'], says: ['--limit'] },
  { args: ['show', 'nonsense'], says: ['There is no run'] },
  { args: ['replay'], says: ["argument 'run'"] },
];

const wordsOf = ({ args, env }: Wrong): string =>
  [...Object.entries(env ?? {}).map((pair) => pair.join('=')), ...args].join(' ') || 'nothing';

describe.each(['a fresh', 'an installed'] as const)('on %s root (security 17, 18)', (kind) => {
  test.concurrent.each(wrong.map((each) => [wordsOf(each).replaceAll('\n', '⏎'), each] as const))(
    '%s',
    async (_, each) => {
      using root = temporaryRoot();
      mkdirSync(path.join(root.path, 'etc'), { recursive: true });
      writeFileSync(path.join(root.path, 'etc/cert.pem'), 'x');
      if (kind === 'an installed') expect((await run(['--root', root.path])).exitCode).toBe(0);
      const before = treeOf(root.path);
      const env = each.env ?? {};
      const result = await run([...each.args, '--root', root.path], { env });
      const json = await run([...each.args, '--json', '--root', root.path], { env });
      expect({ exitCode: result.exitCode, text: result.stdout + result.stderr }).toMatchObject({
        exitCode: 64,
      });
      for (const words of each.says) expect(result.stdout + result.stderr).toContain(words);
      const last = JSON.parse(json.stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
      expect({ type: last['type'], exitCode: last['exitCode'], code: json.exitCode }).toEqual({
        type: 'result',
        exitCode: 64,
        code: 64,
      });
      expect(result.stdout + result.stderr + json.stdout + json.stderr).not.toContain('hunter2');
      expect(changedPaths(before, treeOf(root.path))).toEqual([]);
    },
  );
});

test.each([
  ['', 'it is empty'],
  ['/nowhere/at/all', 'ENOENT'],
  ['/etc/passwd', 'it is not a directory'],
])('--root %s is invalid', async (root, why) => {
  const { exitCode, stderr } = await run(['--root', root]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 64, stderr: expect.stringContaining(why) as string });
});

test('an unknown key in a configuration file is named with the one that was meant', async () => {
  using root = temporaryRoot();
  const file = path.join(root.path, 'config');
  writeFileSync(file, 'LISTEN_PROT=9000\n');
  const { exitCode, stderr } = await run(['--root', root.path, '--config', file]);
  expect({ exitCode, stderr }).toEqual({
    exitCode: 64,
    stderr: expect.stringContaining('Did you mean LISTEN_PORT?') as string,
  });
});

test('a token file that holds no token is refused without a word of it', async () => {
  using root = temporaryRoot();
  const file = path.join(root.path, 'token');
  writeFileSync(file, 'two words of hunter2\n');
  const { exitCode, stdout, stderr } = await run(['--root', root.path, '--mcp-token-file', file]);
  expect(exitCode).toBe(64);
  expect(stdout + stderr).toContain('at least 16 of the characters');
  expect(stdout + stderr).not.toContain('hunter2');
});

test('help and version are answers, not errors', async () => {
  expect(await run(['--version'])).toMatchObject({ exitCode: 0, stdout: '0.1.0\n', stderr: '' });
  const help = await run(['install', '--help']);
  expect(help.exitCode).toBe(0);
  expect(help.stdout).toContain('--force-rotate-tokens [names]');
});
