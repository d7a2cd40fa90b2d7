/** Requests that never end, that follow another one, or that carry headers meant for somebody else. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { suites } from './support/base.ts';
import { until } from './support/host.ts';
import { signAccessToken } from './support/oauth.ts';
import { expectAnswering } from './support/observe.ts';
import { ask, bearer, isForm, isJson } from './support/ask.ts';
import { Target } from './support/target.ts';

const wellKnown = '/.well-known/';
const metadata = [
  `${wellKnown}oauth-protected-resource`,
  `${wellKnown}oauth-protected-resource/mcp`,
  `${wellKnown}oauth-authorization-server`,
  `${wellKnown}oauth-authorization-server/mcp`,
  `${wellKnown}openid-configuration`,
  `${wellKnown}openid-configuration/mcp`,
  `/mcp${wellKnown}oauth-authorization-server`,
  `/mcp${wellKnown}openid-configuration`,
];
const deceptions: readonly (readonly string[])[] = [
  ['Host: evil.example'],
  ['Host: evil.example:443'],
  ['X-Forwarded-Host: evil.example', 'X-Forwarded-Proto: https', 'X-Forwarded-Port: 444'],
  ['X-Forwarded-For: 192.0.2.1', 'X-Real-IP: 192.0.2.1', 'True-Client-IP: 192.0.2.1'],
  ['Forwarded: for=192.0.2.1;host=evil.example;proto=https', 'Via: 1.1 evil.example'],
  ['X-Original-URL: /evil', 'X-Rewrite-URL: /evil', 'X-Original-Host: evil.example'],
  ['X-Forwarded-Prefix: /evil', 'X-Script-Name: /evil', 'X-HTTP-Method-Override: DELETE'],
];

describe.each(suites)('%s', (suite) => {
  let it: Target;
  beforeAll(async () => {
    it = await Target.on(suite, 'abuse-wire');
  });
  afterAll(() => it[Symbol.asyncDispose]());

  const good = (): string => bearer(signAccessToken(it.host));
  const seen = (): Promise<string> => it.host.must('cat /run/seen 2>/dev/null || true');

  test('metadata is the same whatever a request’s headers say of its host', async () => {
    for (const path of metadata) {
      const { body: right } = await it.answer(ask(`GET ${path}`));
      // Byte for byte what a client compares: one document under all names.
      const { issuer, resource } = JSON.parse(right) as { issuer?: string; resource?: string };
      expect({ issuer, resource }).toEqual(
        path.includes('protected')
          ? { issuer: undefined, resource: 'http://127.0.0.1:8084/mcp' }
          : { issuer: 'http://127.0.0.1:8084', resource: undefined },
      );
      for (const port of [8083, 8084]) {
        for (const headers of deceptions) {
          const target = port === 8084 ? `http://evil.example${path}` : path;
          const { status, body } = await it.answer(ask(`GET ${target}`, headers, undefined, port));
          expect({ target, headers, port, status, body }).toEqual({
            target,
            headers,
            port,
            status: 200,
            body: right,
          });
        }
      }
    }
  });

  test('half a request reaches no backend, however many there are, and keeps nobody out', async () => {
    const head = (...headers: readonly string[]): string =>
      ['POST /mcp HTTP/1.1', 'Host: x', isJson, good(), ...headers].join('\r\n');
    const halves = [
      'POST /mcp HT',
      head(),
      `${head('Content-Length: 100')}\r\n\r\n`,
      `${head('Content-Length: 100')}\r\n\r\n{`,
      `${head('Content-Length: 100', 'Expect: 100-continue')}\r\n\r\n`,
      `${head('Transfer-Encoding: chunked')}\r\n\r\n2\r\n{}\r\n`,
      `POST /token HTTP/1.1\r\nHost: x\r\n${isForm}\r\n${it.basic()}\r\nContent-Length: 100\r\n\r\ng`,
    ];
    for (const port of [8083, 8084])
      for (const text of halves) await it.wire.send({ port, text, halfOpen: true });
    await Promise.all(
      Array.from({ length: 1_000 }, () =>
        it.wire.send({ port: 8083, text: halves[3] ?? '', halfOpen: true }),
      ),
    );
    await until('all of them are open', async () =>
      Number(await it.host.must("ss -tnH state established 'sport = 8083' | wc -l")) >= 1_000
        ? true
        : undefined,
    );
    await expectAnswering(it.host);
    expect(await seen()).toBe('');
    expect((await it.answer(ask('POST /mcp', [isJson, good()], '{}'))).status).toBe(200);
    expect((await seen()).match(/\(connection\)/gu)).toHaveLength(1);
  });

  test('a body that does not come in time is told so, by the service through nginx as well, and reaches no backend', async () => {
    await it.host.write(
      '/run/systemd/system/mcp-oauth-proxy.service.d/impatient.conf',
      '[Service]\nEnvironment=BODY_TIMEOUT=2\n',
    );
    await it.host.must('systemctl daemon-reload && systemctl restart mcp-oauth-proxy.service; : >/run/seen');
    const slow = [
      `POST /mcp HTTP/1.1\r\nHost: x\r\n${isJson}\r\n${good()}\r\nContent-Length: 100\r\n\r\n{`,
      `POST /token HTTP/1.1\r\nHost: x\r\n${isForm}\r\n${it.basic()}\r\nContent-Length: 100\r\n\r\ng`,
      `POST /authorize HTTP/1.1\r\nHost: x\r\n${isForm}\r\nContent-Length: 100\r\n\r\nr`,
    ];
    const asked = [8083, 8084].flatMap((port) => slow.map((text) => ({ port, text })));
    const answers = (await Promise.all(asked.map((request) => it.wire.send(request)))).flat();
    const words = 'the request did not come within 2 seconds';
    const rpc = { jsonrpc: '2.0', id: null, error: { code: -32000, message: words } };
    const oauth = { error: 'invalid_request', error_description: words };
    expect(answers.map(({ status, body }) => [status, JSON.parse(body) as unknown])).toEqual(
      [rpc, oauth, oauth, rpc, oauth, oauth].map((body) => [408, body]),
    );
    expect(await seen()).toBe('');
  });

  test('a request that follows another one on its connection is judged by itself', async () => {
    const first = ask('GET /healthz', ['Connection: keep-alive', good()]);
    for (const port of [8083, 8084]) {
      const answers = await it.wire.send({ port, text: first.text + ask('POST /mcp', [isJson], '{}').text });
      expect(answers.map(({ status }) => status)).toEqual([200, 401]);
    }
  });

  test('what reaches the backend is what MCP needs, and MCP_TOKEN', async () => {
    await it.host.must(': >/run/seen');
    const odd = [
      'Mcp-Session-Id: a%0d%0aX-Evil: 1',
      'Mcp_Session_Id: b',
      'Cookie: canary=1',
      'X-Forwarded-For: 192.0.2.1',
      'X-Original-URL: /evil',
      'Authorization2: canary',
      'TE: trailers',
      'Trailer: Authorization',
    ];
    const token = good();
    for (const port of [8083, 8084])
      expect((await it.answer(ask('POST /mcp?canary=1', [isJson, token, ...odd], '{}', port))).status).toBe(
        200,
      );
    const requests = (await seen()).split('(connection)\n').slice(1);
    expect(requests).toHaveLength(2);
    for (const request of requests) {
      const [line, ...headers] = request.split('\r\n\r\n')[0]?.toLowerCase().split('\r\n') ?? [];
      expect(line).toBe('post /mcp http/1.1');
      expect(
        headers.filter((header) => !/^(?:host|accept|connection|user-agent):/u.test(header)).sort(),
      ).toEqual([
        'accept-encoding: identity',
        `authorization: bearer ${it.secrets.MCP_TOKEN}`.toLowerCase(),
        'content-length: 2',
        isJson.toLowerCase(),
        'mcp-session-id: a%0d%0ax-evil: 1',
      ]);
    }
    expect(await it.journal()).not.toContain('Traceback');
  });

  test('an id that is half of a character comes back as it was sent, where the backend does not answer', async () => {
    await it.host.must("kill $(ss -tlnpH 'sport = :8000' | grep -o 'pid=[0-9]*' | cut -d= -f2)");
    const answer = await it.answer(
      ask('POST /mcp', [isJson, good()], '{"jsonrpc":"2.0","id":"\\ud800","method":"x"}'),
    );
    expect(answer.status).toBe(502);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.body).toContain('"id":"\\ud800"');
    expect(await it.journal()).not.toContain('Traceback');
  });
});
