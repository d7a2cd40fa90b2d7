/** A good access token in the wrong place, or none; or one that a web page of somebody else shows. */
import type { Row } from '../support/abuse.ts';
import { signAccessToken } from '../support/oauth.ts';
import { ask, bearer, isForm, mcp, throughNginx } from '../support/ask.ts';
import type { Target } from '../support/target.ts';

const right = ({ host }: Target): string => signAccessToken(host);
const good = (it: Target): string => bearer(right(it));

const none = (name: string, request: Row[1]): Row => [name, request, 401, 'unauthorized', 'no_token'];
const twice = (name: string, request: Row[1]): Row => [
  name,
  request,
  400,
  'invalid_request',
  'token_elsewhere',
];
const from = (...origins: readonly string[]): Row => [
  `from ${origins.join(' and ')}`,
  ({ host }) => mcp([bearer(signAccessToken(host)), ...origins.map((origin) => `Origin: ${origin}`)]),
  403,
  'invalid_origin',
  'invalid_origin',
];

export const places: readonly Row[] = [
  none('nowhere', () => mcp([])),
  none('nowhere, through nginx', () => throughNginx(mcp([]))),
  none('by Basic', (it) => mcp([it.basic()])),
  none('without a scheme', (it) => mcp([`Authorization: ${right(it)}`])),
  none('after a tab', (it) => mcp([`Authorization: Bearer\t${right(it)}`])),
  none('by another scheme', (it) => mcp([`Authorization: Token ${right(it)}`])),
  none('as a proxy’s', (it) => mcp([`Proxy-Authorization: Bearer ${right(it)}`])),
  none('in a header of another name', (it) => mcp([`X-Authorization: Bearer ${right(it)}`])),
  none('in a cookie', (it) => mcp([`Cookie: access_token=${right(it)}; mcp-consent=${right(it)}`])),
  none('in a form', (it) => ask('POST /mcp', [isForm], `access_token=${right(it)}`)),
  none('in the query by another name', (it) => mcp([], `/mcp?token=${right(it)}`)),
  twice('in the query', (it) => mcp([], `/mcp?access_token=${right(it)}`)),
  twice('in the query as well', (it) => mcp([good(it)], `/mcp?access_token=${right(it)}`)),
  twice('in the query, through nginx', (it) => throughNginx(mcp([], `/mcp?access_token=${right(it)}`))),
  twice('in two headers', (it) => mcp([good(it), good(it)])),
  twice('in two headers, the first of another', (it) => mcp(['Authorization: Bearer canary', good(it)])),
  twice('in two headers, one by Basic', (it) => mcp([good(it), it.basic()])),
];

export const origins: readonly Row[] = [
  from('https://evil.example'),
  from('null'),
  from(''),
  from('canary'),
  from('https://claude.ai.evil.example'),
  from('https://claude.ai@evil.example'),
  from('https://evil.claude.ai'),
  from('https://claude.ai:444'),
  from('https://claude.ai/'),
  from('https://CLAUDE.AI'),
  from('http://claude.ai'),
  from('http://localhost.evil.example'),
  from('http://127.0.0.1.evil.example'),
  from('http://localhost@evil.example'),
  from('http://[::1'),
  from('http://[v1.x]'),
  from('http://0.0.0.0'),
  from('http://192.168.0.1'),
  from('file://localhost'),
  from('https://claude.ai https://evil.example'),
  from('https://claude.ai', 'https://evil.example'),
  from('https://evil.example', 'https://claude.ai'),
  [
    'from elsewhere and without a token',
    () => mcp(['Origin: https://evil.example']),
    403,
    'invalid_origin',
    'invalid_origin',
  ],
  [
    'from elsewhere, through nginx',
    (it) => throughNginx(mcp([good(it), 'Origin: https://evil.example'])),
    403,
    'invalid_origin',
    'invalid_origin',
  ],
];
