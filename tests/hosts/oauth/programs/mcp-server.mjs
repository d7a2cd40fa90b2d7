/**
 * A real MCP server, of the official SDK, that demands MCP_TOKEN: `mcp-server.mjs RECORDS [PORT]`.
 *
 * Streamable HTTP with sessions. What a client's name ends with says how its session answers requests: `json`, or
 * `plain`, streams without event ids; else streams with event ids and an event store. The token that it demands is read at each request from the
 * service's env file, as if whoever runs both had told it of a rotation at once. Every request is appended to the file
 * RECORDS, one JSON object a line, when it has come in: see `Recorded` in ../support/mcp-server.ts.
 *
 * Tools: `echo`; `steps`, which tells of its progress; `announce`, which adds a tool, and tells so on the stream that
 * the client listens on; `ask`, which asks the client a question; `interrupted`, whose stream is cut before the
 * answer, so that the client has to come back for it; `large`, an answer of a size that is asked for; `forever`, which
 * never answers; `later`, which answers once there is a file /run/later.
 */
import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import {
  CallToolRequestSchema,
  CreateMessageResultSchema,
  ListToolsRequestSchema,
  isInitializeRequest,
} from '@modelcontextprotocol/sdk/types.js';

const [records, port = '8000'] = process.argv.slice(2);

const demanded = () =>
  `Bearer ${/^MCP_TOKEN=(.*)$/mu.exec(readFileSync('/etc/mcp-oauth-proxy/.env', 'utf8'))?.[1]}`;

/** Events in the order in which they came; an id says which stream it belongs to. */
class EventStore {
  #events = [];

  storeEvent(streamId, message) {
    const id = `${streamId}/${this.#events.length}`;
    this.#events.push({ id, streamId, message });
    return Promise.resolve(id);
  }

  getStreamIdForEventId(eventId) {
    return Promise.resolve(eventId.slice(0, eventId.lastIndexOf('/')));
  }

  async replayEventsAfter(lastEventId, { send }) {
    const at = this.#events.findIndex(({ id }) => id === lastEventId);
    const { streamId } = this.#events[at];
    for (const event of this.#events.slice(at + 1))
      if (event.streamId === streamId && Object.keys(event.message).length > 0)
        await send(event.id, event.message);
    return streamId;
  }
}

const text = (words) => ({ content: [{ type: 'text', text: words }] });

const tools = {
  echo: ({ words }) => text(words),

  steps: async (_, { sendNotification, _meta }) => {
    for (const step of [1, 2, 3]) {
      const progress = { progressToken: _meta?.progressToken, progress: step, total: 3 };
      if (_meta?.progressToken !== undefined)
        await sendNotification({ method: 'notifications/progress', params: progress });
      await sendNotification({
        method: 'notifications/message',
        params: { level: 'info', data: `step ${step}` },
      });
    }
    return text('three steps');
  },

  announce: async (_, __, { server, added }) => {
    added.push(`added-${added.length + 1}`);
    await server.sendToolListChanged();
    return text(added.at(-1));
  },

  ask: async (_, { sendRequest }) => {
    const messages = [{ role: 'user', content: { type: 'text', text: 'who is there?' } }];
    const question = { method: 'sampling/createMessage', params: { messages, maxTokens: 10 } };
    const { content } = await sendRequest(question, CreateMessageResultSchema);
    return text(`${content.text} is there`);
  },

  interrupted: (_, { closeSSEStream }) => {
    closeSSEStream();
    return text('after the interruption');
  },

  large: ({ bytes }) => text('x'.repeat(bytes)),

  forever: () => new Promise(() => undefined),

  later: async () => {
    while (!existsSync('/run/later')) await setTimeout(50);
    return text('at last');
  },
};

/** Each session has a server of its own, as in the SDK's examples. */
function newServer() {
  const server = new Server(
    { name: 'test', version: '1.0.0' },
    { capabilities: { tools: { listChanged: true }, logging: {} } },
  );
  const added = [];
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: [...Object.keys(tools), ...added].map((name) => ({ name, inputSchema: { type: 'object' } })),
  }));
  server.setRequestHandler(CallToolRequestSchema, ({ params }, extra) =>
    tools[params.name](params.arguments ?? {}, extra, { server, added }),
  );
  return server;
}

const sessions = new Map();

async function newSession({ params: { clientInfo } }) {
  const kind = clientInfo.name.split(' ').at(-1);
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    ...(kind === 'json' && { enableJsonResponse: true }),
    ...(kind !== 'json' && kind !== 'plain' && { eventStore: new EventStore(), retryInterval: 50 }),
    onsessioninitialized: (id) => void sessions.set(id, transport),
    onsessionclosed: (id) => void sessions.delete(id),
  });
  await newServer().connect(transport);
  return transport;
}

async function read(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const body = Buffer.concat(parts).toString('utf8');
  return body === '' ? undefined : JSON.parse(body);
}

const answer = (response, status, message) =>
  response
    .writeHead(status, { 'content-type': 'application/json' })
    .end(JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32000, message } }));

createServer(async (request, response) => {
  try {
    const body = await read(request);
    const record = { method: request.method, url: request.url, headers: request.headers, rpc: body?.method };
    appendFileSync(records, `${JSON.stringify(record)}\n`);
    if (request.headers.authorization !== demanded()) answer(response, 401, 'not MCP_TOKEN');
    else {
      const id = request.headers['mcp-session-id'];
      const transport =
        id === undefined && isInitializeRequest(body) ? await newSession(body) : sessions.get(id);
      if (transport === undefined) answer(response, id === undefined ? 400 : 404, 'no such session');
      else await transport.handleRequest(request, response, body);
    }
  } catch (error) {
    process.stderr.write(`${error.stack}\n`);
    if (!response.headersSent) answer(response, 500, error.message);
  }
}).listen(Number(port), '127.0.0.1');
