/** What is answered to whoever connects. Loaded with the first connection: a run that nobody watches needs none of it. */
import { createServer, ServerResponse, STATUS_CODES, type IncomingMessage } from 'node:http';
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
  /** Everything that is known is handed over to whoever takes it; nobody is waited for any longer than `lastWait`. */
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
  frames.read(0, {
    take: (frame) => {
      events.push(() => feed.frame(frame));
      return true;
    },
    end: () => events.end(),
  });
  // Nobody has anything to say to us.
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1024, perMessageDeflate: false });
  return { sockets, events };
}

/**
 * Milliseconds at the end, when the run is over and its lock free. A page that reads has everything in a few; the rest
 * is for a machine that is busy, and the most that a page that does not read can cost.
 */
const lastWait = 250;

export function createAnswers({ capability, frames, stately, onProblem, patience }: AnswersOptions): Answers {
  const streams = new Set<ServerResponse | WebSocket>();
  let whenNone: () => void = () => undefined;
  const follow = (stream: ServerResponse | WebSocket): void => {
    streams.add(stream);
    const gone = (): void => {
      streams.delete(stream);
      if (streams.size === 0) whenNone();
    };
    // Of two unions of signatures none can be called.
    if (stream instanceof ServerResponse) stream.on('close', gone);
    else stream.on('close', gone);
  };
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
      follow(response);
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
        page.on('error', () => page.terminate());
        follow(page);
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
      // Who asked for them was told if they could not be loaded.
      await messages?.catch(() => undefined);
      frames.end();
      if (streams.size === 0) return;
      await new Promise<void>((resolve) => {
        const deadline = setTimeout(resolve, lastWait);
        whenNone = () => {
          clearTimeout(deadline);
          resolve();
        };
      });
    },
  };
}
