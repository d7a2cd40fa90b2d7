/** What tests of connections begin with, and what they look at. */
import { expect } from 'vitest';
import type { Suite } from '../../support/base.ts';
import { createHost, until, type Host } from '../../support/host.ts';
import { mainPid } from '../../support/observe.ts';
import { ConnectedClient, libraries, type Report, type RequestMade } from './client.ts';
import { startMcpServer } from './mcp-server.ts';
import { installWithTls } from './site.ts';

export const service = 'mcp-oauth-proxy.service';

/** For whoever authorizes more often than a person does; the owner may tune the rates, and a rerun keeps them. */
export async function withHighRates(host: Host): Promise<void> {
  const zones = '/etc/nginx/conf.d/mcp-oauth-proxy.conf';
  await host.must(`sed -i 's/rate=[12]r/rate=1000r/' ${zones} && systemctl reload nginx`);
}

/** A host with the service, on a domain and with TLS, and an MCP server behind it. */
export async function prepare(suite: Suite, name: string): Promise<Host> {
  const host = await createHost({ suite, name });
  await installWithTls(host);
  await startMcpServer(host);
  return host;
}

/** Clients of both libraries, each after its first connection; from now on nobody is there to press a button. */
export async function connectBoth(host: Host): Promise<readonly ConnectedClient[]> {
  const clients: ConnectedClient[] = [];
  for (const library of libraries) {
    const client = await ConnectedClient.create(host, library);
    expect((await client.must('echo')).authorized).toBe(1);
    await client.change({ unattended: true });
    clients.push(client);
  }
  return clients;
}

/** What is about OAuth. */
export const notMcp = ({ requests }: Report): readonly RequestMade[] =>
  requests.filter(({ path }) => path !== '/mcp');

export const tokenRequests = ({ requests }: Report): readonly RequestMade[] =>
  requests.filter(({ path }) => path === '/token');

/** Of {@link tokenRequests}, without what came of it. */
export const refresh = { method: 'POST', path: '/token', authorization: 'basic', grant: 'refresh_token' };

/** What becomes of a client that would have to ask a person, and there is none. */
export const askedAgain = { message: 'asked to authorize again' };

/** Its tokens are good as they are, it can refresh, and what it got by that is good as well; nobody was asked. */
export async function expectConnected(client: ConnectedClient): Promise<void> {
  expect(notMcp(await client.must('echo'))).toEqual([]);
  const before = client.tokens;
  await client.expire();
  const report = await client.must('echo');
  expect(tokenRequests(report)).toEqual([{ ...refresh, status: 200 }]);
  expect(client.tokens.refresh_token).not.toBe(before.refresh_token);
}

export const journal = (host: Host): Promise<string> =>
  host.must(`journalctl --no-pager -o cat -u ${service}`);

/** With SIGKILL, and waits until systemd has started another. */
export async function killService(host: Host): Promise<void> {
  const before = await mainPid(host);
  await host.must(`kill -9 ${before}`);
  await until('the service was started again', async () =>
    [before, '0'].includes(await mainPid(host)) ? undefined : true,
  );
}
