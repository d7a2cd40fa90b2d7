/** Redirect URIs that are nearly one of the client's: answered with 400, and never with a redirect. */
import type { Row } from '../support/abuse.ts';
import { throughNginx } from '../support/ask.ts';
import type { Target } from '../support/target.ts';

const claude = 'https://claude.ai/api/mcp/auth_callback';
const path = '/api/mcp/auth_callback';

const uris: readonly (readonly [name: string, uri: string | undefined])[] = [
  ['none', undefined],
  ['an empty one', ''],
  ['one character more', `${claude}s`],
  ['one character less', claude.slice(0, -1)],
  ['another case in the path', claude.replace('auth', 'Auth')],
  ['another case in the host', claude.replace('claude', 'Claude')],
  ['another case in the scheme', claude.replace('https', 'HTTPS')],
  ['a slash at the end', `${claude}/`],
  ['a port, though the scheme’s own', `https://claude.ai:443${path}`],
  ['a user of another host', `https://claude.ai@evil.example${path}`],
  ['a user with a port of another host', `https://claude.ai:443@evil.example${path}`],
  ['a user of the right host', `https://evil@claude.ai${path}`],
  ['a backslash before another host', `https://claude.ai\\@evil.example${path}`],
  ['a fragment', `${claude}#x`],
  ['an empty fragment', `${claude}#`],
  ['a query', `${claude}?x=1`],
  ['an empty query', `${claude}?`],
  ['a step up the path', `https://claude.ai/api/x/../mcp/auth_callback`],
  ['an encoded step up the path', `${claude}/%2e%2e/auth_callback`],
  ['an encoded character', claude.replace('_', '%5F')],
  ['two slashes', `https://claude.ai/${path}`],
  ['a domain that ends otherwise', `https://claude.ai.evil.example${path}`],
  ['a domain that begins otherwise', `https://evil-claude.ai${path}`],
  ['a subdomain', `https://evil.claude.ai${path}`],
  ['a dot at the domain’s end', `https://claude.ai.${path}`],
  ['a letter of another alphabet', `https://cl\u0430ude.ai${path}`],
  ['http', claude.replace('https', 'http')],
  ['no scheme', `//claude.ai${path}`],
  ['a blank before it', ` ${claude}`],
  ['a line break after it', `${claude}\n`],
  ['a header after it', `${claude}\r\nSet-Cookie: canary=1`],
  ['a NUL after it', `${claude}\0`],
  ['two in one', `${claude} https://evil.example/`],
  ['a script', 'javascript:alert(1)//https://claude.ai'],
  ['a scheme of an app', 'claude://callback'],
  ['loopback by https', 'https://localhost:3000/callback'],
  ['loopback’s name in another domain', 'http://localhost.evil.example/callback'],
  ['loopback’s address in another domain', 'http://127.0.0.1.evil.example/callback'],
  ['loopback as a user', 'http://localhost:80@evil.example/callback'],
  ['loopback in other letters', 'http://LOCALHOST:3000/callback'],
  ['another loopback address', 'http://127.0.0.2:3000/callback'],
  ['a loopback address as one number', 'http://2130706433/callback'],
  ['a loopback address in hexadecimal', 'http://0x7f.0.0.1/callback'],
  ['a loopback address inside of IPv6', 'http://[::ffff:127.0.0.1]/callback'],
  ['the address of no host', 'http://0.0.0.0/callback'],
  ['a loopback port above all', 'http://127.0.0.1:99999/callback'],
  ['a loopback port just above all', 'http://127.0.0.1:65536/callback'],
  ['loopback port 0', 'http://127.0.0.1:0/callback'],
  ['a loopback port with a zero before it', 'http://127.0.0.1:03000/callback'],
  ['no loopback port after the colon', 'http://127.0.0.1:/callback'],
  ['another path on IPv6 loopback', 'http://[::1]:3000/elsewhere'],
  ['a slash after loopback’s path', 'http://localhost:3000/callback/'],
  ['a query after loopback’s path', 'http://localhost:3000/callback?x'],
  ['a fragment after loopback’s path', 'http://localhost:3000/callback#x'],
  ['a line break after loopback’s path', 'http://localhost:3000/callback\n'],
  ['an encoded letter in loopback’s path', 'http://localhost:3000/%63allback'],
  ['a dot in loopback’s path', 'http://localhost:3000/./callback'],
  ['loopback without a path', 'http://localhost:3000'],
];

const refused = (name: string, request: Row[1], reason = 'unknown_redirect_uri'): Row => [
  name,
  request,
  400,
  'invalid_request',
  reason,
];

const evil = { redirect_uri: `https://claude.ai.evil.example${path}` };

export const redirect: readonly Row[] = [
  ...uris.map(([name, uri]) => refused(name, (it: Target) => it.authorize({ redirect_uri: uri }))),
  refused('one twice', (it) => it.authorize({}, `&redirect_uri=${claude}`), 'malformed'),
  refused('another domain, through nginx', (it) => throughNginx(it.authorize(evil))),
  refused('another domain, asked for by a browser', (it) => it.authorize(evil, '', ['Accept: text/html'])),
];
