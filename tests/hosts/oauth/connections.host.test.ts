/** What a connection outlives: the same client goes on with the same tokens, and no person is asked again. */
import { describe, expect, test } from 'vitest';
import { suites } from '../support/base.ts';
import { until } from '../support/host.ts';
import { ageRefreshTokens } from '../support/oauth.ts';
import { expectExit } from '../support/observe.ts';
import { ConnectedClient, libraries } from './support/client.ts';
import {
  askedAgain,
  connectBoth,
  expectConnected,
  journal,
  killService,
  prepare,
  refresh,
  service,
  tokenRequests,
} from './support/connected.ts';
import { mcpServerIsUp, recorded } from './support/mcp-server.ts';

const code = '/usr/local/lib/mcp-oauth-proxy/oauth_proxy.py';

describe.each(suites)('%s', (suite) => {
  test('connected clients go on, and refresh, after a rerun, an upgrade and back, kill -9 and a reboot', async () => {
    await using host = await prepare(suite, 'stays');
    const clients = await connectBoth(host);
    await host.write('/root/changed.py', `${host.read(code)}\n# Another version.\n`);
    const events: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['nothing', () => Promise.resolve()],
      ['rerun', async () => expectExit(await host.installer([]), 0)],
      [
        'upgrade',
        async () => {
          expectExit(await host.installer(['--source', '/root/changed.py']), 0);
          expect(host.read(code)).toContain('# Another version.');
        },
      ],
      [
        'back',
        async () => {
          expectExit(await host.installer(['--source', 'bundled']), 0);
          expect(host.read(code)).not.toContain('# Another version.');
        },
      ],
      ['kill -9', () => killService(host)],
      ['restart', () => host.must(`systemctl restart ${service}`)],
      [
        'reboot',
        async () => {
          await host.reboot();
          await mcpServerIsUp(host);
        },
      ],
      ['rerun after the reboot', async () => expectExit(await host.installer([]), 0)],
    ];
    for (const [event, happen] of events) {
      await happen();
      for (const client of clients)
        await expectConnected(client).catch((cause: unknown) => {
          throw new Error(`${client.library} after: ${event}`, { cause });
        });
    }
    expect(await journal(host)).not.toContain('Traceback');
  });

  test.each(libraries)(
    '%s keeps its session while the service restarts, is killed, and while its token expires',
    async (library) => {
      await using host = await prepare(suite, `held-${library}`);
      const client = await ConnectedClient.create(host, library);
      await client.must('echo');
      await client.change({ unattended: true });
      const streams = (): number => recorded(host).filter(({ method }) => method === 'GET').length;
      const again = (before: number): Promise<true> =>
        until('the client listens again', () => (streams() > before ? true : undefined));

      const held = client.start('listen', 'hold', 'announce', 'hold', 'steps', 'hold', 'tools', 'end');
      await held.reached();
      let open = streams();
      await host.must(`systemctl restart ${service}`);
      await again(open);
      held.release();

      await held.reached();
      open = streams();
      await killService(host);
      await again(open);
      held.release();

      await held.reached();
      await client.expire();
      held.release();
      const report = await held.finished();
      expect(report.failure).toBeUndefined();
      expect(report.actions['tools']).toContain('added-1');
      expect(tokenRequests(report)).toEqual([{ ...refresh, status: 200 }]);
      expect(report.authorized).toBe(0);
      // One session all along.
      expect(recorded(host).filter(({ rpc }) => rpc === 'initialize')).toHaveLength(2);
    },
  );

  test('calls and processes that refresh at the same time end nothing, nor does an answer that got lost', async () => {
    await using host = await prepare(suite, 'at-once');
    for (const client of await connectBoth(host)) {
      // Ten calls of one process find the token expired: so many times these clients refresh, with one and the same.
      const held = client.start('hold', 'parallel', 'echo');
      await held.reached();
      await client.expire();
      held.release();
      const { actions, failure } = await held.finished();
      expect(failure).toBeUndefined();
      // The older library may take a neighbour's refresh for its own that was in vain, and gives up that call.
      for (const answer of actions['parallel'] as string[])
        expect(answer).toMatch(/^hello, wörld$|401 after successful authentication/u);
      await expectConnected(client);

      await client.expire();
      await Promise.all([client.must('echo'), client.must('echo'), client.must('echo')]);
      await expectConnected(client);

      // Whoever did not get the new tokens shows the ones before again; who was slow, those of two refreshes ago.
      for (const refreshes of [1, 2]) {
        const { tokens } = client;
        const began = Date.now();
        for (let done = 0; done < refreshes; done += 1) {
          await client.expire();
          await client.must('echo');
        }
        await client.change({ tokens });
        await client.expire();
        // All of this in one moment, however long a busy machine takes to start the programs.
        await ageRefreshTokens(host, Math.floor((began - Date.now()) / 1000));
        expect(tokenRequests(await client.must('echo'))).toEqual([{ ...refresh, status: 200 }]);
        await expectConnected(client);
      }
    }
    expect(await journal(host)).not.toContain('connection.ended');
  });

  test('a refresh token that was copied and used is found out: the connection ends, and a person connects again', async () => {
    await using host = await prepare(suite, 'copied');
    for (const client of await connectBoth(host)) {
      const { tokens } = client;
      for (let use = 0; use < 2; use += 1) {
        await client.expire();
        await client.must('echo');
        // What is used long after it was given is no refresh that another one overtook.
        await ageRefreshTokens(host, 31);
      }
      const current = client.tokens;
      await client.change({ tokens });
      await client.expire();
      const copied = await client.run('echo');
      expect(tokenRequests(copied)).toEqual([{ ...refresh, status: 400, error: 'invalid_grant' }]);
      expect(copied.failure).toMatchObject(askedAgain);
      await client.change({ tokens: current });
      const ended = await client.run('echo');
      expect(ended.requests[0]).toMatchObject({ path: '/mcp', status: 401 });
      expect(tokenRequests(ended)).toEqual([{ ...refresh, status: 400, error: 'invalid_grant' }]);
      await client.change({ unattended: false });
      expect((await client.must('echo')).authorized).toBe(1);
    }
  });

  test('an MCP server that is down is told as that: no client asks a person, and all go on when it is back', async () => {
    await using host = await prepare(suite, 'down');
    const clients = await connectBoth(host);
    await host.must('systemctl stop mcp-server.service');
    for (const client of clients) {
      const { failure, requests } = await client.run('echo');
      expect(failure).toMatchObject({ action: 'connect', code: 502 });
      expect(failure?.message).toContain('the MCP server does not answer');
      expect(requests).toHaveLength(1);
    }
    await host.must('systemctl start mcp-server.service');
    await mcpServerIsUp(host);
    for (const client of clients) await expectConnected(client);
  });
});
