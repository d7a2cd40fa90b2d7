/** What a person at a terminal sees, is asked, and answers. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { run, temporaryRoot } from '../support/installer.ts';
import { keys, onTerminal, type Terminal } from '../support/terminal.ts';
import { changedPaths, treeOf } from '../support/tree.ts';

const env = 'etc/mcp-oauth-proxy/.env';
const site = 'etc/nginx/sites-available/mcp-oauth-proxy.conf';
const journal = '/var/lib/mcp-installer';

const read = (root: string, file: string): string => readFileSync(path.join(root, file), 'utf8');

async function installed() {
  const root = temporaryRoot();
  expect((await run(['--root', root.path])).exitCode).toBe(0);
  return root;
}

/** Answers the first question of a rotation with the key that is given. */
async function rotating(terminal: Terminal, key: string): Promise<number> {
  await terminal.until('Go on?');
  terminal.type(key);
  return terminal.exitCode;
}

describe('a fresh installation', () => {
  test('asks for domain and backend, refuses an answer that is invalid, and takes what was typed', async () => {
    using root = temporaryRoot();
    using terminal = onTerminal(['--root', root.path, '--insecure-http']);
    await terminal.until('(domain)');
    terminal.type(`http://x${keys.enter}`);
    await terminal.until('is not a host name');
    terminal.type('\u007f'.repeat('http://x'.length));
    terminal.type(`mcp.example.org${keys.enter}`);
    await terminal.until('(backend-url)');
    terminal.type(keys.enter);
    expect(await terminal.exitCode).toBe(0);
    expect(terminal.shown()).toContain('[OK] Installation complete');
    const text = read(root.path, env);
    expect(text).toContain('\nDOMAIN=mcp.example.org\n');
    expect(text).toContain('\nBACKEND_URL=http://127.0.0.1:8000/mcp\n');
  });

  test('asks nothing with --yes', async () => {
    using root = temporaryRoot();
    using terminal = onTerminal(['--root', root.path, '--yes']);
    expect(await terminal.exitCode).toBe(0);
    expect(terminal.shown()).not.toContain('(domain)');
  });
});

describe('a rotation', () => {
  test('is asked about, naming who has to do something; no changes nothing', async () => {
    using root = await installed();
    const before = treeOf(root.path, [journal]);
    using terminal = onTerminal(['--root', root.path, '--force-rotate-tokens']);
    expect(await rotating(terminal, 'n')).toBe(10);
    const shown = terminal.shown().replace(/[\s│]+/gu, ' ');
    expect(shown).toContain('Every client has to be given the new value and to reconnect.');
    expect(shown).toContain('The MCP server behind the proxy has to be given the new value.');
    expect(shown).toContain('E_DECLINED');
    expect(changedPaths(before, treeOf(root.path, [journal]))).toEqual([]);
  });

  test('is made where the answer is yes', async () => {
    using root = await installed();
    const before = read(root.path, env);
    using terminal = onTerminal(['--root', root.path, '--force-rotate-tokens']);
    expect(await rotating(terminal, 'y')).toBe(0);
    expect(read(root.path, env)).not.toBe(before);
  });

  test('Ctrl-C at the question is a no', async () => {
    using root = await installed();
    const before = read(root.path, env);
    using terminal = onTerminal(['--root', root.path, '--force-rotate-tokens']);
    expect(await rotating(terminal, keys.ctrlC)).toBe(10);
    expect(read(root.path, env)).toBe(before);
  });

  test('is asked about too where the output goes through a pipe, and the question is not piped', async () => {
    using root = await installed();
    const before = read(root.path, env);
    const log = path.join(root.path, 'log');
    using terminal = onTerminal(['--root', root.path, '--force-rotate-tokens'], { then: `> '${log}'` });
    expect(await rotating(terminal, 'n')).toBe(10);
    expect(read(root.path, env)).toBe(before);
    expect(readFileSync(log, 'utf8')).not.toContain('Go on?');
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGINT', 130],
  ] as const)(
    '%s at the question ends the run with %i and the truth about what was changed',
    async (signal, code) => {
      using root = await installed();
      const before = read(root.path, env);
      using terminal = onTerminal(['--root', root.path, '--force-rotate-tokens']);
      await terminal.until('Go on?');
      terminal.signal(signal);
      expect(await terminal.exitCode).toBe(code);
      expect(terminal.shown()).toContain('[!] Interrupted; nothing was changed');
      expect(read(root.path, env)).toBe(before);
    },
  );
});

describe('an edit that meets a change of ours', () => {
  test.each([
    ['keep', '', 0, '# mine', true],
    ['replace', keys.down, 0, 'server_name mcp.example.org;', false],
    ['stop', keys.down + keys.down, 10, '# mine', false],
  ] as const)('%s', async (_, moves, exitCode, holds, beside) => {
    using root = await installed();
    writeFileSync(path.join(root.path, site), `${read(root.path, site)}# mine\n`);
    using terminal = onTerminal(['--root', root.path, '--domain', 'mcp.example.org', '--insecure-http']);
    await terminal.until('What shall be done?');
    await terminal.until('Stop; change nothing');
    terminal.type(moves);
    terminal.type(keys.enter);
    expect(await terminal.exitCode).toBe(exitCode);
    expect(read(root.path, site)).toContain(holds);
    const names = [...treeOf(root.path).keys()];
    expect(names.includes(`/${site}.mcp-new`)).toBe(beside);
  });
});

test('a terminal that hangs up at a question has declined it: nothing is changed, and the run has ended', async () => {
  using root = await installed();
  const before = treeOf(root.path, [journal]);
  {
    using terminal = onTerminal(['--root', root.path, '--force-rotate-tokens']);
    await terminal.until('Go on?');
  }
  // Its own exit code goes to a terminal that is no more; the journal has it.
  await vi.waitFor(async () => {
    const { stdout } = await run(['history', '--limit', '1', '--json', '--root', root.path]);
    expect(stdout).toMatch(/"outcome":"(declined|interrupted)","exitCode":(10|129)/u);
  }, 20_000);
  expect(changedPaths(before, treeOf(root.path, [journal]))).toEqual([]);
});

describe('the live display', () => {
  const rerun = async (env: Readonly<Record<string, string>>, columns = 120): Promise<string> => {
    using root = await installed();
    using terminal = onTerminal(['--root', root.path], { env, columns });
    expect(await terminal.exitCode).toBe(0);
    expect(terminal.shown()).toContain('[OK] Nothing to do');
    return terminal.raw();
  };

  test('shows what is being done, and takes it away again', async () => {
    const raw = await rerun({});
    expect(raw).toContain('\u001b[2m… planning\u001b[0m\r\u001b[K');
    expect(raw).toContain('\u001b[32m[OK]\u001b[0m');
  });

  test('has no colour with NO_COLOR', async () => {
    expect(await rerun({ NO_COLOR: '1' })).not.toMatch(/\u001b\[\d*m/u);
  });

  test.each([[{ TERM: 'dumb' }], [{ TERM: 'dumb', NO_COLOR: '1' }]])(
    'is plain lines with %o',
    async (env) => {
      expect(await rerun(env)).not.toContain('\u001b');
    },
  );

  test('never fills a line of the terminal', async () => {
    const lines = (await rerun({}, 12)).match(/… [^\u001b\r\n]*/gu) ?? [];
    expect(lines.length).toBeGreaterThan(0);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(11);
  });
});
