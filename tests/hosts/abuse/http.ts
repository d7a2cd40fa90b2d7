/** Requests that are no HTTP, or that two readers might take for two different ones; with a token that is good. */
import type { Row } from '../support/abuse.ts';
import { signAccessToken } from '../support/oauth.ts';
import { ask, bearer, isJson } from '../support/ask.ts';
import type { Target } from '../support/target.ts';

const good = ({ host }: Target): string => bearer(signAccessToken(host));

const noHttp = 'Invalid HTTP request received.';
const body = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
const hidden = (it: Target): string =>
  `0\r\n\r\nPOST /mcp HTTP/1.1\r\nHost: x\r\n${good(it)}\r\nContent-Length: 2\r\n\r\n{}`;

type Make = (it: Target) => readonly [headers: readonly string[], body: string];

const sent = (name: string, port: number, make: Make, status: Row[2], error: Row[3]): Row => [
  name,
  (it) => ask('POST /mcp', [isJson, good(it), ...make(it)[0]], make(it)[1], port),
  status,
  error,
];
/** To the service itself, whose HTTP parser refuses it without asking the service. */
const direct = (name: string, make: Make): Row => sent(name, 8083, make, 400, noHttp);
const nginx = (name: string, make: Make, status: Row[2] = 400, error: Row[3] = '400 Bad Request'): Row =>
  sent(`${name}, through nginx`, 8084, make, status, error);
const both = (name: string, make: Make, status?: Row[2], error?: Row[3]): readonly Row[] => [
  direct(name, make),
  nginx(name, make, status, error),
];
const refused = (name: string, make: Make, error: string, reason: string): Row => [
  ...(sent(name, 8083, make, 413, error) as readonly [string, Row[1], number, string]),
  reason,
];
/** Not even a request line. */
const text = (name: string, port: number, words: string, status: number, error: string): Row => [
  name,
  () => ({ port, text: words }),
  status,
  error,
];

const unknownCoding = '501 Not Implemented';
const isChunked = 'Transfer-Encoding: chunked';
const large = 'Content-Length: 10485760';
const tooLarge = 'the request is larger than 4194304 bytes';
const bareLines = 'POST /mcp HTTP/1.1\nHost: x\nConnection: close\nContent-Length: 2\n\n{}';
const tenMegabytes = `a00000\r\n${'x'.repeat(0xa00000)}\r\n0\r\n\r\n`;

export const framing: readonly Row[] = [
  ...both('two lengths', () => [['Content-Length: 2', 'Content-Length: 40'], body]),
  ...both('two lengths in one', () => [['Content-Length: 2, 40'], body]),
  ...both('a length with a sign', () => [['Content-Length: +40'], body]),
  ...both('a length that is negative', () => [['Content-Length: -1'], body]),
  ...both('a length in hexadecimal', () => [['Content-Length: 0x28'], body]),
  ...both('another transfer coding', () => [['Transfer-Encoding: xchunked'], chunked], 501, unknownCoding),
  ...both('two transfer codings', () => [['Transfer-Encoding: gzip, chunked'], chunked], 501, unknownCoding),
  ...both('two transfer headers', () => [[isChunked, 'Transfer-Encoding: identity'], chunked]),
  ...both('a blank before the colon', () => [['Transfer-Encoding : chunked'], chunked]),
  ...both('a tab before a coding', () => [['Transfer-Encoding: \vchunked'], chunked], 501, unknownCoding),
  ...both('a chunk whose length is none', () => [[isChunked], `zz\r\n${body}\r\n0\r\n\r\n`]),
  ...both('a chunk with a sign', () => [[isChunked], `-1\r\n${body}\r\n0\r\n\r\n`]),
  ...both('a NUL in a header', () => [['Mcp-Session-Id: canary\0'], body]),
  ...both('a name with a blank', () => [['X canary: 1'], body]),
  ...both('two hosts', () => [['Host: 127.0.0.1', 'Host: evil.example'], body]),
  direct('a line that is no header', () => [['canary'], body]),
  // nginx lets it pass, byte for byte.
  ...both('a vertical tab in a header', () => [['Mcp-Session-Id: canary\vcanary'], body], 400, noHttp),
  nginx('a length and chunks', (it) => [['Content-Length: 5', isChunked], hidden(it)]),
  nginx('a length of 5000 digits', () => [[`Content-Length: ${'9'.repeat(5_000)}`], body]),
];

export const sizes: readonly Row[] = [
  refused('10 MB', () => [[large], body], tooLarge, 'too_large'),
  refused('a byte more than 4 MiB', () => [['Content-Length: 4194305'], body], tooLarge, 'too_large'),
  refused('10 MB in chunks', () => [[isChunked], tenMegabytes], tooLarge, 'too_large'),
  nginx('10 MB', () => [[large], body], 413, 'The request is larger than 4 MiB.'),
  nginx('10 MB in chunks', () => [[isChunked], tenMegabytes], 413, 'The request is larger than 4 MiB.'),
  nginx('a header of 100 KB', () => [[`X-Large: ${'x'.repeat(100_000)}`], body]),
  nginx('a token of 10 KB', () => [[bearer('x'.repeat(10_000))], body]),
  nginx('thousands of headers', () => [Array.from({ length: 3_000 }, (_, at) => `X-${at}: 1`), body]),
  [
    'a target of 100 KB, through nginx',
    () => ask(`GET /mcp?${'x'.repeat(100_000)}`, [], undefined, 8084),
    414,
    '414 Request-URI Too Large',
  ],
];

const tls = '\x16\x03\x01\x00\xf0\x01\x00\x00\xec\x03\x03\r\n\r\n';
const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const atSocket = (name: string, words: string): readonly Row[] => [
  text(name, 8083, words, 400, noHttp),
  text(`${name}, to nginx`, 8084, words, 400, '400 Bad Request'),
];
const withoutToken = (name: string, request: Row[1]): Row => [name, request, 401, 'unauthorized', 'no_token'];

export const lines: readonly Row[] = [
  ...atSocket('no HTTP at all', 'canary\r\n\r\n'),
  ...atSocket('no host', 'GET /mcp HTTP/1.1\r\n\r\n'),
  ...atSocket('TLS', tls),
  text('HTTP/0.9', 8083, 'GET /mcp\r\n\r\n', 400, noHttp),
  text('HTTP/2, to nginx', 8084, preface, 400, '400 Bad Request'),
  text('a blank in the target', 8083, 'GET /mcp canary HTTP/1.1\r\nHost: x\r\n\r\n', 400, noHttp),
  [
    'a host that is none',
    () => ask('PUT /mcp', ['Host: ['], '{}'),
    405,
    'POST, GET and DELETE are answered here',
  ],
  withoutToken('a WebSocket, to nginx', () =>
    ask('GET /mcp', ['Connection: Upgrade, close', 'Upgrade: websocket'], undefined, 8084),
  ),
  withoutToken('bare line feeds', () => ({ port: 8083, text: bareLines })),
  withoutToken('bare line feeds, to nginx', () => ({ port: 8084, text: bareLines })),
  withoutToken('a line that is no header, to nginx', () => ask('POST /mcp', ['canary'], '{}', 8084)),
  withoutToken('a folded header, to the service', () => ask('POST /mcp', ['X-A: a', ' b: canary'], '{}')),
  withoutToken('another target’s host', () => ask('POST http://evil.example/mcp', [], '{}', 8084)),
  ...['Host: evil.example', 'X-Forwarded-Host: evil.example', 'Forwarded: host=evil.example;proto=http'].map(
    (header) => withoutToken(header, () => ask('POST /mcp', [header], '{}', 8084)),
  ),
];
