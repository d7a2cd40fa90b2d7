/** The URL that clients were given: where it changes they have to be told, and only there. */
import { describe, expect, test } from 'vitest';
import { expectExit, files, installed, place, type Place } from '../support/place.ts';

/** What a run warns of, on a line of its own. */
async function warnings(root: Place, ...args: readonly string[]): Promise<readonly string[]> {
  const { stdout } = expectExit(await root.install(args), 0);
  return stdout.split('\n').filter((line) => line.startsWith('[!] The URL that clients use'));
}

const warning = (from: string, to: string): string =>
  `[!] The URL that clients use changes from ${from}/mcp to ${to}/mcp: every client has to be given the new one and to connect again.`;

const local = 'http://127.0.0.1:8084';
const domain = 'https://mcp.example.org';

describe('another public URL of an installation', () => {
  test.each([
    [[], ['--domain', 'mcp.example.org'], local, domain],
    [['--domain', 'old.example.org'], ['--domain', 'mcp.example.org'], 'https://old.example.org', domain],
    [['--domain', 'mcp.example.org'], ['--unset', 'DOMAIN'], domain, local],
    [[], ['--port', '9000'], local, 'http://127.0.0.1:9001'],
    [
      ['--domain', 'mcp.example.org'],
      ['--public-url', 'https://tunnel.example.org', '--no-nginx'],
      domain,
      'https://tunnel.example.org',
    ],
    [
      ['--domain', 'mcp.example.org', '--insecure-http'],
      ['--unset', 'INSECURE_HTTP'],
      'http://mcp.example.org',
      domain,
    ],
  ] as const)('from %s by %s is told, in the dry run too, and once', async (first, args, from, to) => {
    using root = await installed(first);
    expect(await warnings(root, ...args, '--dry-run')).toEqual([warning(from, to)]);
    expect(await warnings(root, ...args)).toEqual([warning(from, to)]);
    expect(await warnings(root)).toEqual([]);
    expect((await root.run('status')).stdout).not.toContain('The URL that clients use');
  });
});

describe('nothing is told', () => {
  test.each([
    [['--domain', 'mcp.example.org']],
    [['--port', '9000']],
    [['--public-url', 'https://tunnel.example.org', '--no-nginx']],
  ] as const)('at a first installation with %s, nor by the same again', async (args) => {
    using root = place();
    expect(await warnings(root, ...args, '--dry-run')).toEqual([]);
    expect(await warnings(root, ...args)).toEqual([]);
    expect(await warnings(root, ...args)).toEqual([]);
  });

  test('where the same URL comes from other settings, or is spelled otherwise', async () => {
    using root = await installed(['--domain', 'mcp.example.org']);
    expect(await warnings(root, '--domain', 'MCP.Example.ORG')).toEqual([]);
    expect(await warnings(root, '--public-url', domain)).toEqual([]);
    root.write(files.env, root.read(files.env).replace(/PUBLIC_URL=.*/u, `PUBLIC_URL=${domain}/`), 0o600);
    expect(await warnings(root)).toEqual([]);
    expect(await warnings(root, '--port', '9000')).toEqual([]);
  });

  test('of a host that nobody knows: its clients’ URL stands nowhere', async () => {
    using root = place();
    const secrets = `MCP_TOKEN=${'a'.repeat(64)}\nCLIENT_ID=${'b'.repeat(32)}\n`;
    root.write(files.env, secrets, 0o600);
    expect(await warnings(root, '--domain', 'mcp.example.org')).toEqual([]);
    // From then on it is known.
    expect(await warnings(root, '--unset', 'DOMAIN')).toEqual([warning(domain, local)]);
  });
});
