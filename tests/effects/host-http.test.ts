/** One request to an address of this host: what is sent, what comes back, and what is told where nothing does. */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { requestHttp } from '../../src/effects/host/http.ts';
import { temporaryRoot } from '../support/installer.ts';

const address = '127.0.0.1';

async function listening(server: Server): Promise<AsyncDisposable & { readonly port: number }> {
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

const served = (listener: RequestListener) => listening(createServer(listener));
/** Never answers. */
const silent = () => served(() => undefined);

/** Answers with what it was asked. */
const mirror: RequestListener = (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { method, url, headers } = request;
    const asked = { method, url, headers, body: Buffer.concat(chunks).toString() };
    response.writeHead(203, { 'x-one': '1', 'set-cookie': ['a', 'b'] }).end(JSON.stringify(asked));
  });
};

describe('a request', () => {
  test('goes out as it was asked for, and its answer comes back whole', async () => {
    await using server = await served(mirror);
    const { port } = server;
    const headers = { 'x-asked': 'yes' };
    const answer = await requestHttp({ address, port, path: '/a?b', method: 'POST', headers, body: 'sent' });
    expect(answer).toMatchObject({ ok: true, status: 203, headers: { 'x-one': '1', 'set-cookie': 'a,b' } });
    expect(Object.keys(answer)).toEqual(['ok', 'status', 'headers', 'body']);
    expect(JSON.parse(answer.ok ? answer.body : '')).toMatchObject({
      method: 'POST',
      url: '/a?b',
      headers: { 'x-asked': 'yes', connection: 'close' },
      body: 'sent',
    });
  });

  test('is a GET where nothing else is said', async () => {
    await using server = await served(mirror);
    const answer = await requestHttp({ address, port: server.port, path: '/' });
    expect(JSON.parse(answer.ok ? answer.body : '')).toMatchObject({ method: 'GET', body: '' });
  });

  test('follows no redirect', async () => {
    await using server = await served((_, response) => response.writeHead(302, { location: '/b' }).end());
    const answer = await requestHttp({ address, port: server.port, path: '/' });
    expect(answer).toMatchObject({ ok: true, status: 302, headers: { location: '/b' }, body: '' });
  });
});

describe('of an answer', () => {
  test('64 KiB are read whole', async () => {
    await using server = await served((_, response) => response.end('a'.repeat(64 * 1024)));
    const answer = await requestHttp({ address, port: server.port, path: '/' });
    expect(answer.ok && answer.body.length).toBe(64 * 1024);
  });

  test('that never ends no more is read than is of use', async () => {
    await using server = await served((_, response) => {
      const more = (): void => {
        while (response.write('a'.repeat(10_000)));
      };
      response.on('drain', more);
      more();
    });
    const answer = await requestHttp({ address, port: server.port, path: '/' });
    const { length } = answer.ok ? answer.body : '';
    expect([answer.ok, length > 64 * 1024, length < 1024 * 1024]).toEqual([true, true, true]);
  });

  test('that breaks off the reason is told', async () => {
    await using server = await served((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('a', () => response.destroy());
    });
    const answer = await requestHttp({ address, port: server.port, path: '/' });
    expect(answer).toEqual({ ok: false, why: 'ECONNRESET' });
  });
});

describe('no answer', () => {
  test('comes from a port on which nobody listens', async () => {
    const { port } = await (async () => {
      await using server = await silent();
      return server;
    })();
    expect(await requestHttp({ address, port, path: '/' })).toEqual({ ok: false, why: 'ECONNREFUSED' });
  });

  test('comes in the time that is given', async () => {
    await using server = await silent();
    const answer = await requestHttp({ address, port: server.port, path: '/', timeout: 30 });
    expect(answer).toEqual({ ok: false, why: 'no answer within 0.03 s' });
  });

  test('comes at once where the wait is given up', async () => {
    await using server = await silent();
    const signal = AbortSignal.abort();
    const answer = await requestHttp({ address, port: server.port, path: '/', signal });
    expect(answer).toEqual({ ok: false, why: 'no answer within 5 s' });
  });
});

describe('over TLS', () => {
  const withCertificate = () => {
    const root = temporaryRoot();
    const [key, cert] = ['key', 'cert'].map((name) => path.join(root.path, name)) as [string, string];
    const subject = ['-subj', '/CN=mcp.example.org', '-nodes', '-days', '2'];
    const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-keyout', key, '-out', cert];
    execFileSync('openssl', ['req', '-x509', ...subject, ...made], { stdio: 'ignore' });
    const files = { key: readFileSync(key), cert: readFileSync(cert) };
    root[Symbol.dispose]();
    return files;
  };

  test('the certificate is shown where it need not be judged, and refused where it must', async () => {
    const files = withCertificate();
    const names: string[] = [];
    const tlsServer = createTlsServer(
      {
        ...files,
        SNICallback: (name, done) => {
          names.push(name);
          done(null);
        },
      },
      (_, response) => response.end('hello'),
    );
    await using server = await listening(tlsServer);
    const { raw, fingerprint256 } = new X509Certificate(files.cert);
    const ask = (judged: boolean) =>
      requestHttp({ address, port: server.port, path: '/', tls: { serverName: 'mcp.example.org', judged } });
    expect(await ask(false)).toMatchObject({
      ok: true,
      status: 200,
      body: 'hello',
      certificate: fingerprint256,
      certificateBytes: raw,
    });
    expect(await ask(true)).toEqual({ ok: false, why: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    expect(new Set(names)).toEqual(new Set(['mcp.example.org']));
  });
});
