/** Calls that are under way, for longer than a stop waits for them, while the service restarts. */
import { expect, test } from 'vitest';
import { suites } from '../support/base.ts';
import { until } from '../support/host.ts';
import { ConnectedClient, libraries } from './support/client.ts';
import { prepare, service, withHighRates } from './support/connected.ts';
import { recorded } from './support/mcp-server.ts';

/** What `attempt` came to, see programs/client.mjs. */
interface Attempt {
  readonly outcome: string | { readonly code?: number | string; readonly message: string };
  readonly ms: number;
}

/** Ways to answer, see programs/mcp-server.mjs, and what the caller is told where the answer cannot come any more. */
const kinds = [
  { kind: 'json', code: 503 },
  { kind: 'plain', code: -32_000 },
  { kind: 'resumable', code: undefined },
] as const;

test.each(suites)(
  '%s: a call that a restart cuts off is resumed by the client, or its caller told at once, and the session goes on',
  async (suite) => {
    await using host = await prepare(suite, 'in-flight');
    await withHighRates(host);
    const clients = await Promise.all(
      libraries.flatMap((library) =>
        kinds.map(async ({ kind, code }) => {
          const name = `${library} ${kind}`;
          const client = await ConnectedClient.create(host, library, {
            name: name.replace(' ', '-'),
            clientName: name,
          });
          const again = code === undefined ? [] : ['hold', 'again'];
          return { name, code, held: client.start('listen', 'hold', 'attempt', ...again, 'echo') };
        }),
      ),
    );
    for (const { held } of clients) await held.reached();
    const calls = (): number => recorded(host).filter(({ rpc }) => rpc === 'tools/call').length;
    for (const { held } of clients) held.release();
    await until('all calls are at the MCP server', () => (calls() === clients.length ? true : undefined));
    await host.must(`systemctl restart ${service}`);

    // Nobody has been answered yet: these callers have their error, and are free to call again.
    const told = clients.filter(({ code }) => code !== undefined);
    for (const { held } of told) await held.reached();
    for (const { held } of told) held.release();
    await until('they have called again', () =>
      calls() === clients.length + told.length ? true : undefined,
    );
    await host.write('/run/later', '');

    for (const { name, code, held } of clients) {
      const { failure, actions, requests, sessionId } = await held.finished();
      expect(failure, name).toBeUndefined();
      const attempt = actions['attempt'] as Attempt;
      const resumed = requests.filter((request) => request.resumed === true);
      if (code === undefined) {
        expect(attempt.outcome, name).toBe('at last');
        expect(resumed.length, name).toBeGreaterThan(0);
      } else {
        expect(attempt.outcome, name).toMatchObject({
          code,
          message: expect.stringContaining('the proxy is being restarted; try again') as string,
        });
        // These clients give up by themselves after 60 seconds.
        expect(attempt.ms, name).toBeLessThan(20_000);
        expect((actions['again'] as Attempt).outcome, name).toBe('at last');
        expect(resumed, name).toEqual([]);
      }
      expect(actions['echo'], name).toBe('hello, wörld');
      // One session all along, and no call that the test did not make.
      const own = recorded(host).filter(({ headers }) => headers['mcp-session-id'] === sessionId);
      expect(
        own.filter(({ rpc }) => rpc === 'tools/call'),
        name,
      ).toHaveLength(code === undefined ? 2 : 3);
    }
    expect(recorded(host).filter(({ rpc }) => rpc === 'initialize')).toHaveLength(clients.length);
  },
);
