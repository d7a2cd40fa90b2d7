/** The official MCP clients with the service as it is installed: on a domain, with TLS, before a real MCP server. */
import { describe, expect, test } from 'vitest';
import { suites, type Suite } from '../support/base.ts';
import { createHost, until, type Host } from '../support/host.ts';
import { envFile, expectExit, mainPid, secretsInFile } from '../support/observe.ts';
import {
  ConnectedClient,
  everything,
  libraries,
  redirectUris,
  type Library,
  type Report,
  type RequestMade,
} from './support/client.ts';
import { mcpServerIsUp, recorded, startMcpServer } from './support/mcp-server.ts';
import { authority, installWithTls, mcpUrl } from './support/site.ts';

const service = 'mcp-oauth-proxy.service';
const code = '/usr/local/lib/mcp-oauth-proxy/oauth_proxy.py';

async function prepare(suite: Suite, name: string): Promise<Host> {
  const host = await createHost({ suite, name });
  await installWithTls(host);
  await startMcpServer(host);
  return host;
}

/** Clients of both libraries, each after its first connection; from now on nobody is there to press a button. */
async function connectBoth(host: Host): Promise<readonly ConnectedClient[]> {
  const clients: ConnectedClient[] = [];
  for (const library of libraries) {
    const client = await ConnectedClient.create(host, library);
    expect((await client.must('echo')).authorized).toBe(1);
    await client.change({ unattended: true });
    clients.push(client);
  }
  return clients;
}

const notMcp = ({ requests }: Report): readonly RequestMade[] =>
  requests.filter(({ path }) => path !== '/mcp');

const tokenRequests = ({ requests }: Report): readonly RequestMade[] =>
  requests.filter(({ path }) => path === '/token');

const refresh = { method: 'POST', path: '/token', authorization: 'basic', grant: 'refresh_token' };

const askedAgain = { message: 'asked to authorize again' };

/** Its tokens are good as they are, it can refresh, and what it got by that is good as well. */
async function expectConnected(client: ConnectedClient): Promise<void> {
  expect(notMcp(await client.must('echo'))).toEqual([]);
  const before = client.tokens;
  await client.expire();
  const report = await client.must('echo');
  expect(tokenRequests(report)).toEqual([{ ...refresh, status: 200 }]);
  expect(client.tokens.refresh_token).not.toBe(before.refresh_token);
  expect(notMcp(await client.must('echo'))).toEqual([]);
}

const journal = (host: Host): Promise<string> => host.must(`journalctl --no-pager -o cat -u ${service}`);

async function killService(host: Host): Promise<void> {
  const before = await mainPid(host);
  await host.must(`kill -9 ${before}`);
  await until('the service was started again', async () =>
    [before, '0'].includes(await mainPid(host)) ? undefined : true,
  );
}

describe.each(suites)('%s', (suite) => {
  test.each(libraries)(
    '%s connects, and everything passes as if nothing were in between; the MCP server sees MCP_TOKEN alone',
    async (library) => {
      await using host = await prepare(suite, `whole-${library}`);
      const secrets = secretsInFile(host);
      const direct = await ConnectedClient.create(host, library, {
        name: 'direct',
        url: 'http://127.0.0.1:8000/mcp',
        unattended: true,
        tokens: { access_token: secrets.MCP_TOKEN, token_type: 'Bearer' },
      });
      const without = await direct.must(...everything);
      expect(Object.keys(without.actions)).toEqual(everything);
      const begun = recorded(host).length;

      const client = await ConnectedClient.create(host, library);
      const report = await client.must(...everything);
      expect(report.actions).toEqual(without.actions);
      expect(report.notifications).toEqual(without.notifications);
      expect(report.protocolVersion).toBe(without.protocolVersion);
      const connecting: RequestMade[] = [
        { method: 'POST', path: '/mcp', status: 401 },
        { method: 'GET', path: '/.well-known/oauth-protected-resource/mcp', status: 200 },
        { method: 'GET', path: '/.well-known/oauth-authorization-server', status: 200 },
        { method: 'GET', path: '/authorize', status: 200 },
        { method: 'POST', path: '/authorize', status: 303 },
        { method: 'POST', path: '/token', authorization: 'basic', grant: 'authorization_code', status: 200 },
      ];
      expect(report.requests).toEqual([...connecting, ...without.requests]);

      const seen = recorded(host).slice(begun);
      const { tokens } = client;
      const hidden = [
        tokens.access_token,
        tokens.refresh_token ?? '-',
        secrets.CLIENT_SECRET,
        secrets.TOKEN_SECRET,
      ];
      expect(seen.map(({ method, rpc }) => ({ method, rpc }))).toEqual(
        recorded(host)
          .slice(0, begun)
          .map(({ method, rpc }) => ({ method, rpc })),
      );
      for (const { headers, url } of seen) {
        expect(headers['authorization']).toBe(`Bearer ${secrets.MCP_TOKEN}`);
        for (const secret of hidden) expect(JSON.stringify({ headers, url })).not.toContain(secret);
        // Of the client nothing else: the second group is how any two programs talk HTTP.
        const known =
          /^(accept|content-type|last-event-id|mcp-session-id|mcp-protocol-version|authorization)$|^(host|connection|user-agent|content-length|transfer-encoding|accept-encoding)$/u;
        expect(Object.keys(headers).filter((name) => !known.test(name))).toEqual([]);
      }
      // The first request opens the session; every other one is part of it.
      expect(seen[0]?.headers['mcp-session-id']).toBeUndefined();
      for (const { headers } of seen.slice(1))
        expect([headers['mcp-session-id'], headers['mcp-protocol-version']]).toEqual([
          report.sessionId,
          report.protocolVersion,
        ]);
      expect(seen.filter(({ headers }) => headers['last-event-id'] !== undefined)).toHaveLength(1);

      // The session was ended at the MCP server itself.
      expect(
        await host.must(
          `curl -s -o /dev/null -w '%{http_code}' --cacert ${authority} ${mcpUrl} -H 'Accept: text/event-stream' -H 'Mcp-Session-Id: ${report.sessionId}' -H 'Authorization: Bearer ${tokens.access_token}'`,
        ),
      ).toBe('404');

      // A token of the service is no token of the MCP server.
      await direct.change({ tokens });
      expect((await direct.run('echo')).failure?.action).toBe('connect');

      const said = await journal(host);
      for (const secret of [...hidden, secrets.MCP_TOKEN]) expect(said).not.toContain(secret);
      expect(said).not.toContain('Traceback');
    },
  );

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

  test('a new CLIENT_SECRET keeps the connection for who knows it; a new MCP_TOKEN no client notices', async () => {
    await using host = await prepare(suite, 'secret');
    const clients = await connectBoth(host);
    expectExit(await host.installer(['--force-rotate-tokens', 'CLIENT_SECRET']), 0);
    const { CLIENT_SECRET: clientSecret } = secretsInFile(host);
    for (const client of clients) {
      expect(notMcp(await client.must('echo'))).toEqual([]);
      await client.expire();
      const { tokens } = client;
      const refused = await client.run('echo');
      expect(tokenRequests(refused)).toEqual([{ ...refresh, status: 401, error: 'invalid_client' }]);
      expect(refused.failure).toMatchObject(askedAgain);
      await client.change({ clientSecret, tokens });
      expect(tokenRequests(await client.must('echo'))).toEqual([{ ...refresh, status: 200 }]);
      await expectConnected(client);
    }
    expectExit(await host.installer(['--force-rotate-tokens', 'MCP_TOKEN']), 0);
    for (const client of clients) await expectConnected(client);
  });

  test('a new TOKEN_SECRET ends every connection: a person presses Allow again, and types nothing', async () => {
    await using host = await prepare(suite, 'token-secret');
    const clients = await connectBoth(host);
    expectExit(await host.installer(['--force-rotate-tokens', 'TOKEN_SECRET']), 0);
    for (const client of clients) {
      await client.change({ unattended: false });
      const report = await client.must('echo');
      expect(report.requests[0]).toEqual({
        method: 'POST',
        path: '/mcp',
        authorization: 'bearer',
        status: 401,
      });
      expect(tokenRequests(report)).toEqual([
        { ...refresh, status: 400, error: 'invalid_grant' },
        { ...refresh, grant: 'authorization_code', status: 200 },
      ]);
      expect(report.authorized).toBe(1);
      await expectConnected(client);
    }
  });

  test('after a rotation of all secrets clients are refused, and connect with the new credentials only', async () => {
    await using host = await prepare(suite, 'rotated');
    const clients = await connectBoth(host);
    expectExit(await host.installer(['--force-rotate-tokens']), 0);
    const { CLIENT_ID: clientId, CLIENT_SECRET: clientSecret } = secretsInFile(host);
    for (const client of clients) {
      const old = client.connection;
      const before = recorded(host).length;
      const refused = await client.run('echo');
      expect(refused.requests[0]).toEqual({
        method: 'POST',
        path: '/mcp',
        authorization: 'bearer',
        status: 401,
      });
      expect(tokenRequests(refused)).toEqual([{ ...refresh, status: 401, error: 'invalid_client' }]);
      expect(refused.failure).toMatchObject(askedAgain);

      await client.change({ ...old, clientId, clientSecret });
      const ended = await client.run('echo');
      expect(tokenRequests(ended)).toEqual([{ ...refresh, status: 400, error: 'invalid_grant' }]);
      expect(ended.failure).toMatchObject(askedAgain);

      await client.change({ clientId: old.clientId, clientSecret: old.clientSecret, unattended: false });
      expect((await client.run('echo')).failure?.message).toMatch(/^the consent page: 400 /u);
      await client.change({ clientId });
      const halfway = await client.run('echo');
      // These clients try the code twice.
      for (const request of tokenRequests(halfway))
        expect(request).toEqual({
          ...refresh,
          grant: 'authorization_code',
          status: 401,
          error: 'invalid_client',
        });
      expect(halfway.failure?.action).toBe('connect');
      expect(recorded(host).slice(before)).toEqual([]);

      await client.change({ clientSecret });
      expect((await client.must(...everything)).authorized).toBe(1);
      await expectConnected(client);
    }
  });

  test('with OWNER_PASSWORD only who knows it connects; whoever denies does not', async () => {
    await using host = await prepare(suite, 'password');
    const right = 'a horse & a "bättery"';
    await host.must(`printf '%s\\n' 'OWNER_PASSWORD=${right}' >>${envFile} && systemctl restart ${service}`);
    for (const library of libraries) {
      const client = await ConnectedClient.create(host, library);
      for (const password of ['', 'wrong', right.toUpperCase(), `${right} `]) {
        await client.change({ password });
        const refused = await client.run('echo');
        expect(refused.failure?.message, password).toMatch(/^the answer to the consent: 403 /u);
        expect(tokenRequests(refused)).toEqual([]);
      }
      await client.change({ password: right, decision: 'deny' });
      const denied = await client.run('echo');
      expect(denied.failure?.message).toMatch(/^access_denied: /u);
      expect(tokenRequests(denied)).toEqual([]);
      await client.change({ decision: 'allow' });
      expect((await client.must(...everything)).authorized).toBe(1);
    }
    const said = await journal(host);
    expect(said).not.toContain(right);
    expect(said).not.toContain('Traceback');
    expect(recorded(host).filter(({ rpc }) => rpc === 'initialize')).toHaveLength(2);
  });

  test.each([
    ['sdk', redirectUris.client],
    ['client', redirectUris.sdk],
    ['client', 'https://claude.com/api/mcp/auth_callback'],
    ['sdk', 'http://localhost:8765/oauth/callback'],
  ] satisfies [Library, string][])('%s connects at %s too', async (library, redirectUri) => {
    await using host = await prepare(suite, 'redirect');
    const client = await ConnectedClient.create(host, library, { redirectUri });
    expect((await client.must('echo')).authorized).toBe(1);
    await client.change({
      redirectUri: 'https://claude.ai.example/api/mcp/auth_callback',
      tokens: undefined,
    });
    expect((await client.run('echo')).failure?.message).toMatch(/^the consent page: 400 /u);
  });
});
