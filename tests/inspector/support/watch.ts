/** Whoever watches: a browser's requests, event streams and WebSockets, as bytes on the wire. */
import { request, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { Frame } from '../../../src/inspector/frames.ts';
import { openInspector, type Inspector, type InspectorOptions } from '../../../src/inspector/index.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** As it is sent, instead of the one in the address. */
  readonly path?: string;
}

const send = (
  url: string,
  { method = 'GET', headers = {}, path }: AskOptions,
  onAnswer: (answer: IncomingMessage) => void,
) => {
  const asked = request(
    url,
    { method, headers, agent: false, ...(path === undefined ? {} : { path }) },
    onAnswer,
  );
  asked.end();
  return asked;
};

export function ask(url: string, options: AskOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    send(url, options, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (text: string) => (body += text));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }));
    }).on('error', reject);
  });
}

/** What came on a connection, piece by piece, and a wait for more. */
class Received<T> {
  readonly items: T[] = [];
  ended = false;
  private look: () => void = () => undefined;

  add(item: T): void {
    this.items.push(item);
    this.look();
  }

  end(): void {
    this.ended = true;
    this.look();
  }

  /** @throws Error where the connection ends before */
  until(enough: (items: readonly T[]) => boolean): Promise<readonly T[]> {
    return new Promise((resolve, reject) => {
      this.look = () => {
        if (enough(this.items)) resolve([...this.items]);
        else if (this.ended) reject(new Error(`ended after ${this.items.length} items`));
      };
      this.look();
    });
  }

  untilEnd(): Promise<readonly T[]> {
    return new Promise((resolve) => {
      this.look = () => {
        if (this.ended) resolve([...this.items]);
      };
      this.look();
    });
  }
}

export interface Stream extends Disposable {
  readonly frames: Received<{ readonly id: number; readonly frame: Frame }>;
  /** Every byte that came. */
  readonly wire: () => string;
  /** It came to its proper end, and was not cut off. */
  readonly complete: () => boolean;
}

export function stream(url: string, headers: Readonly<Record<string, string>> = {}): Stream {
  const frames = new Received<{ id: number; frame: Frame }>();
  let wire = '';
  let rest = '';
  let complete = false;
  const asked = send(`${url}events`, { headers }, (answer) => {
    answer.setEncoding('utf8').on('data', (text: string) => {
      wire += text;
      const parts = `${rest}${text}`.split('\n\n');
      rest = parts.pop() ?? '';
      for (const part of parts) {
        const [, id = '', data = ''] = /^id: (\d+)\ndata: (.*)$/u.exec(part) ?? [];
        frames.add({ id: Number(id), frame: JSON.parse(data) as Frame });
      }
    });
    answer.on('end', () => (complete = answer.complete));
    answer.on('error', () => undefined);
    answer.on('close', () => frames.end());
  });
  asked.on('error', () => frames.end());
  return { frames, wire: () => wire, complete: () => complete, [Symbol.dispose]: () => void asked.destroy() };
}

export interface Messages extends Disposable {
  readonly received: Received<unknown>;
  readonly wire: () => string;
}

export function messages(url: string, origin?: string): Messages {
  const received = new Received<unknown>();
  let wire = '';
  const socket = new WebSocket(
    `${url.replace('http', 'ws')}stately/ws`,
    origin === undefined ? {} : { origin },
  );
  socket.on('message', (data: Buffer) => {
    const text = data.toString('utf8');
    wire += `${text}\n`;
    received.add(JSON.parse(text));
  });
  socket.on('close', () => received.end());
  socket.on('error', () => received.end());
  return { received, wire: () => wire, [Symbol.dispose]: () => socket.terminate() };
}

/** Asks for the stream and reads nothing of it, ever. Resolves when it is connected. */
export function neverReads(url: string): Promise<Socket> {
  const { host, port, pathname } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: Number(port) }, () => {
      socket.pause();
      socket.write(`GET ${pathname}events HTTP/1.1\r\nHost: ${host}\r\n\r\n`, () => resolve(socket));
    });
    socket.on('error', reject);
  });
}

export const last = (items: readonly { readonly frame: Frame }[]): boolean =>
  items.at(-1)?.frame.kind === 'ended';

export interface Opened extends AsyncDisposable {
  readonly inspector: Inspector;
  readonly problems: readonly unknown[];
}

/** An inspector of its own on a port that is free. */
export async function opened(options: Partial<InspectorOptions> = {}): Promise<Opened> {
  const problems: unknown[] = [];
  const inspector = await openInspector({
    port: 0,
    stately: new URL('https://stately.ai/inspect'),
    about: { source: 'live', product: 'mcp-oauth-proxy', root: '/', dryRun: false },
    onProblem: (problem) => problems.push(problem),
    ...options,
  });
  return { inspector, problems, [Symbol.asyncDispose]: () => inspector.close() };
}
