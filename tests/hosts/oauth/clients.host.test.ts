/** The official MCP clients with the service as it is installed: on a domain, with TLS, before a real MCP server. */
import { describe, expect, test } from 'vitest';
import { suites, type Suite } from '../support/base.ts';
import { createHost, type Host } from '../support/host.ts';
import { secretsInFile } from '../support/observe.ts';
import { ConnectedClient, everything, libraries } from './support/client.ts';
import { startMcpServer } from './support/mcp-server.ts';
import { installWithTls } from './support/site.ts';

async function prepare(suite: Suite, name: string): Promise<Host> {
  const host = await createHost({ suite, name });
  await installWithTls(host);
  await startMcpServer(host);
  return host;
}

describe.each(suites)('%s', (suite) => {
  test.each(libraries)('%s does everything with the MCP server itself', async (library) => {
    await using host = await prepare(suite, `direct-${library}`);
    const client = await ConnectedClient.create(host, library, {
      url: 'http://127.0.0.1:8000/mcp',
      unattended: true,
      tokens: { access_token: secretsInFile(host).MCP_TOKEN, token_type: 'Bearer' },
    });
    const { errors, actions } = await client.must(...everything);
    expect(errors).toEqual([]);
    expect(Object.keys(actions)).toEqual(everything);
  });
});
