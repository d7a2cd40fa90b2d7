/**
 * The inspector's server: on 127.0.0.1 only, for whoever has the capability in its address, and never waited for.
 *
 * It keeps no process alive by itself, and what it is asked cannot end the program.
 */
import {
  createServer,
  STATUS_CODES,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { judge, newCapability, type Verdict } from './access.ts';
import type { Frame } from './frames.ts';
import { Log } from './log.ts';
import { commonHeaders, pageOf } from './pages.ts';
import { streamEvents, streamMessages } from './streams.ts';

export interface ServerOptions {
  /** 0: any that is free. */
  readonly port: number;
  readonly frames: Log<Frame>;
  /** Address of the Stately inspector's page. */
  readonly stately: URL;
  /** Hears what went wrong in answering; whoever asked is told no more than that it did. */
  readonly onProblem: (error: unknown) => void;
}

export interface InspectorServer {
  readonly port: number;
  /** Ends with the capability and a slash. */
  readonly url: string;
  /** From now on it keeps the process alive. */
  keep(): void;
  /** What was handed over is on its way; whoever has not taken the rest does not get it. */
  close(): Promise<void>;
}

const address = '127.0.0.1';

/** Pages and their streams; far more than one person opens. */
const maxConnections = 100;

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

/** Listens, or tells why it cannot. */
function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: address, port }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
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

/** @throws system errors (EADDRINUSE, EACCES …) where it cannot listen */
export async function openServer({
  port,
  frames,
  stately,
  onProblem,
}: ServerOptions): Promise<InspectorServer> {
  const capability = newCapability();
  const sockets = new Set<Socket>();
  const pages = new Set<WebSocket>();
  const verdictOn = (request: IncomingMessage): Verdict =>
    judge(askedBy(request), capability, stately.origin);

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
  server.maxConnections = maxConnections;
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    upgrade(request, socket, head).catch((error: unknown) => {
      onProblem(error);
      socket.destroy();
    });
  });
  server.on('connection', (socket: Socket) => {
    socket.unref();
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const taken = await listen(server, port);
  server.on('error', onProblem);
  server.unref();
  return {
    port: taken,
    url: `http://${address}:${taken}/${capability}/`,
    keep: () => void server.ref(),
    close: async () => {
      server.close();
      frames.flush();
      (await messages)?.events.flush();
      for (const page of pages) page.close(1001);
      for (const socket of sockets) socket.end();
      // Written, that is in the system's hands, or not taken at all.
      await new Promise((resolve) => setImmediate(resolve));
      for (const socket of sockets) socket.destroy();
    },
  };
}
