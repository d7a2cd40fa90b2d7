/** Is the backend there? Every answer but one of a server that is down says yes. */
import { describe, expect, test } from 'vitest';
import { askBackend } from '../../src/effects/backend.ts';
import { createMemoryHost } from '../../src/effects/host/memory.ts';
import type { HttpAnswer, HttpRequest } from '../../src/effects/host/port.ts';

interface Asked {
  readonly reachable: boolean;
  readonly why: string | null;
  readonly requests: readonly HttpRequest[];
}

async function asked(url: string, answer: (request: HttpRequest) => HttpAnswer, names = ''): Promise<Asked> {
  const requests: HttpRequest[] = [];
  const host = createMemoryHost({
    command: () => ({ exitCode: names === '' ? 2 : 0, stdout: names, stderr: '' }),
    http: (request) => {
      requests.push(request);
      return answer(request);
    },
  });
  const { reachable, why } = await askBackend(host, url, 3_000);
  return { reachable, why, requests };
}

const status = (code: number) => (): HttpAnswer => ({ ok: true, status: code, headers: {}, body: '' });

describe('a backend', () => {
  test.each([200, 204, 400, 401, 404, 405, 406, 500])('that answers %d is there', async (code) => {
    expect(await asked('http://127.0.0.1:8000/mcp', status(code))).toMatchObject({
      reachable: true,
      why: null,
    });
  });

  test.each([502, 503, 504])('before which something answers %d is not', async (code) => {
    expect(await asked('http://127.0.0.1:8000/mcp', status(code))).toMatchObject({
      reachable: false,
      why: `it answers ${code}`,
    });
  });

  test('is asked at its own path, with nothing that tells who asks', async () => {
    const { requests } = await asked('http://127.0.0.1:8000/mcp?x=y', status(405));
    expect(requests).toMatchObject([
      {
        address: '127.0.0.1',
        port: 8000,
        path: '/mcp?x=y',
        method: 'OPTIONS',
        headers: { host: '127.0.0.1:8000' },
      },
    ]);
    expect(requests[0]?.body).toBeUndefined();
  });

  test('with several addresses is there where one of them answers', async () => {
    const names = '192.0.2.1 STREAM backend.example.org\n192.0.2.1 DGRAM\n2001:db8::1 STREAM\n';
    const found = await asked(
      'https://backend.example.org/mcp',
      (request) => (request.address === '2001:db8::1' ? status(200)() : { ok: false, why: 'ECONNREFUSED' }),
      names,
    );
    expect(found.reachable).toBe(true);
    expect(
      found.requests.map(({ address, port, tls }) => ({ address, port, name: tls?.serverName })),
    ).toEqual([
      { address: '192.0.2.1', port: 443, name: 'backend.example.org' },
      { address: '2001:db8::1', port: 443, name: 'backend.example.org' },
    ]);
  });

  test('whose name leads nowhere is not asked', async () => {
    expect(await asked('https://backend.example.org/mcp', status(200))).toEqual({
      reachable: false,
      why: 'its name leads to no address',
      requests: [],
    });
  });

  test('on localhost is looked for on both', async () => {
    const { requests } = await asked('http://localhost:8000/mcp', status(200));
    expect(requests.map(({ address }) => address)).toEqual(['127.0.0.1', '::1']);
  });
});
