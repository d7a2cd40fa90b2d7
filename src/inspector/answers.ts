/** What is answered to whoever connects. Loaded with the first connection: a run that nobody watches needs none of it. */
import { createServer, STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { judge, type Verdict } from './access.ts';
import type { Frame } from './frames.ts';
import { Log } from './log.ts';
import { commonHeaders, pageOf } from './pages.ts';
import { streamEvents, streamMessages } from './streams.ts';

export interface AnswersOptions {
  readonly capability: string;
  readonly frames: Log<Frame>;
  readonly stately: URL;
  readonly onProblem: (error: unknown) => void;
  /** Milliseconds in which a connection has to show the capability. */
  readonly patience: number;
}

export interface Answers {
  take(socket: Socket): void;
  /** Everything that is known is handed over. */
  finish(): Promise<void>;
}

const askedBy = ({ method = '', url = '', headers }: IncomingMessage) => ({
  method,
  target: url,
  host: headers.host,
  origin: headers.origin,
});

const textHeaders = (text: string) => ({
  ...commonHeaders,
  'Content-Type': 'text/plain; charset=utf-8',
  'Content-Length': Buffer.byteLength(text),
});

function refuse(
  response: ServerResponse,
  status: number,
  why: string,
  more: Record<string, string> = {},
): void {
  response.writeHead(status, { ...textHeaders(`${why}\n`), ...more });
  response.end(`${why}\n`);
}

/** On a connection that asked for a WebSocket there is no response object. */
function refuseUpgrade(socket: Duplex, status: number, why: string): void {
  const headers = Object.entries({ ...textHeaders(`${why}\n`), Connection: 'close' });
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines}\r\n${why}\n`);
}

/** Loaded with the first page that asks for it. */
async function createMessages(frames: Log<Frame>) {
  const [{ WebSocketServer }, { createStatelyFeed }] = await Promise.all([
    import('ws'),
    import('./stately.ts'),
  ]);
  const feed = createStatelyFeed();
  const events = new Log<ReturnType<typeof feed.frame>[number]>();
  frames.read(0, (frame) => {
    events.push(() => feed.frame(frame));
    return true;
  });
  // Nobody has anything to say to us.
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1024, perMessageDeflate: false });
  return { sockets, events };
}

export function createAnswers({ capability, frames, stately, onProblem, patience }: AnswersOptions): Answers {
  const pages = new Set<WebSocket>();
  /** Node looks after slow requests only where its own server listens; without an end they would take every place. */
  const deadlines = new WeakMap<Socket, NodeJS.Timeout>();
  const verdictOn = (request: IncomingMessage): Verdict => {
    const verdict = judge(askedBy(request), capability, stately.origin);
    if (verdict.status === 200) clearTimeout(deadlines.get(request.socket));
    return verdict;
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const verdict = verdictOn(request);
    if (verdict.status !== 200) {
      refuse(response, verdict.status, verdict.why, verdict.status === 405 ? { Allow: 'GET' } : {});
    } else if (verdict.route === 'events') {
      streamEvents(frames, request, response);
    } else {
      const page = await pageOf(verdict.route, stately);
      if (page === null) {
        refuse(response, 404, 'Nothing is here.');
      } else {
        const { type, body, policy } = page;
        const headers = { ...textHeaders(body), 'Content-Type': type, 'Content-Security-Policy': policy };
        response.writeHead(200, headers);
        response.end(body);
      }
    }
  };

  let messages: ReturnType<typeof createMessages> | null = null;
  const upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const verdict = verdictOn(request);
    if (verdict.status !== 200) {
      refuseUpgrade(socket, verdict.status, verdict.why);
    } else if (verdict.route !== 'stately/ws') {
      refuseUpgrade(socket, 404, 'Nothing is here.');
    } else {
      const { sockets: server, events } = await (messages ??= createMessages(frames));
      server.handleUpgrade(request, socket, head, (page) => {
        pages.add(page);
        page.on('error', () => page.terminate());
        page.on('close', () => pages.delete(page));
        streamMessages(events, page);
      });
    }
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      onProblem(error);
      response.destroy();
    });
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    upgrade(request, socket, head).catch((error: unknown) => {
      onProblem(error);
      socket.destroy();
    });
  });
  return {
    take: (socket) => {
      const deadline = setTimeout(() => socket.destroy(), patience).unref();
      deadlines.set(socket, deadline);
      socket.on('close', () => clearTimeout(deadline));
      server.emit('connection', socket);
    },
    finish: async () => {
      frames.flush();
      (await messages)?.events.flush();
      for (const page of pages) page.close(1001);
    },
  };
}
