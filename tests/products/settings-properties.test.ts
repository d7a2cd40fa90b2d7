/**
 * Whatever a value looks like, it is refused, or it is read back as itself from the unit,
 * the site and the env file, and nothing but itself.
 */
import fc from 'fast-check';
import { parse as parseDotenv } from 'dotenv';
import { expect, test } from 'vitest';
import { EnvFile, renderEnvFile } from '../../src/effects/env-file.ts';
import { mcpOauthProxy } from '../../src/products/mcp-oauth-proxy/index.ts';
import { validateBearer, validatePassword } from '../../src/products/mcp-oauth-proxy/settings.ts';
import type { Desired, HostView, Settings, Validated } from '../../src/products/product.ts';
import { cases } from '../support/cases.ts';
import { directivesOf, parametersOf, type Directive } from '../support/nginx-text.ts';

const letters = Array.from('abcXYZ019-._~:/?#[]@!$&\'()*+,;=%{}"\\`<>|^ \t\n\r\0é😀\u2028\u0085\ud800');
const hostile = fc.constantFrom(
  ...letters,
  '\nExecStartPre=/bin/sh -c id\n',
  '; include /etc/passwd;',
  'a{}',
  '$host',
  '${host}',
  '$(id)',
  '%n',
  '%20',
  '..',
  '//',
);
const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/u);
const hostName = fc
  .tuple(fc.array(label, { minLength: 1, maxLength: 4 }), fc.constantFrom('org', 'example', 'xn--p1ai', 'рф'))
  .map(([labels, top]) => [...labels, top].join('.'));
const path = fc
  .array(fc.stringMatching(/^[A-Za-z0-9_@%+=:,.-]{1,12}$/u), { minLength: 1, maxLength: 5 })
  .map((parts) => `/${parts.join('/')}`);
const tail = fc.stringMatching(/^(\/[A-Za-z0-9._~%-]{0,8}){0,3}(\?[a-z0-9=&*!()]{0,10})?$/u);
const url = fc
  .tuple(
    fc.constantFrom('http', 'https', 'HTTPS', 'ftp'),
    fc.oneof(hostName, fc.constantFrom('127.0.0.1', '[::1]', 'localhost', '127.8.9.1', 'user:pw@localhost')),
    fc.constantFrom('', ':1', ':8000', ':443', ':65535', ':65536'),
    tail,
  )
  .map(([scheme, host, port, rest]) => `${scheme}://${host}${port}${rest}`);
const plain: Readonly<Record<string, fc.Arbitrary<string>>> = {
  DOMAIN: hostName,
  LISTEN_PORT: fc.integer({ min: 0, max: 70_000 }).map(String),
  BACKEND_URL: url,
  PUBLIC_URL: url,
  TLS_CERT: path,
  TLS_KEY: path,
  REDIRECT_URIS: fc.array(url, { minLength: 1, maxLength: 3 }).map((urls) => urls.join(',')),
  INSECURE_HTTP: fc.constantFrom('1', 'yes', '0', ''),
  NO_NGINX: fc.constantFrom('1', 'no', ''),
};
/** A value as a person types it, one with something in it that means something to somebody, or noise. */
const typed = (good: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof(
    { arbitrary: good, weight: 5 },
    {
      arbitrary: fc
        .tuple(good, hostile, fc.nat())
        .map(
          ([text, bad, at]) =>
            `${text.slice(0, at % (text.length + 1))}${bad}${text.slice(at % (text.length + 1))}`,
        ),
      weight: 3,
    },
    { arbitrary: fc.array(hostile, { maxLength: 12 }).map((parts) => parts.join('')), weight: 1 },
  );

const settingOf = (key: string) => mcpOauthProxy.settings.find((spec) => spec.key === key)!;

/** A host on which certificates are there, or none is, and nothing of the installer's. */
const viewOf = (certificates: boolean): HostView => ({
  fileAt: () => (certificates ? 'file' : 'missing'),
  exists: () => false,
  readText: () => null,
  foreignText: (file) =>
    file === '/etc/nginx/nginx.conf' ? 'http { include conf.d/*.conf; include sites-enabled/*; }' : null,
  list: () => [],
  ipv6: true,
});

function desiredFor(settings: Settings, certificates = true): Desired | null {
  const view = viewOf(certificates);
  const result = mcpOauthProxy.desired({ settings, given: settings, view, code: new Uint8Array() });
  return result.ok ? result.desired : null;
}

const textAt = (desired: Desired, end: string): string =>
  Buffer.from(desired.files.find(({ path: file }) => file.endsWith(end))?.content ?? '').toString();

/** Names and blocks without the parameters: what no value may change. */
const skeleton = (directives: readonly Directive[]): unknown =>
  directives.map(({ words, block }) => (block === null ? words[0] : [words[0], skeleton(block)]));

/** Lines of a unit, each as its key: what no value may change. */
const keysOf = (unit: string): readonly string[] => unit.split('\n').map((line) => line.split('=')[0]!);

test.each(Object.keys(plain))(
  '%s: what is accepted is canonical, and read back from an env file (security 16, 19)',
  (key) => {
    const validate = (value: string): Validated => settingOf(key).validate(value);
    fc.assert(
      fc.property(typed(plain[key]!), (given) => {
        const judged = validate(given);
        const value = judged.ok ? judged.value : '';
        fc.pre(value !== '');
        expect(validate(value)).toEqual({ ok: true, value });
        expect(value).toMatch(/^[\x21-\x7e]+$/u);
        const bytes = renderEnvFile([[key, value]]);
        const file = EnvFile.parse(bytes, { secrets: [], settings: [key] });
        expect(file.ok && [file.file.keys(), file.file.get(key)]).toEqual([[key], value]);
        expect(parseDotenv(Buffer.from(bytes))).toEqual({ [key]: value });
      }),
      cases,
    );
  },
);

test.each([
  ['MCP_TOKEN', validateBearer, /[A-Za-z0-9._~+/-]{16,40}={0,2}/u],
  ['OWNER_PASSWORD', validatePassword, /[A-Za-z0-9._~+/=:,@%!?*-]{12,40}/u],
] as const)('%s: what is accepted is read back from an env file (security 16)', (key, validate, pattern) => {
  fc.assert(
    fc.property(typed(fc.stringMatching(new RegExp(`^${pattern.source}$`, 'u'))), (given) => {
      const judged = validate(given);
      fc.pre(judged.ok);
      expect(judged).toEqual({ ok: true, value: given });
      const bytes = renderEnvFile([[key, given]]);
      const file = EnvFile.parse(bytes, { secrets: [key], settings: [] });
      expect(file.ok && file.file.get(key)).toBe(given);
    }),
    cases,
  );
});

test('all accepted values together are read back from units and site, and change nothing else in them (security 17, 18, 19)', () => {
  const accepted = (key: string): fc.Arbitrary<string | undefined> =>
    fc.option(
      typed(plain[key]!)
        .map((given) => settingOf(key).validate(given))
        .filter((judged) => judged.ok && judged.value !== '')
        .map((judged) => (judged as Extract<Validated, { ok: true }>).value),
      { nil: undefined },
    );
  const all = fc.record(Object.fromEntries(Object.keys(plain).map((key) => [key, accepted(key)])));
  // Local, with TLS, waiting for a certificate, without one on purpose: chance alone hardly ever makes all of them.
  const domain = { DOMAIN: 'mcp.example.org' };
  const kinds: [Record<string, string | undefined>, boolean][] = [
    [{}, false],
    [domain, true],
    [domain, false],
    [{ ...domain, INSECURE_HTTP: '1' }, false],
  ];
  const services = ['http://127.0.0.1:8000/mcp', 'https://example.org/mcp'].map((backend) =>
    textAt(desiredFor({ BACKEND_URL: backend })!, '.service'),
  );
  const golden = new Map<string, unknown>();
  fc.assert(
    fc.property(all, fc.boolean(), (values, certificates) => {
      const settings = Object.fromEntries(
        Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
      );
      const desired = desiredFor(settings, certificates);
      fc.pre(desired !== null);
      const port = settings['LISTEN_PORT'] ?? '8083';
      const socket = textAt(desired, '.socket');
      expect([...socket.matchAll(/^ListenStream=(.*)$/gmu)].map(([, value]) => value)).toEqual([
        `127.0.0.1:${port}`,
      ]);
      const service = textAt(desired, '.service');
      const site = textAt(desired, 'sites-available/mcp-oauth-proxy.conf');
      const snippet = textAt(desired, 'snippets/mcp-oauth-proxy.conf');
      const [inSite, inSnippet] = [directivesOf(site), directivesOf(snippet)];
      const { DOMAIN: name, TLS_CERT: cert, TLS_KEY: key } = settings;
      if (inSite.length > 0) {
        const servers = inSite.length;
        expect(parametersOf(inSite, 'server_name')).toEqual(Array(servers).fill(name ?? 'localhost'));
        const served = servers === 2 ? [cert ?? expect.stringContaining(name!)] : [];
        expect(parametersOf(inSite, 'ssl_certificate')).toEqual(served);
        expect(parametersOf(inSite, 'ssl_certificate_key')).toEqual(
          servers === 2 ? [key ?? expect.stringContaining(name!)] : [],
        );
        if (name === undefined)
          expect(parametersOf(inSite, 'listen')).toEqual([`127.0.0.1:${Number(port) + 1}`]);
        for (const target of parametersOf(inSnippet, 'proxy_pass'))
          expect(target).toBe(`http://127.0.0.1:${port}`);
      }
      // Of each kind of site there is one shape, whatever the values are.
      const kind = `${parametersOf(inSite, 'listen').join()} ${parametersOf(inSnippet, 'proxy_pass').length}`;
      const shape = {
        site: skeleton(inSite),
        snippet: skeleton(inSnippet),
        socket: keysOf(socket),
        service: keysOf(service).filter((each) => !each.startsWith('IPAddress')),
      };
      const of = name === undefined ? 'local' : kind;
      if (inSite.length > 0) {
        if (!golden.has(of)) golden.set(of, shape);
        expect(shape).toEqual(golden.get(of));
      }
      // No value but the port stands in a unit; whether the backend is elsewhere decides about two lines.
      expect(services).toContain(service);
    }),
    { ...cases, examples: kinds },
  );
  expect(golden.size).toBe(kinds.length);
});
