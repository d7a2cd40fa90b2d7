/**
 * A connected MCP client, of the official SDK: `client.mjs LIBRARY STORE [ACTION …]`.
 *
 * LIBRARY is `sdk` (@modelcontextprotocol/sdk, 1.x) or `client` (@modelcontextprotocol/client, 2.x). STORE is a JSON
 * file: what a person has typed in (`Connection` in ../support/client.ts) and the tokens, which this program keeps
 * there, so that a later process goes on as the same connected client. It authorizes itself by a browser's means where
 * the server demands it, except with `unattended` in the store. Prints one JSON object, `Report` in the same place.
 *
 * ACTIONs, after the connection is made: `tools`; the server's tools by their names; `listen`, which is done as soon as
 * the stream of server messages is open; `parallel`, ten calls at once; `attempt` and `again`, each a call of the tool `later` that may fail; `end` ends the session at the server; `hold` prints a line that says so and
 * goes on when a line comes in, or the standard input ends.
 */
import { EventEmitter, once } from 'node:events';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { consent } from './browser.mjs';

const [library, store, ...actions] = process.argv.slice(2);
const { url: address = 'https://mcp.test/mcp' } = JSON.parse(readFileSync(store, 'utf8'));
const url = new URL(address);

const libraries = {
  sdk: async () => ({
    ...(await import('@modelcontextprotocol/sdk/client/index.js')),
    ...(await import('@modelcontextprotocol/sdk/client/streamableHttp.js')),
    ...(await import('@modelcontextprotocol/sdk/client/auth.js')),
    types: await import('@modelcontextprotocol/sdk/types.js'),
  }),
  client: () => import('@modelcontextprotocol/client'),
};
const { Client, StreamableHTTPClientTransport, UnauthorizedError, types } = await libraries[library]();

const load = () => JSON.parse(readFileSync(store, 'utf8'));
const save = (changes) => {
  // Several of these may save at once.
  const unfinished = `${store}.${process.pid}`;
  writeFileSync(unfinished, JSON.stringify({ ...load(), ...changes }), { mode: 0o600 });
  renameSync(unfinished, store);
};

const report = { authorized: 0, actions: {}, notifications: [], requests: [], errors: [] };

/** Every request of the client, the browser's as well, in a few words. */
async function traced(target, init) {
  const { pathname, origin } = new URL(target instanceof Request ? target.url : target);
  const headers = new Headers(init?.headers);
  const entry = {
    method: init?.method ?? 'GET',
    path: origin === url.origin ? pathname : `${origin}${pathname}`,
  };
  const [scheme] = headers.get('authorization')?.split(' ') ?? [];
  if (scheme !== undefined) entry.authorization = scheme.toLowerCase();
  if (headers.has('last-event-id')) entry.resumed = true;
  if (pathname === '/token') entry.grant = new URLSearchParams(init.body).get('grant_type');
  report.requests.push(entry);
  const response = await fetch(target, init);
  entry.status = response.status;
  if (pathname === '/token' && response.status >= 400) entry.error = (await response.clone().json()).error;
  if (entry.method === 'GET' && pathname === url.pathname && response.ok) opened();
  return response;
}

let opened;
const listening = new Promise((resolve) => (opened = resolve));
const received = new EventEmitter();

let authorizationUrl;
let discovery;
const provider = {
  redirectUrl: load().redirectUri,
  clientMetadata: {
    client_name: `test of ${library}`,
    redirect_uris: [load().redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
  },
  state: () => load().state ?? 'a state, with "all" sorts & of=characters %/ü',
  clientInformation: () => ({
    client_id: load().clientId,
    client_secret: load().clientSecret,
    issuer: url.origin,
  }),
  tokens: () => load().tokens,
  saveTokens: (tokens) => save({ tokens }),
  redirectToAuthorization: (target) => void (authorizationUrl = target),
  saveCodeVerifier: (verifier) => save({ verifier }),
  codeVerifier: () => load().verifier,
  saveDiscoveryState: (state) => void (discovery = state),
  discoveryState: () => discovery,
  invalidateCredentials: (scope) => {
    if (scope === 'all' || scope === 'tokens') save({ tokens: undefined });
    if (scope === 'all' || scope === 'discovery') discovery = undefined;
  },
};

const notified = (method) => (notification) => {
  report.notifications.push({ method, ...notification.params });
  received.emit(method);
};

async function begin() {
  const client = new Client(
    { name: load().clientName ?? 'test', version: '1.0.0' },
    { capabilities: { sampling: {} } },
  );
  client.onerror = (error) => report.errors.push(error.message);
  for (const [method, name] of [
    ['notifications/message', 'LoggingMessageNotificationSchema'],
    ['notifications/tools/list_changed', 'ToolListChangedNotificationSchema'],
  ])
    client.setNotificationHandler(types?.[name] ?? method, notified(method));
  client.setRequestHandler(types?.CreateMessageRequestSchema ?? 'sampling/createMessage', () => ({
    role: 'assistant',
    model: 'test',
    content: { type: 'text', text: 'a client' },
  }));
  const transport = new StreamableHTTPClientTransport(url, { authProvider: provider, fetch: traced });
  try {
    await client.connect(transport);
  } catch (error) {
    if (!(error instanceof UnauthorizedError) || authorizationUrl === undefined) throw error;
    await authorize(transport);
    return begin();
  }
  return { client, transport };
}

async function authorize(transport) {
  const { unattended, redirectUri, password, decision } = load();
  const asked = authorizationUrl;
  authorizationUrl = undefined;
  if (unattended) throw new Error('asked to authorize again');
  const target = await consent(asked, { password, decision, fetch: traced });
  if (!target.href.startsWith(`${redirectUri}?`))
    throw new Error(`sent to ${target.origin}${target.pathname}`);
  const answer = target.searchParams;
  if (answer.get('state') !== provider.state()) throw new Error(`another state: ${answer.get('state')}`);
  if (answer.has('error')) throw new Error(`${answer.get('error')}: ${answer.get('error_description')}`);
  await transport.finishAuth(library === 'sdk' ? answer.get('code') : answer);
  report.authorized += 1;
}

const argumentsOf = { echo: { words: 'hello, wörld' }, large: { bytes: 2_000_000 } };

async function call({ client }, name) {
  const options = {
    onprogress: (progress) => report.notifications.push({ method: 'notifications/progress', ...progress }),
  };
  const request = { name, arguments: argumentsOf[name] ?? {} };
  const { content } = await (library === 'sdk'
    ? client.callTool(request, undefined, options)
    : client.callTool(request, options));
  return content[0].text;
}

const failureOf = (error) => {
  const { name, message, code, status } = error;
  return { name: error.constructor.name ?? name, message, code: status ?? code };
};

async function attempt(connection) {
  const began = Date.now();
  const outcome = await call(connection, 'later').catch(failureOf);
  return { outcome, ms: Date.now() - began };
}

let input;
const lines = () => (input ??= createInterface({ input: process.stdin })[Symbol.asyncIterator]());

const other = {
  tools: async ({ client }) => (await client.listTools()).tools.map(({ name }) => name),
  listen: () => listening.then(() => true),
  announce: async (connection) => {
    const heard = once(received, 'notifications/tools/list_changed');
    const answer = await call(connection, 'announce');
    await heard;
    return answer;
  },
  large: async (connection) => (await call(connection, 'large')).length,
  parallel: async (connection) => {
    const calls = await Promise.allSettled(Array.from({ length: 10 }, () => call(connection, 'echo')));
    return calls.map(({ value, reason }) => value ?? reason.message);
  },
  attempt,
  again: attempt,
  end: ({ transport }) => transport.terminateSession(),
  hold: async () => {
    process.stdout.write('holding\n');
    await lines().next();
  },
};

let connection;
let action = 'connect';
try {
  connection = await begin();
  report.protocolVersion = connection.transport.protocolVersion;
  report.sessionId = connection.transport.sessionId;
  for (action of actions)
    report.actions[action] = (await (other[action]?.(connection) ?? call(connection, action))) ?? true;
} catch (error) {
  report.failure = { action, ...failureOf(error) };
}
await connection?.client.close();
process.stdin.destroy();
process.stdout.write(`${JSON.stringify(report)}\n`);
process.exitCode = report.failure === undefined ? 0 : 1;
