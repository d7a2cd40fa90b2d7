/** The page and its events under the test's control: frames go out when the test sends them. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Frame } from '../../../src/inspector/frames.ts';
import { viewerAssets } from '../../../src/viewer/assets.ts';

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:";

export interface ViewerServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Paths that were asked for, in order. */
  readonly requests: readonly string[];
  /** What each request for events said it had. */
  readonly lastEventIds: readonly (string | null)[];
  send(...frames: readonly Frame[]): void;
  /** Ends the connections, as a network would; the server stays. */
  drop(): void;
  close(): Promise<void>;
}

export interface ServerOptions {
  /** 0: any that is free. */
  readonly port?: number;
  readonly frames?: readonly Frame[];
}

export async function serveViewer({ port = 0, frames = [] }: ServerOptions = {}): Promise<ViewerServer> {
  const sent: Frame[] = [...frames];
  const listeners = new Set<ServerResponse>();
  const requests: string[] = [];
  const lastEventIds: (string | null)[] = [];
  const { html, js, css } = viewerAssets();
  const files: Readonly<Record<string, readonly [string, string]>> = {
    '/': ['text/html', html],
    '/viewer.js': ['text/javascript', js],
    '/viewer.css': ['text/css', css],
  };
  const write = (response: ServerResponse, id: number): void => {
    response.write(`id: ${id}\ndata: ${JSON.stringify(sent[id])}\n\n`);
  };
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    requests.push(path);
    const file = files[path];
    if (path === '/events') {
      const { 'last-event-id': last } = request.headers;
      lastEventIds.push(typeof last === 'string' ? last : null);
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      response.write('retry: 50\n\n');
      for (let id = last === undefined ? 0 : Number(last) + 1; id < sent.length; id += 1) write(response, id);
      listeners.add(response);
      response.on('close', () => listeners.delete(response));
    } else if (file === undefined) response.writeHead(404).end();
    else {
      const [type, text] = file;
      response.writeHead(200, {
        'content-type': `${type}; charset=utf-8`,
        'content-security-policy': policy,
        'x-content-type-options': 'nosniff',
      });
      response.end(text);
    }
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  return {
    url: `http://127.0.0.1:${address.port}/`,
    port: address.port,
    requests,
    lastEventIds,
    send: (...more) => {
      for (const frame of more) {
        sent.push(frame);
        for (const response of listeners) write(response, sent.length - 1);
      }
    },
    drop: () => {
      for (const response of listeners) response.destroy();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
