/** OAuth towards an installed service, step by step with curl on the host: what a test wants to do a bit differently. */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { Host } from './host.ts';
import { secretsInFile } from './observe.ts';

/** Where the site of a host without a domain is. */
export const localOrigin = 'http://127.0.0.1:8084';
export const redirectUri = 'http://localhost:3000/callback';

export interface Answer {
  readonly status: number;
  /** By lower-case name; of those that came twice, the last. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** @param args curl's own, each one word of its argument list: no shell reads them */
export async function curl(host: Host, args: readonly string[], input = ''): Promise<Answer> {
  const { stdout, stderr, exitCode } = await host.run(['curl', '-sS', '-i', '-m', '30', ...args], { input });
  // curl shows what came before the answer itself: 100 Continue.
  const text = stdout.replace(/^HTTP\/\S+ 1\d\d[^]*?\r\n\r\n/u, '');
  const [, status = ''] = /^HTTP\/\S+ (\d+)/u.exec(text) ?? [];
  if (status === '') throw new Error(`curl: exit ${exitCode}: ${stderr}`);
  const end = text.indexOf('\r\n\r\n');
  const lines = text.slice(0, end).split('\r\n').slice(1);
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  return { status: Number(status), headers, body: text.slice(end + 4) };
}

export interface Pkce {
  readonly verifier: string;
  readonly challenge: string;
}

export function pkce(): Pkce {
  const verifier = randomBytes(48).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

export type Fields = Readonly<Record<string, string>>;

/** The query of a right authorization request. */
export const authorizationRequest = (host: Host, challenge: string, origin = localOrigin): Fields => ({
  response_type: 'code',
  client_id: secretsInFile(host).CLIENT_ID,
  redirect_uri: redirectUri,
  code_challenge: challenge,
  code_challenge_method: 'S256',
  state: 'state of the client',
  resource: `${origin}/mcp`,
});

const openConsentPage = (host: Host, query: Fields, origin = localOrigin): Promise<Answer> =>
  curl(host, [`${origin}/authorize?${new URLSearchParams(query).toString()}`]);

/** What the page's form and the browser's cookie hold. */
export function consentOf(page: Answer): { readonly request: string; readonly cookie: string } {
  const [, request = ''] = /name="request" value="([^"]+)"/u.exec(page.body) ?? [];
  const [cookie = ''] = (page.headers['set-cookie'] ?? '').split(';');
  if (request === '' || cookie === '') throw new Error(`no consent page: ${page.status} ${page.body}`);
  return { request, cookie };
}

async function consent(
  host: Host,
  page: Answer,
  { origin = localOrigin, ...form }: Fields = {},
): Promise<Answer> {
  const { request, cookie } = consentOf(page);
  const body = new URLSearchParams({ request, decision: 'allow', ...form }).toString();
  return curl(
    host,
    ['-H', `Origin: ${origin}`, '-H', `Cookie: ${cookie}`, '--data-binary', '@-', `${origin}/authorize`],
    body,
  );
}

/** The parameters of the redirect back to the client. */
const sentBack = (answer: Answer): Fields =>
  Object.fromEntries(new URL(answer.headers['location'] ?? 'none:').searchParams);

async function newCode(host: Host, challenge: string, origin = localOrigin): Promise<string> {
  const page = await openConsentPage(host, authorizationRequest(host, challenge, origin), origin);
  const { code = '' } = sentBack(await consent(host, page, { origin }));
  return code;
}

/** A token request with the right client's credentials, by HTTP Basic. */
export function requestToken(host: Host, form: Fields, origin = localOrigin): Promise<Answer> {
  const { CLIENT_ID, CLIENT_SECRET } = secretsInFile(host);
  const user = ['-u', `${CLIENT_ID}:${CLIENT_SECRET}`];
  const body = new URLSearchParams(form).toString();
  return curl(host, [...user, '--data-binary', '@-', `${origin}/token`], body);
}

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

/** The whole flow of a client that is new here. */
export async function connect(host: Host, origin = localOrigin): Promise<Tokens> {
  const { verifier, challenge } = pkce();
  const code = await newCode(host, challenge, origin);
  const form = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier };
  const answer = await requestToken(host, form, origin);
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body}`);
  return JSON.parse(answer.body) as Tokens;
}

export interface Forgery {
  readonly origin?: string;
  /** Replaces or adds claims; undefined leaves one out. */
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
  /** Instead of the host's own TOKEN_SECRET. */
  readonly key?: string;
}

/** An access token as the service makes them, signed by the test, which has read TOKEN_SECRET. */
export function signAccessToken(host: Host, forgery: Forgery = {}): string {
  const { TOKEN_SECRET, CLIENT_ID } = secretsInFile(host);
  const { origin = localOrigin, claims = {}, header = {}, key = TOKEN_SECRET } = forgery;
  const now = Math.floor(Date.now() / 1000);
  const own = { iss: origin, aud: `${origin}/mcp`, sub: 'owner', client_id: CLIENT_ID, scope: 'mcp' };
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = [
    { alg: 'HS256', typ: 'at+jwt', ...header },
    { ...own, iat: now, exp: now + 600, ...claims },
  ].map(part);
  const signed = text.join('.');
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

/** Time passes for all refresh tokens at once, without anybody waiting; negative: it is taken back. */
export async function ageRefreshTokens(host: Host, seconds: number): Promise<void> {
  const columns = ['issued', 'honoured_until', 'expires'];
  const changes = columns.map((column) => `${column} = ${column} - (${seconds})`).join(', ');
  await host.must(
    `python3 -c 'import sqlite3; db = sqlite3.connect("/var/lib/private/mcp-oauth-proxy/state.db"); db.execute("UPDATE refresh SET ${changes}"); db.commit()'`,
  );
}
