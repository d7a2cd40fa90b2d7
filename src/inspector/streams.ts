/** The two ways in which items of a log reach a page: server-sent events, and messages of a WebSocket. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { WebSocket } from 'ws';
import { commonHeaders } from './pages.ts';
import type { Log } from './log.ts';

/** A page that lost its connection says what it has; anybody else gets everything. */
function firstWanted(request: IncomingMessage): number {
  const last = request.headers['last-event-id'];
  return typeof last === 'string' && /^\d{1,9}$/u.test(last) ? Number(last) + 1 : 0;
}

/** One item an event, whose id is its position. */
export function streamEvents<T>(log: Log<T>, request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { ...commonHeaders, 'Content-Type': 'text/event-stream', Connection: 'close' });
  response.flushHeaders();
  const reading = log.read(firstWanted(request), {
    take: (item, at) => response.write(`id: ${at}\ndata: ${JSON.stringify(item)}\n\n`),
    // Of a stream that is cut off instead, browsers may drop what they have received and not yet read.
    end: () => response.end(),
  });
  response.on('drain', () => reading.resume());
  response.on('close', () => reading.stop());
}

/** Bytes that wait for a page that is slow; it gets more when it has taken some of them. */
const mostWaiting = 64 * 1024;

/** RFC 6455, section 7.4.1: the server goes down. */
const goingAway = 1001;

/** One item a message. What the page says is not listened to. */
export function streamMessages<T>(log: Log<T>, socket: WebSocket): void {
  const reading = log.read(0, {
    take: (item) => {
      socket.send(JSON.stringify(item), () => reading.resume());
      return socket.bufferedAmount < mostWaiting;
    },
    end: () => socket.close(goingAway),
  });
  socket.on('close', () => reading.stop());
}
