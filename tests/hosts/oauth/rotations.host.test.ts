/** What a rotation of secrets means for connected clients. */
import { describe, expect, test } from 'vitest';
import { suites } from '../support/base.ts';
import { expectExit, secretsInFile } from '../support/observe.ts';
import { everything } from './support/client.ts';
import {
  askedAgain,
  connectBoth,
  expectConnected,
  notMcp,
  prepare,
  refresh,
  tokenRequests,
} from './support/connected.ts';
import { recorded } from './support/mcp-server.ts';

/** A request with a token that is none any more. */
const withoutAccess = { method: 'POST', path: '/mcp', authorization: 'bearer', status: 401 };

describe.each(suites)('%s', (suite) => {
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
      expect(report.requests[0]).toEqual(withoutAccess);
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
      expect(refused.requests[0]).toEqual(withoutAccess);
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
});
