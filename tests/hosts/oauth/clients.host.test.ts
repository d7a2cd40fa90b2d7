/** The official MCP clients with the service as it is installed: on a domain, with TLS, before a real MCP server. */
import { describe, expect, test } from 'vitest';
import { suites } from '../support/base.ts';
import { createHost } from '../support/host.ts';
import { expectExit, secretsInFile } from '../support/observe.ts';
import { ConnectedClient, everything, libraries, redirectUris, type RequestMade } from './support/client.ts';
import { expectConnected, journal, prepare, tokenRequests, withHighRates } from './support/connected.ts';
import { recorded, startMcpServer } from './support/mcp-server.ts';
import { authority, domain, mcpUrl } from './support/site.ts';

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

  test('with OWNER_PASSWORD only who knows it connects, whoever denies does not, and who is connected stays so', async () => {
    await using host = await prepare(suite, 'password');
    await withHighRates(host);
    const right = 'a-horse~battery:%s!';
    const connected = await ConnectedClient.create(host, 'sdk', { name: 'before' });
    await connected.must('echo');
    await connected.change({ unattended: true });
    await host.write('/root/password', `${right}\n`, '0600');
    expectExit(await host.installer(['--owner-password-file', '/root/password']), 0);
    await expectConnected(connected);
    for (const library of libraries) {
      const client = await ConnectedClient.create(host, library);
      for (const password of ['', 'wrong', `${right} `]) {
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
      await expectConnected(client);
    }
    const said = await journal(host);
    expect(said).not.toContain(right);
    expect(said).not.toContain('Traceback');
  });

  test('they connect wherever the browser is to come back to, and nowhere else', async () => {
    await using host = await prepare(suite, 'redirect');
    await withHighRates(host);
    for (const [library, redirectUri] of [
      ['sdk', redirectUris.client],
      ['client', redirectUris.sdk],
      ['client', 'https://claude.com/api/mcp/auth_callback'],
      ['sdk', 'http://localhost:8765/oauth/callback'],
    ] as const) {
      const client = await ConnectedClient.create(host, library, { redirectUri });
      expect((await client.must('echo')).authorized).toBe(1);
      await client.change({
        redirectUri: 'https://claude.ai.example/api/mcp/auth_callback',
        tokens: undefined,
      });
      expect((await client.run('echo')).failure?.message).toMatch(/^the consent page: 400 /u);
    }
  });

  test.each(libraries)('%s connects to a service without a domain, on the host itself', async (library) => {
    await using host = await createHost({ suite, name: `local-${library}` });
    expectExit(await host.installer([]), 0);
    await startMcpServer(host);
    const client = await ConnectedClient.create(host, library, { url: 'http://127.0.0.1:8084/mcp' });
    expect((await client.must(...everything)).authorized).toBe(1);
    await client.change({ unattended: true });
    await expectConnected(client);
  });

  test('on a domain without TLS the older client connects, and the newer one sends no secret', async () => {
    await using host = await createHost({ suite, name: 'insecure' });
    await host.must(`echo 127.0.0.1 ${domain} >>/etc/hosts`);
    expectExit(await host.installer(['--domain', domain, '--insecure-http']), 0);
    await startMcpServer(host);
    const url = `http://${domain}/mcp`;
    await (await ConnectedClient.create(host, 'sdk', { url })).must('echo');
    const refused = await (await ConnectedClient.create(host, 'client', { url })).run('echo');
    expect(refused.failure?.name).toBe('InsecureTokenEndpointError');
    expect(tokenRequests(refused)).toEqual([]);
  });
});
