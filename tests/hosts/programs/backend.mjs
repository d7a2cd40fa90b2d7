/**
 * An MCP backend on port 8000 that does what each request asks of it: `params` of a POST tell how long it takes (`wait`,
 * ms), how large the answer is (`bytes`) and of which kind (`as`): `json`, `pieces` (the same without a length, bit by bit)
 * or `events` (a stream of two notifications and the answer). A GET is a stream with an event every 50 ms, or as many as
 * `Mcp-Test-Interval` says.
 */
import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

const answerTo = ({ id, params: { mark, bytes = 4096 } = {} }) =>
  JSON.stringify({ jsonrpc: '2.0', id, result: { mark, padding: 'x'.repeat(bytes) } });

const event = (text) => `event: message\ndata: ${text}\n\n`;
const notification = event('{"jsonrpc":"2.0","method":"notifications/progress"}');

const ways = {
  async json(message, response, wait) {
    if (wait > 0) await pause(wait);
    const text = answerTo(message);
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    });
    response.end(text);
  },
  async pieces(message, response, wait) {
    response.writeHead(200, { 'content-type': 'application/json' });
    for (const piece of answerTo(message).match(/.{1,500}/gu)) {
      response.write(piece);
      await pause(wait / 10);
    }
    response.end();
  },
  async events(message, response, wait) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(notification);
    await pause(wait / 2);
    response.write(notification);
    await pause(wait / 2);
    response.end(event(answerTo(message)));
  },
};

function listen(response, interval) {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  let number = 0;
  const tick = () => {
    number += 1;
    response.write(event(JSON.stringify({ jsonrpc: '2.0', method: 'tick', params: { number } })));
  };
  const timer = setInterval(tick, interval);
  response.once('close', () => clearInterval(timer));
  tick();
}

createServer((request, response) => {
  if (request.method === 'GET') {
    listen(response, Number(request.headers['mcp-test-interval'] ?? 50));
    return;
  }
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    const message = JSON.parse(Buffer.concat(parts).toString() || '{}');
    const { as = 'json', wait = 0 } = message.params ?? {};
    void ways[as](message, response, wait);
  });
}).listen(8000, '127.0.0.1');
