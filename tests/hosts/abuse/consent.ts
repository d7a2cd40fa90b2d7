/** What is posted to the consent page from elsewhere, changed, or too late. */
import { createHmac } from 'node:crypto';
import type { Row } from '../support/abuse.ts';
import { localOrigin } from '../support/oauth.ts';
import { ask, form, isForm, isJson, type Changes } from '../support/ask.ts';
import type { Target } from '../support/target.ts';

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function sign(claims: object, key: string | Buffer): string {
  const signed = [part({ alg: 'HS256', typ: 'JWT' }), part(claims)].join('.');
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

/** The service's own, of which a stranger knows nothing: for what cannot be seen otherwise. */
const serviceKey = ({ secrets }: Target): Buffer =>
  createHmac('sha256', secrets.TOKEN_SECRET).update(`consent\0${secrets.CLIENT_ID}`).digest();

const claimsOf = (request: string): object =>
  JSON.parse(Buffer.from(request.split('.')[1] ?? '', 'base64url').toString()) as object;

const posted =
  (changes: Changes, origins: readonly string[] = [localOrigin]): Row[1] =>
  (it) =>
    it.consent(
      'of a browser',
      changes,
      origins.map((origin) => `Origin: ${origin}`),
    );

const elsewhere = (name: string, changes: Changes): Row => [
  `${name} cookie`,
  posted(changes),
  403,
  'access_denied',
  'other_browser',
];
const foreign = (...origins: readonly string[]): Row => [
  `from ${origins.join(' and ')}`,
  posted({}, origins),
  403,
  'access_denied',
  'foreign_origin',
];
const refused = (name: string, request: Row[1], reason = 'malformed'): Row => [
  name,
  request,
  400,
  'invalid_request',
  reason,
];
/** With a request value that is made of the page's own. */
const forged = (name: string, make: (page: string, it: Target) => string, reason = 'forged_request'): Row =>
  refused(
    `a request value ${name}`,
    async (it) => it.consent('of a browser', { request: make((await it.page('of a browser')).request, it) }),
    reason,
  );

/** Sent by the right browser, in another form. */
const raw = (
  name: string,
  make: (request: string) => readonly [line: string, type: string, body: string],
  reason?: string,
): Row =>
  refused(
    name,
    async (it) => {
      const { request, cookie } = await it.page('of a browser');
      const [line, type, body] = make(request);
      return ask(line, [type, `Origin: ${localOrigin}`, `Cookie: ${cookie}`], body);
    },
    reason,
  );

const nested = Buffer.from('['.repeat(9_000)).toString('base64url');
const now = (): number => Math.floor(Date.now() / 1000);

export const consent: readonly Row[] = [
  elsewhere('no', { cookie: '' }),
  elsewhere('no, and a denial, without a', { cookie: '', decision: 'deny' }),
  elsewhere('an empty', { cookie: 'mcp-consent=' }),
  elsewhere('a made-up', { cookie: 'mcp-consent=canary' }),
  elsewhere('a no-ASCII', { cookie: 'mcp-consent=\xff' }),
  [
    'another browser’s cookie',
    async (it) => it.consent('of a browser', { cookie: (await it.page('of another')).cookie }),
    403,
    'access_denied',
    'other_browser',
  ],
  foreign('https://evil.example'),
  foreign('null'),
  foreign(''),
  foreign(`${localOrigin}/`),
  foreign(`${localOrigin}.evil.example`),
  foreign('http://127.0.0.1:8083'),
  foreign('https://127.0.0.1:8084'),
  foreign('http://localhost:8084'),
  foreign('https://claude.ai'),
  foreign(localOrigin, 'https://evil.example'),
  foreign('https://evil.example', localOrigin),
  forged('that is empty', () => ''),
  forged('of one character more', (page) => `${page}A`),
  forged('with another first character', (page) => `A${page.slice(1)}`),
  forged('that is none', () => 'canary'),
  forged('of no ASCII', () => '\u20ac.\u20ac.\u20ac'),
  forged('of deeply nested JSON', () => `${nested}.e30.AA`),
  forged('with other claims', (page) =>
    page.replace(/\.[^.]+\./u, `.${part({ ...claimsOf(page), redirect_uri: 'https://evil.example/' })}.`),
  ),
  forged('by alg none', (page) => `${part({ alg: 'none' })}.${part(claimsOf(page))}.`),
  forged('under another key', (page) => sign(claimsOf(page), 'canary'.repeat(6))),
  forged('under the key of access tokens', (page, it) => sign(claimsOf(page), it.secrets.TOKEN_SECRET)),
  forged('without an end', (page, it) => sign({ ...claimsOf(page), exp: undefined }, serviceKey(it))),
  forged(
    'of ten minutes ago',
    (page, it) => sign({ ...claimsOf(page), exp: now() - 1 }, serviceKey(it)),
    'expired_request',
  ),
  refused(
    'an access token as request value',
    async (it) => it.consent('of a browser', { request: (await it.tokens('of somebody')).access_token }),
    'forged_request',
  ),
  refused('no decision', posted({ decision: undefined })),
  refused('another decision', posted({ decision: 'canary' })),
  refused('a decision in other letters', posted({ decision: 'Allow' })),
  refused('a form of more than 32 KiB', posted({ password: 'canary'.repeat(6_000) })),
  raw('a decision twice', (request) => [
    'POST /authorize',
    isForm,
    `${form({ request, decision: 'deny' })}&decision=allow`,
  ]),
  raw(
    'everything in the query',
    (request) => [`POST /authorize?${form({ request, decision: 'allow' })}`, isForm, ''],
    'forged_request',
  ),
  raw('JSON', (request) => ['POST /authorize', isJson, JSON.stringify({ request, decision: 'allow' })]),
];
