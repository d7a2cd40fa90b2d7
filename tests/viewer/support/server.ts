/** The inspector's own server behind a line that can be cut, as by `ssh -L`; frames go out when the test sends them. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Frame } from '../../../src/inspector/frames.ts';
import { Log } from '../../../src/inspector/log.ts';
import { openServer } from '../../../src/inspector/server.ts';

/** Connections to one port are passed on to another. */
class Line {
  private server: Server | null = null;
  private readonly sockets = new Set<Socket>();
  private readonly target: number;
  /** Heads of requests, as they passed. */
  readonly heads: string[] = [];
  port = 0;

  constructor(target: number) {
    this.target = target;
  }

  async lay(): Promise<void> {
    const server = createServer((near) => {
      const far = connect(this.target, '127.0.0.1');
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.sockets.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => {
          this.sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
      near.on('data', (bytes) => this.heads.push(bytes.toString('latin1')));
    });
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }

  async cut(): Promise<void> {
    const { server } = this;
    this.server = null;
    const closed = new Promise((resolve) => server?.close(resolve) ?? resolve(null));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }
}

export interface ViewerServer extends AsyncDisposable {
  readonly url: string;
  /** Paths that were asked for below the page's own, in order. */
  readonly requests: readonly string[];
  /** What each request for events said it had. */
  readonly lastEventIds: readonly (string | null)[];
  send(...frames: readonly Frame[]): void;
  /** The line is cut, and laid again: the server does not notice more than that. */
  cut(): Promise<void>;
  lay(): Promise<void>;
  /** The program that served the page ends. */
  close(): Promise<void>;
}

/** @param frames those that are there before anybody looks */
export async function serveViewer(frames: readonly Frame[] = []): Promise<ViewerServer> {
  const log = new Log<Frame>();
  const problems: unknown[] = [];
  const server = await openServer({
    port: 0,
    frames: log,
    stately: new URL('https://stately.ai/inspect'),
    onProblem: (problem) => problems.push(problem),
  });
  const line = new Line(server.port);
  await line.lay();
  const send = (...more: readonly Frame[]): void => log.push(() => more);
  send(...frames);
  const { pathname } = new URL(server.url);
  const asked = (): readonly string[] =>
    line.heads.flatMap((head) => /^GET (\S+)/u.exec(head)?.[1]?.replace(pathname, '/') ?? []);
  const close = async (): Promise<void> => {
    await server.close();
    await line.cut();
    if (problems.length > 0) throw new Error('The server had problems.', { cause: problems[0] });
  };
  return {
    url: `http://127.0.0.1:${line.port}${pathname}`,
    get requests() {
      return asked();
    },
    get lastEventIds() {
      return line.heads
        .filter((head) => head.startsWith(`GET ${pathname}events`))
        .map((head) => /^last-event-id: (\d+)/imu.exec(head)?.[1] ?? null);
    },
    send,
    cut: () => line.cut(),
    lay: () => line.lay(),
    close,
    [Symbol.asyncDispose]: close,
  };
}
