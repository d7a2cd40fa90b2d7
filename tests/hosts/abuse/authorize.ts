/** Authorization requests whose redirect URI is right: the client is told by redirect, a stranger is not. */
import type { Row } from '../support/abuse.ts';
import { localOrigin } from '../support/oauth.ts';
import { ask, throughNginx, type Changes } from '../support/ask.ts';

const told = (name: string, changes: Changes, error: string): Row => [
  name,
  (it) => it.authorize(changes),
  302,
  error,
  error,
];
const refused = (name: string, request: Row[1], error = 'invalid_client', reason = 'unknown_client'): Row => [
  name,
  request,
  400,
  error,
  reason,
];
const client = (name: string, id: string | undefined): Row =>
  refused(name, (it) => it.authorize({ client_id: id }));
const malformed = (name: string, more: string): Row =>
  refused(name, (it) => it.authorize({}, more), 'invalid_request', 'malformed');

const challenge = 'A'.repeat(43);
const resource = `${localOrigin}/mcp`;
const html = ['Accept: text/html'];
const many = Array.from({ length: 4_000 }, (_, at) => `&x${at}=1`).join('');

export const authorize: readonly Row[] = [
  client('no client', undefined),
  client('an empty client', ''),
  client('another client', 'canary'),
  client('a client with a NUL', 'canary\0'),
  client('a client by its address', 'https://evil.example/canary'),
  refused('no query at all', () => ask('GET /authorize')),
  refused('another client, for a browser', (it) => it.authorize({ client_id: '<canary>' }, '', html)),
  refused('another client, through nginx', (it) => throughNginx(it.authorize({ client_id: 'canary' }))),
  refused('a long state', (it) => it.authorize({ state: 'x'.repeat(2049) }), 'invalid_request', 'long_state'),
  malformed('a client twice', '&client_id=canary'),
  malformed('a state twice', '&state=canary'),
  malformed('a challenge twice', `&code_challenge=${challenge}`),
  malformed('something unknown twice', '&x=1&x=2'),
  malformed('a client twice, once encoded', '&client%5Fid=canary'),
  malformed('bytes that are no UTF-8', '&x=%ff%fe'),
  malformed('thousands of parameters', many),
  ['bytes that are no ASCII', (it) => it.authorize({}, '&x=\xff'), 400, 'Invalid HTTP request received.'],
  [
    'bytes that are no ASCII, through nginx',
    (it) => throughNginx(it.authorize({}, '&x=\xff')),
    400,
    'Invalid HTTP request received.',
  ],

  told('no response type', { response_type: undefined }, 'invalid_request'),
  told('an empty response type', { response_type: '' }, 'unsupported_response_type'),
  told('the implicit grant', { response_type: 'token' }, 'unsupported_response_type'),
  told('the hybrid flow', { response_type: 'code id_token' }, 'unsupported_response_type'),
  told('an answer in the fragment', { response_mode: 'fragment' }, 'invalid_request'),
  told('an answer as a form', { response_mode: 'form_post' }, 'invalid_request'),
  told('no PKCE', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'),
  told('plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'),
  told('PKCE without a method, which is plain', { code_challenge_method: undefined }, 'invalid_request'),
  told('a method in other letters', { code_challenge_method: 's256' }, 'invalid_request'),
  told('a method without a challenge', { code_challenge: undefined }, 'invalid_request'),
  told('a challenge of 42 characters', { code_challenge: challenge.slice(1) }, 'invalid_request'),
  told('a challenge of 44 characters', { code_challenge: `${challenge}A` }, 'invalid_request'),
  told('a padded challenge', { code_challenge: `${challenge}=` }, 'invalid_request'),
  told('a challenge in the other base64', { code_challenge: `${challenge.slice(1)}+` }, 'invalid_request'),
  told('a challenge and a line break', { code_challenge: `${challenge}\n` }, 'invalid_request'),
  told('a resource elsewhere', { resource: 'https://evil.example/mcp' }, 'invalid_target'),
  told('the resource and a slash', { resource: `${resource}/` }, 'invalid_target'),
  told('the resource and a query', { resource: `${resource}?x` }, 'invalid_target'),
  told('the origin as resource', { resource: localOrigin }, 'invalid_target'),
  told('an empty resource', { resource: '' }, 'invalid_target'),
  told('another scope', { scope: 'canary' }, 'invalid_scope'),
  told('the scope in other letters', { scope: 'MCP' }, 'invalid_scope'),
  told('a scope that begins alike', { scope: 'mcp:admin' }, 'invalid_scope'),
  told('a header in the state', { scope: 'x', state: 'canary\r\nSet-Cookie: x=1' }, 'invalid_scope'),
  told('a NUL in the state', { scope: 'x', state: 'canary\0' }, 'invalid_scope'),
  told('other parameters in the state', { scope: 'x', state: 'canary&code=x#' }, 'invalid_scope'),
  [
    'the implicit grant, through nginx',
    (it) => throughNginx(it.authorize({ response_type: 'token' })),
    302,
    'unsupported_response_type',
    'unsupported_response_type',
  ],
];
