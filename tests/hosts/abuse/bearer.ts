/** What is shown at /mcp as an access token, and is none. */
import { createHmac } from 'node:crypto';
import type { Row } from '../support/abuse.ts';
import { localOrigin, signAccessToken, type Forgery } from '../support/oauth.ts';
import { bearer, mcp, throughNginx } from '../support/ask.ts';
import type { Target } from '../support/target.ts';

const invalid = (
  name: string,
  reason: NonNullable<Row[4]>,
  token: (it: Target) => string | Promise<string>,
): Row => [name, async (it) => mcp([bearer(await token(it))]), 401, 'invalid_token', reason];
/** Signed with TOKEN_SECRET unless something else is said. */
const forged = (name: string, reason: string, forgery: () => Forgery): Row =>
  invalid(name, reason, ({ host }) => signAccessToken(host, forgery()));
const claims = (name: string, reason: string, changed: () => Forgery['claims'] & object): Row =>
  forged(name, reason, () => ({ claims: changed() }));

const scope = (name: string, changed: unknown): Row => [
  name,
  ({ host }) => mcp([bearer(signAccessToken(host, { claims: { scope: changed } }))]),
  403,
  'insufficient_scope',
  'insufficient_scope',
];
const now = (): number => Math.floor(Date.now() / 1000);
const key = 'canary'.repeat(6);
const part = (text: string): string => Buffer.from(text).toString('base64url');

/** The host's own token with another header, signed by another hash. */
function rehashed(it: Target, alg: string, hash: string): string {
  const [, payload = ''] = signAccessToken(it.host).split('.');
  const signed = `${part(JSON.stringify({ alg, typ: 'at+jwt' }))}.${payload}`;
  return `${signed}.${createHmac(hash, it.secrets.TOKEN_SECRET).update(signed).digest('base64url')}`;
}
const unsigned = (it: Target, alg: string): string =>
  `${part(JSON.stringify({ alg, typ: 'at+jwt' }))}.${signAccessToken(it.host).split('.')[1] ?? ''}.`;

const right = (it: Target): string => signAccessToken(it.host);

export const accessTokens: readonly Row[] = [
  claims('another audience', 'invalid_audience', () => ({ aud: 'https://evil.example/mcp' })),
  claims('the audience and a slash', 'invalid_audience', () => ({ aud: `${localOrigin}/mcp/` })),
  claims('the origin as audience', 'invalid_audience', () => ({ aud: localOrigin })),
  claims('an audience of other letters', 'invalid_audience', () => ({ aud: `${localOrigin}/MCP` })),
  claims('no audience', 'missing_required_claim', () => ({ aud: undefined })),
  claims('another issuer', 'invalid_issuer', () => ({ iss: 'https://evil.example' })),
  claims('the issuer and a slash', 'invalid_issuer', () => ({ iss: `${localOrigin}/` })),
  claims('no issuer', 'missing_required_claim', () => ({ iss: undefined })),
  claims('one that is over', 'expired_signature', () => ({ exp: now() - 1 })),
  claims('one without an end', 'missing_required_claim', () => ({ exp: undefined })),
  claims('one whose end is no number', 'decode', () => ({ exp: 'canary' })),
  claims('one that begins later', 'immature_signature', () => ({ nbf: now() + 600 })),
  claims('one that was never issued', 'missing_required_claim', () => ({ iat: undefined })),
  claims('no client', 'missing_required_claim', () => ({ client_id: undefined })),
  claims('another client', 'other_client', () => ({ client_id: 'canary' })),
  claims('the client in a list', 'other_client', () => ({ client_id: ['canary'] })),
  scope('no scope', undefined),
  scope('an empty scope', ''),
  scope('another scope', 'canary'),
  scope('a scope that begins alike', 'mcp:admin'),
  invalid('alg none', 'invalid_algorithm', (it) => unsigned(it, 'none')),
  invalid('alg None', 'invalid_algorithm', (it) => unsigned(it, 'None')),
  invalid('an empty alg', 'invalid_algorithm', (it) => unsigned(it, '')),
  invalid('no signature', 'invalid_signature', (it) => unsigned(it, 'HS256')),
  invalid('HS512', 'invalid_algorithm', (it) => rehashed(it, 'HS512', 'sha512')),
  invalid('RS256 by the shared key', 'invalid_algorithm', (it) => rehashed(it, 'RS256', 'sha256')),
  invalid('ES256 by the shared key', 'invalid_algorithm', (it) => rehashed(it, 'ES256', 'sha256')),
  forged('another key', 'invalid_signature', () => ({ key })),
  forged('an empty key', 'invalid_signature', () => ({ key: '' })),
  forged('another key, named by kid', 'invalid_signature', () => ({ key, header: { kid: '/dev/null' } })),
  forged('another key, at jku', 'invalid_signature', () => ({
    key,
    header: { jku: 'http://127.0.0.1:8000/' },
  })),
  forged('another key, in jwk', 'invalid_signature', () => ({
    key,
    header: { jwk: { kty: 'oct', k: part(key) } },
  })),
  forged('another key, at x5u', 'invalid_signature', () => ({
    key,
    header: { x5u: 'http://127.0.0.1:8000/' },
  })),
  forged('another key, and crit', 'invalid_token', () => ({ key, header: { crit: ['canary'] } })),
  forged('crit, of what nobody knows', 'invalid_token', () => ({ header: { crit: ['canary'], canary: 1 } })),
  forged('a kid that is no text', 'invalid_token', () => ({ header: { kid: 1 } })),
  invalid('other claims', 'invalid_signature', (it) =>
    right(it).replace(/\.[^.]+\./u, `.${part('{"sub":"canary"}')}.`),
  ),
  invalid('half of one', 'decode', (it) => right(it).split('.').slice(0, 2).join('.')),
  invalid('one and a part more', 'decode', (it) => `${right(it)}.canary`),
  invalid('two in one', 'invalid_signature', (it) => `${right(it)}, ${right(it)}`),
  invalid('Bearer twice', 'decode', (it) => `Bearer ${right(it)}`),
  invalid('one in quotes', 'decode', (it) => `"${right(it)}"`),
  invalid('nothing after Bearer', 'decode', () => ''),
  invalid('something else', 'decode', () => 'canary'),
  invalid('bytes that are no ASCII', 'decode', () => '\xff\xfe.\xff.\xff'),
  invalid('10 KB', 'malformed', () => 'canary'.repeat(1_700)),
  invalid('10 KB around a right one', 'malformed', (it) => `${right(it)}.${'x'.repeat(10_000)}`),
  invalid(
    'deeply nested JSON',
    { bookworm: 'recursion', trixie: 'decode' },
    () => `${part('['.repeat(2_500))}.e30.AA`,
  ),
  invalid('JSON that is no object', 'decode', () => `${part('[]')}.e30.AA`),
  invalid(
    'a consent page’s request value',
    'invalid_signature',
    async (it) => (await it.page('shown')).request,
  ),
  invalid('a code', 'decode', async (it) => (await it.code('shown')).code),
  invalid('a refresh token', 'decode', async (it) => (await it.tokens('shown')).refresh_token),
  invalid('MCP_TOKEN', 'decode', ({ secrets }) => secrets.MCP_TOKEN),
  invalid('CLIENT_SECRET', 'decode', ({ secrets }) => secrets.CLIENT_SECRET),
  invalid('TOKEN_SECRET', 'decode', ({ secrets }) => secrets.TOKEN_SECRET),
  [
    'one that is over, through nginx',
    ({ host }) => throughNginx(mcp([bearer(signAccessToken(host, { claims: { exp: now() - 1 } }))])),
    401,
    'invalid_token',
    'expired_signature',
  ],
];
