/**
 * An MCP server, of the official SDK, with what the conformance suite asks servers for, under the names that it uses:
 * `everything-server.mjs PORT`. It speaks 2025-11-25 in sessions, whose streams can be taken up again, and 2026-07-28,
 * where each request is for itself. It demands no token, since the suite cannot send one.
 *
 * Ids of sessions and events are counted, not drawn: what two fresh servers are asked alike, they answer alike.
 */
import { createServer } from 'node:http';
import {
  localhostHostValidation,
  NodeStreamableHTTPServerTransport,
  toNodeHandler,
} from '@modelcontextprotocol/node';
import {
  acceptedContent,
  classifyInboundRequest,
  CLIENT_CAPABILITIES_META_KEY,
  createMcpHandler,
  createRequestStateCodec,
  fromJsonSchema,
  inputRequired,
  isInitializeRequest,
  McpServer,
  ResourceTemplate,
} from '@modelcontextprotocol/server';

const [port] = process.argv.slice(2);

// --- Words and schemas ---

/** One red pixel, and silence. */
const png =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
const wav = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=';

const text = (words) => ({ type: 'text', text: words });
const image = { type: 'image', data: png, mimeType: 'image/png' };
const embedded = (uri, mimeType, words) => ({ type: 'resource', resource: { uri, mimeType, text: words } });
const say = (...contents) => ({
  content: contents.map((content) => (typeof content === 'string' ? text(content) : content)),
});

const string = { type: 'string' };
const object = (properties, required = []) => ({ type: 'object', properties, required });
const strings = (...names) => object(Object.fromEntries(names.map((name) => [name, string])), names);

// --- Tools ---

/** Asks the client's user while the call is under way. */
async function elicit({ mcpReq }, message, requestedSchema) {
  const params = { message, requestedSchema };
  const { action, content } = await mcpReq.send({ method: 'elicitation/create', params });
  return say(`${action}: ${JSON.stringify(content ?? {})}`);
}

const options = ['option1', 'option2', 'option3'];
const titled = options.map((name) => ({ const: name, title: `Title of ${name}` }));

const tools = {
  test_simple_text: () => say('This is a simple text response for testing.'),
  test_image_content: () => say(image),
  test_audio_content: () => say({ type: 'audio', data: wav, mimeType: 'audio/wav' }),
  test_embedded_resource: () => say(embedded('test://embedded-resource', 'text/plain', 'An embedded text.')),
  test_multiple_content_types: () =>
    say('Several of them:', image, embedded('test://mixed-content-resource', 'application/json', '{"a":1}')),
  test_error_handling: () => {
    throw new Error('This tool intentionally returns an error for testing');
  },
  test_tool_with_logging: async (_, { mcpReq }) => {
    for (const data of ['started', 'processing', 'completed'])
      await mcpReq.notify({ method: 'notifications/message', params: { level: 'info', data } });
    return say('logged');
  },
  test_tool_with_progress: async (_, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    for (const progress of progressToken === undefined ? [] : [0, 50, 100])
      await mcpReq.notify({
        method: 'notifications/progress',
        params: { progressToken, progress, total: 100 },
      });
    return say('done');
  },
  // The answer waits until the client comes back for it.
  test_reconnection: (_, { sessionId, mcpReq }) => {
    sessions.get(sessionId)?.closeSSEStream(mcpReq.id);
    return say('after the interruption');
  },
  test_sampling: async ({ prompt }, { mcpReq }) => {
    const params = { messages: [{ role: 'user', content: text(prompt) }], maxTokens: 100 };
    const { content } = await mcpReq.send({ method: 'sampling/createMessage', params });
    return say(JSON.stringify(content));
  },
  test_elicitation: ({ message }, context) => elicit(context, message, strings('response')),
  test_elicitation_sep1034_defaults: (_, context) =>
    elicit(
      context,
      'With defaults',
      object({
        name: { type: 'string', default: 'John Doe' },
        age: { type: 'integer', default: 30 },
        score: { type: 'number', default: 95.5 },
        status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
        verified: { type: 'boolean', default: true },
      }),
    ),
  test_elicitation_sep1330_enums: (_, context) =>
    elicit(
      context,
      'With choices',
      object({
        untitledSingle: { type: 'string', enum: options },
        titledSingle: { type: 'string', oneOf: titled },
        legacyEnum: { type: 'string', enum: options, enumNames: ['One', 'Two', 'Three'] },
        untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
        titledMulti: { type: 'array', items: { anyOf: titled } },
      }),
    ),
  json_schema_2020_12_tool: (args) => say(JSON.stringify(args)),
  test_x_mcp_header: ({ region }) => say(`region=${region}`),
};

/** What tools take; those that are not here take an object without anything in it. */
const schemas = {
  test_sampling: strings('prompt'),
  test_elicitation: strings('message'),
  test_x_mcp_header: object({
    region: { type: 'string', 'x-mcp-header': 'Region' },
    level: { type: 'integer' },
  }),
  json_schema_2020_12_tool: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    $defs: { address: { $anchor: 'addressDef', ...object({ street: string, city: string }) } },
    properties: {
      name: string,
      address: { $ref: '#/$defs/address' },
      contactMethod: { type: 'string', enum: ['phone', 'email'] },
      phone: string,
      email: string,
    },
    allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
    if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
    then: { required: ['phone'] },
    else: { required: ['email'] },
    additionalProperties: false,
  },
};

// --- Tools of 2026-07-28, which ask back in their answers ---

/** State that travels through the client, which must not be able to change it. */
const state = createRequestStateCodec({ key: crypto.getRandomValues(new Uint8Array(32)) });

const askUser = (message, field, type = 'string') =>
  inputRequired.elicit({ message, requestedSchema: object({ [field]: { type } }, [field]) });
const askModel = (words) =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: text(words) }], maxTokens: 100 });
const roots = inputRequired.listRoots();

/** Asks until there is an answer under that name, and repeats it. */
const once = (name, question) => (_, context) => {
  const answer = context.mcpReq.inputResponses?.[name];
  return answer === undefined
    ? inputRequired({ inputRequests: { [name]: question } })
    : say(JSON.stringify(answer));
};

const confirmed = async (_, { mcpReq }) =>
  mcpReq.requestState() !== undefined && acceptedContent(mcpReq.inputResponses, 'confirm') !== undefined
    ? say('state-ok')
    : inputRequired({
        inputRequests: { confirm: askUser('Is it right?', 'ok', 'boolean') },
        requestState: await state.mint({ round: 1 }),
      });

Object.assign(tools, {
  test_missing_capability: once('answer', askModel('Say pong.')),
  test_streaming_elicitation: () => say('nothing but an answer'),
  test_logging_tool: async (_, { mcpReq }) => {
    await mcpReq.log('info', 'for those who asked for it');
    return say('logged');
  },
  test_trigger_tool_change: () => {
    single.notify.toolsChanged();
    return say('told');
  },
  test_trigger_prompt_change: () => {
    single.notify.promptsChanged();
    return say('told');
  },
  test_input_required_result_elicitation: (_, { mcpReq }) => {
    const name = acceptedContent(mcpReq.inputResponses, 'user_name')?.name;
    return typeof name === 'string'
      ? say(`Hello, ${name}!`)
      : inputRequired({ inputRequests: { user_name: askUser('What is your name?', 'name') } });
  },
  test_input_required_result_sampling: once('capital_question', askModel('What is the capital of France?')),
  test_input_required_result_list_roots: once('client_roots', roots),
  test_input_required_result_request_state: confirmed,
  test_input_required_result_tampered_state: confirmed,
  test_input_required_result_multiple_inputs: async (_, { mcpReq }) => {
    const inputRequests = {
      user_name: askUser('What is your name?', 'name'),
      greeting: askModel('Greet!'),
      client_roots: roots,
    };
    const answers = mcpReq.inputResponses ?? {};
    return Object.keys(inputRequests).every((name) => name in answers)
      ? say(JSON.stringify(answers))
      : inputRequired({ inputRequests, requestState: await state.mint({ round: 1 }) });
  },
  test_input_required_result_multi_round: async (_, { mcpReq }) => {
    const { round = 0, name } = mcpReq.requestState() ?? {};
    const accepted = (step) => acceptedContent(mcpReq.inputResponses, step);
    if (round === 0)
      return inputRequired({
        inputRequests: { step1: askUser('What is your name?', 'name') },
        requestState: await state.mint({ round: 1 }),
      });
    if (round === 1)
      return inputRequired({
        inputRequests: { step2: askUser('Which colour?', 'color') },
        requestState: await state.mint({ round: 2, name: accepted('step1')?.name }),
      });
    return say(`${name} likes ${accepted('step2')?.color}`);
  },
  test_input_required_result_capabilities: (_, { mcpReq }) => {
    if (mcpReq.inputResponses !== undefined) return say('answered');
    const able = mcpReq.envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? {};
    const questions = {
      elicitation: askUser('What is your name?', 'name'),
      sampling: askModel('Greet!'),
      roots,
    };
    const possible = Object.entries(questions).filter(([name]) => able[name] !== undefined);
    return possible.length === 0
      ? say('nothing to ask')
      : inputRequired({ inputRequests: Object.fromEntries(possible) });
  },
});

// --- The server ---

const user = (...contents) => ({ messages: contents.map((content) => ({ role: 'user', content })) });

function newServer() {
  const server = new McpServer(
    { name: 'everything', version: '1.0.0' },
    {
      capabilities: {
        tools: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        prompts: { listChanged: true },
        logging: {},
        completions: {},
      },
      requestState: { verify: state.verify },
    },
  );

  for (const [name, tool] of Object.entries(tools)) {
    const inputSchema = fromJsonSchema(schemas[name] ?? object({}));
    server.registerTool(name, { description: `What the suite calls ${name}`, inputSchema }, tool);
  }

  const resource = (name, uri, mimeType, content) =>
    server.registerResource(name, uri, { mimeType }, ({ href }, variables) => ({
      contents: [{ uri: href, mimeType, ...content(variables) }],
    }));
  resource('static-text', 'test://static-text', 'text/plain', () => ({ text: 'A text.' }));
  resource('watched', 'test://watched-resource', 'text/plain', () => ({ text: 'A watched text.' }));
  resource('static-binary', 'test://static-binary', 'image/png', () => ({ blob: png }));
  const template = new ResourceTemplate('test://template/{id}/data', { list: undefined });
  resource('template', template, 'application/json', ({ id }) => ({ text: JSON.stringify({ id }) }));
  server.server.setRequestHandler('resources/subscribe', () => ({}));
  server.server.setRequestHandler('resources/unsubscribe', () => ({}));

  const prompt = (name, names, answer) =>
    server.registerPrompt(
      name,
      {
        description: `What the suite calls ${name}`,
        ...(names.length === 0 ? {} : { argsSchema: fromJsonSchema(strings(...names)) }),
      },
      answer,
    );
  prompt('test_simple_prompt', [], () => user(text('A simple prompt.')));
  prompt('test_prompt_with_arguments', ['arg1', 'arg2'], ({ arg1, arg2 }) => user(text(`${arg1}, ${arg2}`)));
  prompt('test_prompt_with_embedded_resource', ['resourceUri'], ({ resourceUri }) =>
    user(embedded(resourceUri, 'text/plain', 'An embedded text.'), text('Read it.')),
  );
  prompt('test_prompt_with_image', [], () => user(image, text('Look at it.')));
  prompt('test_input_required_result_prompt', [], ({ mcpReq }) => {
    const context = acceptedContent(mcpReq.inputResponses, 'user_context')?.context;
    return typeof context === 'string'
      ? user(text(context))
      : inputRequired({ inputRequests: { user_context: askUser('Which context?', 'context') } });
  });

  server.server.setRequestHandler('logging/setLevel', () => ({}));
  server.server.setRequestHandler('completion/complete', () => ({
    completion: { values: ['one', 'two'], total: 2, hasMore: false },
  }));
  return server;
}

// --- HTTP ---

const single = createMcpHandler(newServer);
const answerSingle = toNodeHandler(single);

const sessions = new Map();
let opened = 0;

class EventStore {
  #events = [];

  storeEvent(streamId, message) {
    this.#events.push({ streamId, message });
    return Promise.resolve(`event-${this.#events.length}`);
  }

  getStreamIdForEventId(eventId) {
    return Promise.resolve(this.#events[this.#position(eventId) - 1]?.streamId);
  }

  async replayEventsAfter(lastEventId, { send }) {
    const position = this.#position(lastEventId);
    const { streamId } = this.#events[position - 1];
    for (const [index, event] of this.#events.entries())
      // The first event of a stream holds nothing: it is there for its id.
      if (index >= position && event.streamId === streamId && Object.keys(event.message).length > 0)
        await send(`event-${index + 1}`, event.message);
    return streamId;
  }

  #position(eventId) {
    return Number(eventId.replace('event-', ''));
  }
}

async function newSession() {
  const session = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: () => `session-${(opened += 1)}`,
    eventStore: new EventStore(),
    retryInterval: 500,
    onsessioninitialized: (id) => void sessions.set(id, session),
    onsessionclosed: (id) => void sessions.delete(id),
  });
  await newServer().connect(session);
  return session;
}

async function read(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const body = Buffer.concat(parts).toString('utf8');
  return body === '' ? undefined : JSON.parse(body);
}

const refuse = (response, status, message) =>
  response
    .writeHead(status, { 'content-type': 'application/json' })
    .end(JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32000, message } }));

async function answer(request, response) {
  const body = await read(request);
  const { kind } = classifyInboundRequest({
    httpMethod: request.method,
    protocolVersionHeader: request.headers['mcp-protocol-version'],
    mcpMethodHeader: request.headers['mcp-method'],
    body,
  });
  const id = request.headers['mcp-session-id'];
  if (request.method === 'POST' && kind !== 'legacy') await answerSingle(request, response, body);
  else {
    const session = id === undefined && isInitializeRequest(body) ? await newSession() : sessions.get(id);
    if (session === undefined) refuse(response, id === undefined ? 400 : 404, 'no such session');
    else await session.handleRequest(request, response, body);
  }
}

const isForHere = localhostHostValidation();

createServer((request, response) => {
  if (!isForHere(request, response)) return;
  answer(request, response).catch((error) => {
    process.stderr.write(`${error.stack}\n`);
    if (!response.headersSent) refuse(response, 500, error.message);
  });
}).listen(Number(port), '127.0.0.1');
