/** Token requests of who is not the client, or does not show it as expected. */
import type { Row } from '../support/abuse.ts';
import { ask, form, isForm, throughNginx, type Changes } from '../support/ask.ts';
import type { Target } from '../support/target.ts';

const unknown = { grant_type: 'refresh_token', refresh_token: 'canary' };
const known = form(unknown);

const client = ({ secrets }: Target, changes: Changes = {}): Changes => ({
  client_id: secrets.CLIENT_ID,
  client_secret: secrets.CLIENT_SECRET,
  ...changes,
});

const stranger = (name: string, request: Row[1], reason = 'unknown_client'): Row => [
  name,
  request,
  401,
  'invalid_client',
  reason,
];
const wrongSecret = (name: string, make: (secrets: Target['secrets']) => string | undefined): Row =>
  stranger(
    name,
    (it) => it.token({ ...unknown, ...client(it, { client_secret: make(it.secrets) }) }, []),
    'wrong_secret',
  );
const basic = (name: string, make: (secrets: Target['secrets']) => string, reason: string): Row =>
  stranger(name, (it) => it.token(unknown, [it.basic(make(it.secrets))]), reason);
const header = (name: string, make: (secrets: Target['secrets']) => string): Row =>
  stranger(name, (it) => it.token(unknown, [`Authorization: ${make(it.secrets)}`]));
const twice = (
  name: string,
  changes: (it: Target) => Changes,
  more: (it: Target) => readonly string[],
): Row => [
  name,
  (it) => it.token({ ...unknown, ...changes(it) }, [it.basic(), ...more(it)]),
  400,
  'invalid_request',
  'two_methods',
];

export const clients: readonly Row[] = [
  stranger('no client', (it) => it.token(unknown, [])),
  stranger('another client', (it) => it.token({ ...unknown, ...client(it, { client_id: 'canary' }) }, [])),
  wrongSecret('no secret', () => undefined),
  wrongSecret('an empty secret', () => ''),
  wrongSecret('a wrong secret', () => 'canary'),
  wrongSecret('a secret and a NUL', ({ CLIENT_SECRET }) => `${CLIENT_SECRET}\0`),
  wrongSecret('a secret in other letters', ({ CLIENT_SECRET }) => CLIENT_SECRET.toUpperCase()),
  wrongSecret('MCP_TOKEN as the secret', ({ MCP_TOKEN }) => MCP_TOKEN),
  basic('another client by Basic', ({ CLIENT_SECRET }) => `canary:${CLIENT_SECRET}`, 'unknown_client'),
  basic('a wrong secret by Basic', ({ CLIENT_ID }) => `${CLIENT_ID}:canary`, 'wrong_secret'),
  basic('TOKEN_SECRET by Basic', (all) => `${all.CLIENT_ID}:${all.TOKEN_SECRET}`, 'wrong_secret'),
  basic('Basic without a colon', ({ CLIENT_ID }) => CLIENT_ID, 'wrong_secret'),
  header('Basic of no base64', () => 'Basic canary!'),
  header('Basic of no UTF-8', () => 'Basic //79'),
  header('Basic of bytes that are no ASCII', () => 'Basic \xff\xfe'),
  header('Basic and nothing', () => 'Basic'),
  header('another scheme', ({ CLIENT_SECRET }) => `Digest ${CLIENT_SECRET}`),
  header('the secret as a bearer token', ({ CLIENT_SECRET }) => `Bearer ${CLIENT_SECRET}`),
  stranger('credentials in the query', (it) => ask(`POST /token?${form(client(it))}`, [isForm], known)),
  stranger('everything in the query', (it) =>
    ask(`POST /token?${form({ ...unknown, ...client(it) })}`, [isForm], ''),
  ),
  stranger('no client, through nginx', (it) => throughNginx(it.token(unknown, []))),
  twice(
    'both methods',
    (it) => client(it),
    () => [],
  ),
  twice(
    'both methods, one of another client',
    () => ({ client_id: 'canary' }),
    () => [],
  ),
  twice(
    'two Authorization headers',
    () => ({}),
    (it) => [it.basic()],
  ),
  twice(
    'Basic and a bearer token',
    () => ({}),
    () => ['Authorization: Bearer canary'],
  ),
];
