/** What each setting takes, into which spelling it is put, and the last value on either side of each limit. */
import { describe, expect, test } from 'vitest';
import { mcpOauthProxy } from '../../src/products/mcp-oauth-proxy/index.ts';
import {
  portOf,
  publicUrl,
  settings,
  settingsOfInstance,
  validateBearer,
  validatePassword,
} from '../../src/products/mcp-oauth-proxy/settings.ts';
import type { Validated } from '../../src/products/product.ts';
import { isLoopback, show } from '../../src/products/validators.ts';

const settingOf = (key: string) => settings.find((spec) => spec.key === key)!;
/** What becomes of a value; null where it is refused. */
const into = (judged: Validated): string | null => (judged.ok ? judged.value : null);
const why = (judged: Validated): string | null => (judged.ok ? null : judged.why);
const label = (length: number): string => 'a'.repeat(length);
/** A host name of `length` letters. */
const named = (length: number): string => `${`${label(50)}.`.repeat(4)}${label(length - 208)}.org`;

const taken: Readonly<Record<string, readonly (readonly [string, string | null])[]>> = {
  DOMAIN: [
    ['mcp.example.org', 'mcp.example.org'],
    ['MCP.Example.ORG', 'mcp.example.org'],
    ['mcp.example.org.', 'mcp.example.org'],
    ['mcp.example.org..', null],
    ['münchen.example', 'xn--mnchen-3ya.example'],
    ['a-b.c1', 'a-b.c1'],
    ['a.b', 'a.b'],
    ['1.a', '1.a'],
    ['localhost', null],
    ['a.1', null],
    ['a.-b', null],
    ['-a.b', null],
    ['a-.b', null],
    ['a.b-', null],
    ['.a.b', null],
    ['a..b', null],
    ['a_b.c', null],
    ['*.a.b', null],
    [' a.b', null],
    ['\ta.b', null],
    ['a\n.b', null],
    ['a.b ', null],
    ['a.b\n', null],
    ['', null],
    [`${label(63)}.org`, `${label(63)}.org`],
    [`${label(64)}.org`, null],
    [`a.${label(63)}`, `a.${label(63)}`],
    [`a.${label(64)}`, null],
    [named(253), named(253)],
    [named(254), null],
    ['127.0.0.1', null],
    ['::1', null],
  ],
  LISTEN_PORT: [
    ['1023', null],
    ['1024', '1024'],
    ['65534', '65534'],
    ['65535', null],
    ['08080', '8080'],
    ['008080', null],
    ['x8080', null],
    ['8080x', null],
    ['80.5', null],
    ['', null],
  ],
  BACKEND_URL: [
    ['https://%22a.example.org/mcp', null],
    ['https://a%7B.example.org/mcp', null],
    ['http://127.0.0.1:8000/mcp', 'http://127.0.0.1:8000/mcp'],
    ['http://127.9.9.9', 'http://127.9.9.9/'],
    ['http://localhost/a?b=c', 'http://localhost/a?b=c'],
    ['http://[::1]:1/', 'http://[::1]:1/'],
    ['HTTPS://Example.org', 'https://example.org/'],
    ['http://example.org/', null],
    ['http://127.example.org/', null],
    ['http://128.0.0.1/', null],
    ['http://[::2]/', null],
    ['ftp://localhost/', null],
    ['https://example.org/#a', null],
    ['https://user@example.org/', null],
    ['https://:password@example.org/', null],
    ['https:///user@example.org/', null],
    ['https://example.org/a@b', 'https://example.org/a@b'],
    ['https://example.org/?a=//b@c', 'https://example.org/?a=//b@c'],
    ['https://example.org/a//b@c', 'https://example.org/a//b@c'],
    ['//@', null],
    ['example.org', null],
    ['https://example.org/a b', null],
    ['https://example.org/ä', null],
    ['', null],
    ...Array.from('"\'`\\${};<>|^').map((letter) => [`https://example.org/${letter}a`, null] as const),
  ],
  PUBLIC_URL: [
    ['https://%22a.example.org', null],
    ['https://a%24b.example.org', null],
    ['https://mcp.example.org', 'https://mcp.example.org'],
    ['https://mcp.example.org/', 'https://mcp.example.org'],
    ['https://mcp.example.org:443', 'https://mcp.example.org'],
    ['https://mcp.example.org:8443', 'https://mcp.example.org:8443'],
    ['http://localhost:8084', 'http://localhost:8084'],
    ['http://mcp.example.org', null],
    ['https://mcp.example.org/path', null],
    ['https://mcp.example.org/?a', null],
    ['https://mcp.example.org/#a', null],
    ['https://user@mcp.example.org', null],
    ['https://:password@mcp.example.org', null],
    ['ftp://localhost', null],
    ['mcp.example.org', null],
    ['', null],
  ],
  TLS_CERT: [
    ['/etc/ssl/a_@%+=:,.-Z9.pem', '/etc/ssl/a_@%+=:,.-Z9.pem'],
    ['//etc///ssl/a.pem', '/etc/ssl/a.pem'],
    ['/a', '/a'],
    ['/a/..b', '/a/..b'],
    ['/', null],
    ['/a/', null],
    ['/a/../b', null],
    ['a', null],
    ['a/b', null],
    ['/a b', null],
    ['/a;b', null],
    ['/a\n', null],
    ['', null],
    [`/${label(4095)}`, `/${label(4095)}`],
    [`/${label(4096)}`, null],
  ],
  REDIRECT_URIS: [
    ['https://a.example/cb', 'https://a.example/cb'],
    [' https://a.example/cb , https://b.example/cb ', 'https://a.example/cb,https://b.example/cb'],
    ['https://a.example/cb,https://a.example/cb', 'https://a.example/cb'],
    ['http://127.0.0.1:1/cb', 'http://127.0.0.1:1/cb'],
    ['https://a.example/cb,http://a.example/cb', null],
    ['ftp://localhost/cb', null],
    ['https://a.example/#a', null],
    ['https://user@a.example/', null],
    ['https://:password@a.example/', null],
    ['https://a.example/,', null],
    ['', null],
  ],
  INSECURE_HTTP: [
    ...['1', 'true', 'yes', 'TRUE', 'Yes'].map((value) => [value, '1'] as const),
    ...['', '0', 'false', 'no', 'False', 'NO'].map((value) => [value, ''] as const),
    ...['2', 'on', ' ', 'y'].map((value) => [value, null] as const),
  ],
};

describe.each(Object.entries(taken))('%s', (key, values) => {
  test.each(values)('%j becomes %j', (given, canonical) => {
    expect(into(settingOf(key).validate(given))).toBe(canonical);
  });
});

test('what is refused is told by what is wrong with it', () => {
  const whyOf = (key: string, value: string): string | null => why(settingOf(key).validate(value));
  expect(whyOf('DOMAIN', '127.0.0.1')).toContain('"127.0.0.1" is an address');
  expect(whyOf('DOMAIN', '::1')).toContain('"::1" is an address');
  expect(whyOf('DOMAIN', 'a b')).toContain('"a b" is not a host name');
  expect(whyOf('BACKEND_URL', 'https://a:b@example.org')).toContain('do not belong into a URL');
  expect(whyOf('BACKEND_URL', 'https://:b@example.org')).toContain('do not belong into a URL');
  expect(whyOf('BACKEND_URL', 'https://a@example.org')).toContain('do not belong into a URL');
  expect(whyOf('BACKEND_URL', '"://a@example.org')).toContain('do not belong into a URL');
  expect(whyOf('BACKEND_URL', 'https::b@example.org')).toContain('do not belong into a URL');
  expect(whyOf('BACKEND_URL', 'https:////a@example.org')).toContain('do not belong into a URL');
  expect(whyOf('BACKEND_URL', 'x?a=//b@c')).toContain('is not an http or https URL');
  expect(whyOf('BACKEND_URL', '//@')).toContain('do not belong into a URL');
  expect(whyOf('BACKEND_URL', 'ftp://localhost/#a')).toContain('is not an http or https URL');
  expect(whyOf('BACKEND_URL', 'http://example.org/#a')).toContain('fragment');
  expect(whyOf('BACKEND_URL', 'http://example.org/')).toContain('must be https');
  expect(whyOf('PUBLIC_URL', 'http://example.org')).toContain('"http://example.org" must be https');
  expect(whyOf('PUBLIC_URL', 'http://example.org/a')).toContain('must be an origin');
  expect(whyOf('INSECURE_HTTP', 'on')).toContain('"on" is neither');
});

test('a value that is shown is one short line', () => {
  expect([show('a\nb\tü~ '), show(label(80)), show(label(81))]).toEqual([
    '"a?b??~ "',
    `"${label(80)}"`,
    `"${label(80)}…"`,
  ]);
});

test('what never leaves this machine', () => {
  const hosts = ['localhost', '[::1]', '127.0.0.1', '127.255.0.1', '::1', '128.0.0.1', '127.0.0.1.a', 'a'];
  expect(hosts.filter(isLoopback)).toEqual(['localhost', '[::1]', '127.0.0.1', '127.255.0.1']);
});

test.each<[string, (value: string) => Validated, string, string, number, number]>([
  ['a bearer token', validateBearer, 'aZ9._~+/-', ' :@!"#', 16, 4096],
  ['a password', validatePassword, 'aZ9._~+/=:,@%!?*-', ' \'"#$`\\&', 12, 128],
])('%s is of these characters and that long', (_, validate, good, bad, least, most) => {
  const filled = (start: string, length: number): string => start.padEnd(length, 'a');
  for (const value of [filled(good, least + 8), filled('', least), filled('', most)])
    expect(validate(value)).toEqual({ ok: true, value });
  const refused = [
    filled('', least - 1),
    filled('', most + 1),
    ...Array.from(bad, (each) => filled(each, 20)),
  ];
  for (const value of [...refused, `${filled('', 20)}\n`, `${filled('', 20)} `, ''])
    expect(validate(value)).toEqual({
      ok: false,
      why: expect.stringMatching(/^it must hold one line/u) as string,
    });
});

test('a bearer token may end in padding, and has none elsewhere', () => {
  const token = label(16);
  expect([into(validateBearer(`${token}==`)), into(validateBearer(`${token}=a`))]).toEqual([
    `${token}==`,
    null,
  ]);
});

test('each setting has the option, the kind and the default that the documentation names', () => {
  const rows = settings.map(({ key, option, kind, placeholder, default: preset }) => [
    key,
    option,
    kind,
    placeholder,
    preset ?? null,
  ]);
  expect(rows).toEqual([
    ['DOMAIN', 'domain', 'text', 'HOST', null],
    ['LISTEN_PORT', 'port', 'text', 'N', '8083'],
    ['BACKEND_URL', 'backend-url', 'text', 'URL', 'http://127.0.0.1:8000/mcp'],
    ['PUBLIC_URL', 'public-url', 'text', 'URL', null],
    ['TLS_CERT', 'tls-cert', 'file', 'FILE', null],
    ['TLS_KEY', 'tls-key', 'file', 'FILE', null],
    ['REDIRECT_URIS', 'redirect-uris', 'text', 'URL,…', null],
    ['INSECURE_HTTP', 'insecure-http', 'flag', '', null],
    ['NO_NGINX', 'no-nginx', 'flag', '', null],
  ]);
  expect(mcpOauthProxy.settings).toEqual(settings);
});

test('an instance has the same settings, but no default of the port', () => {
  const own = ({ key }: { key: string }): boolean => key === 'LISTEN_PORT';
  expect(settingsOfInstance.filter((spec) => !own(spec))).toEqual(settings.filter((spec) => !own(spec)));
  const port = Object.fromEntries(
    Object.entries(settingOf('LISTEN_PORT')).filter(([name]) => name !== 'default'),
  );
  expect(settingsOfInstance.find(own)).toStrictEqual(port);
});

test('the origin that clients type', () => {
  const domain = { DOMAIN: 'mcp.example.org' };
  expect(publicUrl({ ...domain, PUBLIC_URL: 'https://other.example.org' })).toBe('https://other.example.org');
  expect(publicUrl(domain)).toBe('https://mcp.example.org');
  expect(publicUrl({ ...domain, INSECURE_HTTP: '' })).toBe('https://mcp.example.org');
  expect(publicUrl({ ...domain, INSECURE_HTTP: '1' })).toBe('http://mcp.example.org');
  expect([publicUrl({}), publicUrl({ LISTEN_PORT: '9000' })]).toEqual([
    'http://127.0.0.1:8084',
    'http://127.0.0.1:9001',
  ]);
  expect([portOf({}), portOf({ LISTEN_PORT: '9000' })]).toEqual([8083, 9000]);
});
