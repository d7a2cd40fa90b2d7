/**
 * Clients of every kind that go on until the input ends, at the service's own port and through nginx; then prints how
 * many requests of each kind ended how, as JSON: `{"counts": {"KIND PORT OUTCOME": N}, "longest": MS, "examples": […]}`.
 *
 * A client that is told 401 takes a new token, which it signs as the service does: the secrets are in the .env. Outcomes:
 * a status; `told` (an error in a stream of events); `refused`; `reset` (no answer); `reset reused` (the same on a
 * connection that had an answer before); `cut` (visibly not whole); `untrue` (looks whole and is not); `hang`.
 */
import { Agent, request } from 'node:http';
import { signToken } from './token.mjs';

const patience = 30_000;
const counts = {};
const examples = [];
let longest = 0;
let enough = false;
const streams = new Set();

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** What the client of request `id` makes of a whole answer. */
function judge({ statusCode, headers }, text, id) {
  const isStream = (headers['content-type'] ?? '').startsWith('text/event-stream');
  const messages = isStream
    ? text.split('\n\n').flatMap((event) => parsed(/^data: (.*)$/mu.exec(event)?.[1] ?? '') ?? [])
    : [parsed(text)];
  const answer = messages.find((message) => message?.id === id);
  if (statusCode === 200) {
    if (answer?.result?.mark === id && answer.result.padding.length === 4096) return '200';
    return isStream && typeof answer?.error?.message === 'string' ? 'told' : 'untrue';
  }
  if (statusCode === 401) return '401';
  const isTold =
    typeof answer?.error?.message === 'string' && (statusCode !== 503 || 'retry-after' in headers);
  return isTold ? String(statusCode) : `${statusCode} without words`;
}

/** One request; resolves to its outcome. `read` takes the answer over. */
function ask({ port, agent, method = 'POST', token, body = '' }, read) {
  return new Promise((resolve) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        path: '/mcp',
        method,
        agent,
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/json, text/event-stream',
          ...(method === 'POST'
            ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
            : {}),
        },
      },
      (answer) => read(answer, sent, resolve),
    );
    sent.on('error', (error) => {
      if (error.code === 'ECONNREFUSED') resolve('refused');
      else
        resolve(
          sent.reusedSocket ? 'reset reused' : `reset ${error.code}`.replace(/ (ECONNRESET|EPIPE)$/u, ''),
        );
    });
    sent.end(body);
  });
}

function post(kind, port, agent, id, token) {
  const params = { mark: id, ...kind };
  const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params });
  return ask({ port, agent, token, body }, (answer, _, resolve) => {
    const parts = [];
    answer.on('data', (part) => parts.push(part));
    answer.on('error', () => resolve('cut'));
    answer.on('end', () => {
      const text = Buffer.concat(parts).toString();
      const outcome = answer.complete ? judge(answer, text, id) : 'cut';
      if (!['200', '401'].includes(outcome) && examples.length < 40)
        examples.push(`${JSON.stringify(kind)} ${port} ${outcome}: ${text.slice(0, 60)}…${text.slice(-200)}`);
      resolve(outcome);
    });
  });
}

/** A stream that is listened on until it ends; the numbers of its events must follow one another. */
function listen(port, agent, token, begun) {
  return ask({ port, agent, method: 'GET', token }, (answer, sent, resolve) => {
    if (answer.statusCode !== 200) {
      answer.resume().on('close', () => resolve(String(answer.statusCode)));
      return;
    }
    streams.add(sent);
    if (enough) sent.destroy();
    let [rest, expected, isTrue] = ['', 1, true];
    answer.on('data', (part) => {
      begun();
      const events = (rest + part).split('\n\n');
      rest = events.pop();
      for (const event of events) {
        isTrue &&= parsed(event.split('data: ')[1])?.params.number === expected;
        expected += 1;
      }
    });
    answer.on('error', () => undefined);
    answer.on('close', () => {
      streams.delete(sent);
      resolve(isTrue ? 'ended' : 'untrue');
    });
  });
}

/** What is not there in time is a hang; `work` may call the waiting off, since streams may be as long as they like. */
function withPatience(work) {
  let timer;
  const callOff = () => clearTimeout(timer);
  const late = new Promise((resolve) => {
    timer = setTimeout(() => resolve('hang'), patience);
  });
  return Promise.race([work(callOff), late]).finally(callOff);
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function client(name, port, one) {
  let token = signToken();
  for (let number = 1; !enough; number += 1) {
    const began = Date.now();
    const outcome = await one(`${name}-${port}-${number}`, token);
    if (name !== 'listen') longest = Math.max(longest, Date.now() - began);
    const key = `${name} ${port} ${outcome}`;
    counts[key] = (counts[key] ?? 0) + 1;
    if (outcome === '401') token = signToken();
    await pause(outcome === '200' ? 10 : 50);
  }
}

const kinds = {
  quick: { as: 'json' },
  slow: { as: 'json', wait: 700 },
  pieces: { as: 'pieces', wait: 300 },
  events: { as: 'events', wait: 400 },
};

const clients = [8083, 8084].flatMap((port) => {
  const asking = (name, kind, agent) =>
    client(name, port, (id, token) => withPatience(() => post(kind, port, agent, id, token)));
  return [
    asking('quick', kinds.quick, false),
    asking('quick', kinds.quick, false),
    asking('quick kept', kinds.quick, new Agent({ keepAlive: true, maxSockets: 1 })),
    asking('slow', kinds.slow, false),
    asking('slow', kinds.slow, false),
    asking('slow kept', kinds.slow, new Agent({ keepAlive: true, maxSockets: 1 })),
    asking('pieces', kinds.pieces, false),
    asking('events', kinds.events, false),
    asking('events', kinds.events, false),
    ...[1, 2].map(() =>
      client('listen', port, (_, token) => withPatience((begun) => listen(port, false, token, begun))),
    ),
  ];
});

process.stdin.resume().on('end', () => {
  enough = true;
  for (const stream of streams) stream.destroy();
});
await Promise.all(clients);
process.stdout.write(`${JSON.stringify({ counts, longest, examples })}\n`);
process.exit();
