/** Fresh is what has no trace at all, and unreadable is not absent. */
import { rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createMemoryHost, type MemoryHost } from '../../src/effects/host/memory.ts';
import type { CommandResult, Host } from '../../src/effects/host/port.ts';
import { install } from '../../src/install.ts';
import { expectExit, files, installed, place, type Place } from '../support/place.ts';

const lost = (trace: string) => ({
  exitCode: 10,
  error: {
    code: 'E_ENV_LOST',
    message: `${files.env} is missing, but this host is not fresh: ${trace}.`,
    remedy: expect.stringContaining('--force-rotate-tokens') as string,
  },
});

/** The last line that `--json` prints. */
const resultOf = (stdout: string): unknown => {
  const { exitCode, error } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
  return { exitCode, error };
};

describe('a host without its .env is not fresh where', () => {
  const secrets = '/etc/mcp-oauth-proxy/secrets.env';
  const traces: readonly (readonly [string, () => Promise<Place>, string])[] = [
    ['the older secrets.env', () => withFile(secrets), `${secrets} is there`],
    ['the socket unit', () => withFile(files.socket), `${files.socket} is there`],
    ['the service unit', () => withFile(files.service), `${files.service} is there`],
    ['our journal of secrets', withJournalAlone, 'the journal says that secrets were made'],
  ];

  function withFile(file: string): Promise<Place> {
    const root = place();
    root.write(file, 'x\n', 0o600);
    return Promise.resolve(root);
  }

  async function withJournalAlone(): Promise<Place> {
    const root = await installed();
    for (const top of ['/etc', '/usr']) rmSync(root.at(top), { recursive: true });
    return root;
  }

  test.each(traces)('%s is all that is left', async (_, make, trace) => {
    using root = await make();
    const before = root.look();
    const ran = expectExit(await root.install(['--json']), 10);
    expect(resultOf(ran.stdout)).toEqual(lost(trace));
    expect(root.look()).toEqual(before);
    // What a rotation of everything mends, and nothing less than that.
    expectExit(await root.install(['--force-rotate-tokens', 'CLIENT_ID']), 10);
    expect(expectExit(await root.install(['--force-rotate-tokens', '--dry-run']), 0).stdout).toContain(trace);
  });

  test('a running service is all that is left', async () => {
    const memory = createMemoryHost({ command: running });
    const host: Host = { ...memory, listSystem: (path) => (path === '/run/systemd/system' ? [] : null) };
    const { output } = await install({ host });
    expect({ exitCode: output.exitCode, error: output.error }).toEqual(
      lost('mcp-oauth-proxy.service is running'),
    );
    expect([...memory.nodes.keys()]).toEqual(['/']);
  });
});

/** A booted Debian on which nothing but the service runs. */
function running({ file, args }: { readonly file: string; readonly args: readonly string[] }): CommandResult {
  const ok = (stdout: string): CommandResult => ({ exitCode: 0, stdout, stderr: '' });
  if (!file.endsWith('/systemctl')) return ok('');
  if (args[0] === '--version') return ok('systemd 252 (252)\n');
  const units = args.slice(args.indexOf('--') + 1);
  return ok(
    units
      .map(
        (unit) =>
          `Id=${unit}\nLoadState=loaded\nActiveState=${unit === 'mcp-oauth-proxy.service' ? 'active' : 'inactive'}`,
      )
      .join('\n\n'),
  );
}

test('an .env that holds an optional secret alone is not fresh, and not ours', async () => {
  const text = 'OWNER_PASSWORD=correct-horse-battery\n';
  for (const rotate of ['none', 'all'] as const) {
    const memory = createMemoryHost({ files: { [files.env]: text } });
    const before = new Map(memory.nodes);
    const { output } = await install({ host: memory, request: { rotate } });
    expect({ exitCode: output.exitCode, error: output.error }).toMatchObject({
      exitCode: 10,
      error: {
        code: 'E_ENV_FOREIGN',
        message: `${files.env} is there, but holds none of MCP_TOKEN, CLIENT_ID, CLIENT_SECRET, TOKEN_SECRET.`,
      },
    });
    expect(memory.nodes).toEqual(before);
  }
});

describe('unreadable is not absent:', () => {
  const text = `MCP_TOKEN=${'a'.repeat(64)}\n`;
  const failing = (memory: MemoryHost, code: string): Host => ({
    ...memory,
    readFile: (path) => {
      if (path === files.env) throw Object.assign(new Error(code), { code });
      return memory.readFile(path);
    },
  });

  test.each(['EIO', 'EACCES', 'ESTALE'])(
    'an .env that fails with %s is refused, and nothing is generated',
    async (code) => {
      for (const rotate of ['none', 'all'] as const) {
        const memory = createMemoryHost({ files: { [files.env]: text }, command: running });
        const before = new Map(memory.nodes);
        const { output } = await install({ host: failing(memory, code), request: { rotate } });
        expect({ exitCode: output.exitCode, error: output.error }).toEqual({
          exitCode: 10,
          error: {
            code: 'E_ENV_UNREADABLE',
            message: `${files.env} cannot be read (${code}), which does not mean that it is absent.`,
            remedy: expect.any(String) as string,
          },
        });
        expect(memory.nodes).toEqual(before);
      }
    },
  );
});
