/** Who is answered, and who is not: foreign names, foreign pages, other users, other methods, other interfaces. */
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, messages, opened, type Opened } from './support/watch.ts';

let open: Opened;
let url: string;
let at: string;
beforeAll(async () => {
  open = await opened();
  ({ url } = open.inspector);
  at = new URL(url).host;
});
afterAll(() => open[Symbol.asyncDispose]());

const status = async (path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') =>
  (await ask(new URL(path, url).href, { headers, method })).status;

/** A page that is refused never gets a message, and is told nothing. */
const upgrade = (path: string, headers: Readonly<Record<string, string>> = {}) =>
  status(path, {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
  });

const everything = ['', 'viewer.js', 'viewer.css', 'stately', 'stately.js', 'stately.css'];

describe('a name that is not this machine’s loopback is refused, whatever is asked for:', () => {
  test.each([
    'attacker.example',
    'attacker.example:7433',
    '127.0.0.1.attacker.example',
    'localhost.attacker.example',
    '127.0.0.2',
    '0.0.0.0',
    '[::]',
    'localhost:7433@attacker.example',
    'localhost:',
  ])('%s', async (host) => {
    for (const path of [...everything, 'events']) expect(await status(path, { Host: host })).toBe(403);
    expect(await upgrade('stately/ws', { Host: host })).toBe(403);
  });
});

test('a request that names no host at all is refused', async () => {
  const answer = await new Promise<string>((resolve, reject) => {
    let text = '';
    const socket = connect({ host: '127.0.0.1', port: open.inspector.port }, () =>
      socket.write(`GET ${new URL(url).pathname} HTTP/1.0\r\n\r\n`),
    );
    socket.setEncoding('utf8').on('data', (data: string) => (text += data));
    socket.on('end', () => resolve(text)).on('error', reject);
  });
  expect(answer).toMatch(/^HTTP\/1\.1 403 /u);
});

test.each(['127.0.0.1', '127.0.0.1:9999', 'localhost', 'LOCALHOST:1', '[::1]:7433'])(
  '%s is this machine, at any port: ssh -L may end at another one',
  async (host) => {
    for (const path of everything) expect(await status(path, { Host: host })).toBe(200);
  },
);

describe('a page from elsewhere is refused, whatever it asks for:', () => {
  test.each([
    'https://attacker.example',
    'null',
    'http://127.0.0.1:1',
    'http://localhost:1',
    'http://stately.ai',
    'https://stately.ai.attacker.example',
    'https://stately.ai:444',
    'https://stately.ai/',
    'https://editor.stately.ai',
  ])('%s', async (origin) => {
    for (const path of [...everything, 'events']) expect(await status(path, { Origin: origin })).toBe(403);
    expect(await upgrade('stately/ws', { Origin: origin })).toBe(403);
    using page = messages(url, origin);
    expect(await page.received.untilEnd()).toEqual([]);
  });
});

test('its own page and the Stately page that is configured may ask', async () => {
  for (const origin of [`http://${at}`, 'https://stately.ai']) {
    for (const path of everything) expect(await status(path, { Origin: origin })).toBe(200);
  }
  expect(await status('', { Host: 'localhost:9000', Origin: 'http://localhost:9000' })).toBe(200);
  expect(await status('', { Host: 'localhost:9000', Origin: `http://${at}` })).toBe(403);
});

test('another configured page is the one that may ask, and then Stately’s is not', async () => {
  await using own = await opened({ stately: new URL('http://127.0.0.1:4000/inspect?x=1') });
  const asked = async (origin: string) =>
    (await ask(own.inspector.url, { headers: { Origin: origin } })).status;
  expect([await asked('http://127.0.0.1:4000'), await asked('https://stately.ai')]).toEqual([200, 403]);
  const { headers, body } = await ask(`${own.inspector.url}stately`);
  expect(headers['content-security-policy']).toContain('frame-src http://127.0.0.1:4000');
  expect(body).toContain('src="http://127.0.0.1:4000/inspect?x=1"');
  expect(body).toContain('data-origin="http://127.0.0.1:4000"');
});

test.each(['POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'PROPFIND'])(
  '%s is not answered',
  async (method) => {
    for (const path of [...everything, 'events']) expect(await status(path, {}, method)).toBe(405);
  },
);

test('without the capability nothing is there, and with it nothing but the pages', async () => {
  const capability = new URL(url).pathname.split('/')[1] ?? '';
  expect(capability).toMatch(/^[\w-]{24}$/u);
  const others = [
    '/',
    '/events',
    '/viewer.js',
    `/${capability}`,
    `/${capability.slice(0, -1)}/`,
    `/${capability}x/`,
    `/x/${capability}/`,
    `//${capability}/`,
    `/${'a'.repeat(24)}/events`,
    `/${capability}/../../etc/passwd`,
    `/${capability}/nothing`,
    `/${capability}/stately/ws`,
    `/${capability}/events/`,
  ];
  const answers = await Promise.all(
    others.map(async (path) => [path, (await ask(`http://${at}/`, { path })).status]),
  );
  expect(answers).toEqual(others.map((path) => [path, 404]));
  for (const path of ['/stately/ws', `/${capability}/ws`, `/${capability}/events`])
    expect(await upgrade(path)).toBe(404);
});

test('each inspector has a capability of its own', async () => {
  await using other = await opened();
  expect(new URL(other.inspector.url).pathname).not.toBe(new URL(url).pathname);
});

test('every answer has the headers that keep it in its place', async () => {
  for (const path of everything) {
    const { headers } = await ask(`${url}${path}`);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      'cross-origin-resource-policy': 'same-origin',
    });
    expect(headers['access-control-allow-origin']).toBeUndefined();
    expect(headers['content-security-policy']).toBe(
      `default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'${path === 'stately' ? '; frame-src https://stately.ai' : ''}`,
    );
  }
});

test('no page but its own origin is ever spoken to: events go to no window whose origin is not named', async () => {
  const { body } = await ask(`${url}stately.js`);
  expect(body).toContain('postMessage(event, target)');
  expect(body).not.toContain("'*'");
});

test('it listens on 127.0.0.1 and on no other address of this machine', async () => {
  const others = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address, scopeid }) => (scopeid === undefined || scopeid === 0 ? address : null))
    .filter((address) => address !== null && address !== '127.0.0.1');
  const reached = await Promise.all(
    ['127.0.0.2', '::1', ...others].map(
      (host) =>
        new Promise((resolve) => {
          const socket = connect({ host: host ?? '', port: open.inspector.port }, () => {
            socket.destroy();
            resolve(host);
          }).on('error', () => resolve(null));
        }),
    ),
  );
  expect(reached.filter((host) => host !== null)).toEqual([]);
});
