/** Methods that an address does not have, and addresses that are none; always with a token that is good. */
import type { Row } from '../support/abuse.ts';
import { signAccessToken } from '../support/oauth.ts';
import { ask, bearer, isJson, throughNginx } from '../support/ask.ts';
import type { Target } from '../support/target.ts';

const wellKnown = '/.well-known/';
const readOnly = [
  '/healthz',
  `${wellKnown}oauth-protected-resource`,
  `${wellKnown}oauth-protected-resource/mcp`,
  `${wellKnown}oauth-authorization-server`,
  `/mcp${wellKnown}openid-configuration`,
];

const good = ({ host }: Target): string => bearer(signAccessToken(host));
const sent =
  (line: string): Row[1] =>
  (it) =>
    ask(line, [isJson, good(it)], '{}');

/** An answer to HEAD has no body. */
const errorAt = (method: string, address: string): string => {
  if (method === 'HEAD') return '';
  return address === '/mcp' ? 'POST, GET and DELETE are answered here' : 'invalid_request';
};
const notBy = (method: string, address: string): Row => [
  `${method} ${address}`,
  sent(`${method} ${address}`),
  405,
  errorAt(method, address),
];

const byNginx = (method: string, address: string, error: string): Row => [
  `${method} ${address}, through nginx`,
  async (it) => throughNginx(await sent(`${method} ${address}`)(it)),
  405,
  error,
];

export const methods: readonly Row[] = [
  ...readOnly.flatMap((address) => ['POST', 'DELETE'].map((method) => notBy(method, address))),
  ...['HEAD', 'PUT', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'canary'].map((method) =>
    notBy(method, '/mcp'),
  ),
  ...['HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'].map((method) => notBy(method, '/authorize')),
  ...['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'].map((method) => notBy(method, '/token')),
  byNginx('PUT', '/mcp', 'POST, GET and DELETE are answered here'),
  byNginx('GET', '/token', 'invalid_request'),
  byNginx('TRACE', '/mcp', '405 Not Allowed'),
  byNginx('TRACE', '/healthz', '405 Not Allowed'),
];

const nowhere = (target: string): Row => [target, sent(`POST ${target}`), 404, 'not_found'];
const nowhereByNginx = (target: string): Row => [
  `${target}, through nginx`,
  async (it) => throughNginx(await sent(`POST ${target}`)(it)),
  404,
  'not_found',
];

const paths = [
  '/mcp/',
  '//mcp',
  '/./mcp',
  '/x/../mcp',
  '/mcp/../token',
  '/token/../mcp',
  `${wellKnown}../mcp`,
  '/mcp%2f',
  '/mcp%20',
  '/%2fmcp',
  '/mcp;x',
  '/mcp%3faccess_token=canary',
  '/MCP',
  '/mcp/canary',
  '/mcp.json',
  '/register',
  '/revoke',
  '/introspect',
  '/docs',
  '/openapi.json',
  '/oauth_proxy.py',
  `${wellKnown}jwks.json`,
  `${wellKnown}oauth-protected-resource/`,
  '/',
];

export const addresses: readonly Row[] = [
  ...paths.map(nowhere),
  ...paths.map(nowhereByNginx),
  nowhere('/mcp%00'),
  nowhere('http://127.0.0.1:8083/mcp'),
  nowhere('*'),
  nowhere('?x'),
  ['CONNECT', (it) => ask('CONNECT 127.0.0.1:8000', [good(it)]), 404, 'not_found'],
  [
    'CONNECT, through nginx',
    (it) => ask('CONNECT 127.0.0.1:8000', [good(it)], undefined, 8084),
    400,
    '400 Bad Request',
  ],
  ['/mcp%00, through nginx', (it) => ask('POST /mcp%00', [good(it)], '{}', 8084), 400, '400 Bad Request'],
  ['/../mcp, through nginx', (it) => ask('POST /../mcp', [good(it)], '{}', 8084), 400, '400 Bad Request'],
  ['*, through nginx', (it) => ask('OPTIONS *', [good(it)], undefined, 8084), 400, '400 Bad Request'],
  [
    'another name for /mcp, without a token',
    () => ask('POST /%6dcp', [isJson], '{}'),
    401,
    'unauthorized',
    'no_token',
  ],
  ['the same through nginx', () => ask('POST /%6dcp', [isJson], '{}', 8084), 401, 'unauthorized', 'no_token'],
];
