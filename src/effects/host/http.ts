/** One HTTP request to an address of this host, without a proxy, a redirect or a name lookup. */
import type { IncomingMessage } from 'node:http';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { errnoOf } from '../../errno.ts';
import type { HttpAnswer, HttpRequest } from './port.ts';

const defaultTimeout = 5_000;

/** Answers that are looked at are small; what comes after this is not read. */
const maxBody = 64 * 1024;

/** Asked for at once: the connection is gone when the body has been read. */
function certificateOf({ socket }: IncomingMessage): {
  readonly certificate?: string;
  readonly certificateBytes?: Uint8Array;
} {
  const shown: Partial<PeerCertificate> = (socket as Partial<TLSSocket>).getPeerCertificate?.() ?? {};
  return shown.fingerprint256 === undefined || shown.raw === undefined
    ? {}
    : { certificate: shown.fingerprint256, certificateBytes: shown.raw };
}

function read(message: IncomingMessage, settle: (answer: HttpAnswer) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  const certificate = certificateOf(message);
  const done = (): void => {
    const headers = Object.entries(message.headers).map(([name, value]): [string, string] => [
      name,
      String(value),
    ]);
    settle({
      ok: true,
      status: message.statusCode ?? 0,
      headers: Object.fromEntries(headers),
      body: Buffer.concat(chunks).toString(),
      ...certificate,
    });
  };
  message.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxBody) {
      message.destroy();
      done();
    }
  });
  message.on('end', done);
  message.on('error', (error) => settle({ ok: false, why: errnoOf(error) }));
}

/** Never throws: no answer is an answer too, told by its reason. */
export async function requestHttp(request: HttpRequest): Promise<HttpAnswer> {
  const client = request.tls === undefined ? await import('node:http') : await import('node:https');
  const timeout = request.timeout ?? defaultTimeout;
  return new Promise((settle) => {
    const outgoing = client.request(
      {
        host: request.address,
        port: request.port,
        path: request.path,
        method: request.method ?? 'GET',
        headers: { connection: 'close', ...request.headers },
        agent: false,
        // Else Node judges by a large regular expression whether the Host header is an address, which only TLS needs.
        servername: '',
        signal: AbortSignal.any([
          AbortSignal.timeout(timeout),
          ...(request.signal === undefined ? [] : [request.signal]),
        ]),
        ...(request.tls === undefined
          ? {}
          : { rejectUnauthorized: request.tls.judged, servername: request.tls.serverName }),
      },
      (message) => read(message, settle),
    );
    outgoing.on('error', (error) => {
      const why =
        error.name === 'TimeoutError' || error.name === 'AbortError'
          ? `no answer within ${timeout / 1000} s`
          : errnoOf(error);
      settle({ ok: false, why });
    });
    outgoing.end(request.body);
  });
}
