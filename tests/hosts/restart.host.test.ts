/** Restarts under load: what an upgrade or a rotation costs those who are just using the service. */
import { describe, expect, test } from 'vitest';
import { suites } from './support/base.ts';
import { testNode } from './support/form.ts';
import { createHost, until, type Host } from './support/host.ts';
import { signAccessToken } from './support/oauth.ts';
import { expectExit, mainPid } from './support/observe.ts';
import { programs, withBackend } from './support/programs.ts';

const code = '/usr/local/lib/mcp-oauth-proxy/oauth_proxy.py';

interface Outcome {
  /** How many, by kind of request, port and how it ended. */
  readonly counts: Readonly<Record<string, number>>;
  /** Milliseconds that the slowest request took, of those that are no stream to listen on. */
  readonly longest: number;
  readonly examples: readonly string[];
}

/** Starts all clients; the result is there once they have been told to stop. */
function load(host: Host): () => Promise<Outcome> {
  const child = host.spawn([testNode, `${programs}/load.mjs`]);
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return async () => {
    child.stdin.end();
    await ended;
    if (out === '') throw new Error(err);
    return JSON.parse(out) as Outcome;
  };
}

const rotations = ['TOKEN_SECRET', 'CLIENT_ID', 'MCP_TOKEN', 'CLIENT_SECRET,TOKEN_SECRET', ''];

/** Twenty runs that restart the service each: an upgrade to a changed copy or back, and a rotation, in turn. */
async function changes(host: Host): Promise<void> {
  const bundled = host.read(code);
  for (let round = 0; round < 20; round += 1) {
    const before = await mainPid(host);
    if (round % 2 === 1) {
      const names = rotations[Math.floor(round / 2) % rotations.length] ?? '';
      expectExit(await host.installer(['--force-rotate-tokens', ...(names === '' ? [] : [names])]), 0);
    } else if (round % 8 === 6) {
      expectExit(await host.installer(['--source', 'bundled']), 0);
    } else {
      const copy = await host.write('/root/changed.py', `${bundled}\n# ${round}\n`);
      expectExit(await host.installer(['--source', copy]), 0);
    }
    expect(await mainPid(host)).not.toBe(before);
  }
}

/** What a client that was cut off may be told; and how a stream that is listened on may end. */
const expected: readonly RegExp[] = [
  / 200$/u,
  // A rotation: until the client has taken a new token.
  / 401$/u,
  /^listen \d+ ended$/u,
  // A stream that was asked for in the moment of the stop: opened again, like one that has ended.
  /^listen \d+ 503$/u,
];

/** Asks for an answer of a minute; returns it with its headers, and with curl's own end, which tells whether it was whole. */
const ask = (host: Host, port: number, as: string): Promise<string> =>
  host.must(
    `curl -sS -i -m 30 --data-binary @- -H 'Content-Type: application/json' -H "Authorization: Bearer $(cat /run/bearer)" http://127.0.0.1:${port}/mcp; echo "exit $?"`,
    {
      input: JSON.stringify({
        jsonrpc: '2.0',
        id: `${as} ${port}`,
        method: 'x',
        params: { as, wait: 60_000 },
      }),
    },
  );

describe.each(suites)('%s', (suite) => {
  test('twenty upgrades and rotations under load: nothing is refused, lost or cut off, and nobody waits for ever', async () => {
    await using host = await createHost({ suite, name: 'restart' });
    expectExit(await host.installer([]), 0);
    await withBackend(host);
    const stopLoad = load(host);
    await changes(host);
    const { counts, longest, examples } = await stopLoad();
    const isExpected = ([key]: [string, number]): boolean => expected.some((pattern) => pattern.test(key));
    const unexpected = Object.entries(counts).filter((entry) => !isExpected(entry));
    expect({ unexpected, examples }).toEqual({ unexpected: [], examples: [] });
    // Of 0.7 s at most, and in the worst case a stop of three and a start: the rest is for slow machines.
    expect(longest).toBeLessThan(20_000);
    // Every kind was there all the time, and met the restarts: 20 for streams, 12 rotations that end a token.
    for (const port of [8083, 8084]) {
      for (const kind of ['quick', 'quick kept', 'slow', 'slow kept', 'pieces', 'events'])
        expect(counts[`${kind} ${port} 200`], kind).toBeGreaterThan(40);
      expect(counts[`listen ${port} ended`]).toBeGreaterThanOrEqual(40);
      expect(counts[`quick ${port} 401`]).toBeGreaterThan(0);
    }
  });

  test('a request that is longer than a stop waits is told so, in whatever form it can still be told', async () => {
    await using host = await createHost({ suite, name: 'restart-long' });
    expectExit(await host.installer([]), 0);
    await withBackend(host);
    await host.write('/run/bearer', signAccessToken(host));
    const ports = [8083, 8084];
    const asked = ports.flatMap((port) => ['json', 'events'].map((as) => ({ port, as })));
    const answers = asked.map(({ port, as }) => ask(host, port, as));
    await until('all are at the backend', async () =>
      (await host.must("ss -tnH state established 'dport = 8000' | wc -l")) === '4' ? true : undefined,
    );
    const before = await mainPid(host);
    expectExit(await host.installer(['--force-rotate-tokens', 'MCP_TOKEN']), 0);
    expect(await mainPid(host)).not.toBe(before);
    for (const [at, { port, as }] of asked.entries()) {
      const text = await answers[at]!;
      const [head = '', body = ''] = text.split('\r\n\r\n');
      const message = as === 'json' ? body : body.split('data: ').at(-1)!;
      expect(JSON.parse(message.replace(/exit 0$/u, ''))).toEqual({
        jsonrpc: '2.0',
        id: `${as} ${port}`,
        error: { code: -32000, message: 'the proxy is being restarted; try again' },
      });
      expect(text).toMatch(/exit 0$/u);
      expect(head).toMatch(
        as === 'json' ? /^HTTP\/1\.1 503 [^]*^retry-after: 1\r?$/imu : /^HTTP\/1\.1 200 /u,
      );
    }
  });
});
