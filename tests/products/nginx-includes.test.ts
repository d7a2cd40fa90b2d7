/** Which files nginx reads, as its configuration tells it. */
import { expect, test } from 'vitest';
import { isRead } from '../../src/products/mcp-oauth-proxy/nginx-includes.ts';
import type { HostView } from '../../src/products/product.ts';

const zones = '/etc/nginx/conf.d/mcp-oauth-proxy.conf';

function viewOf(files: Readonly<Record<string, string>>): HostView {
  return {
    fileAt: () => 'missing',
    exists: () => false,
    readText: () => null,
    foreignText: (path) => files[path] ?? null,
    list: (path) =>
      Object.keys(files)
        .filter((file) => file.startsWith(`${path}/`))
        .map((file) => file.slice(path.length + 1)),
    ipv6: true,
  };
}

const judged = (main: string, others: Readonly<Record<string, string>> = {}): boolean | null =>
  isRead(viewOf({ '/etc/nginx/nginx.conf': main, ...others }), zones);

test.each([
  ['Debian’s', 'http {\n  include /etc/nginx/conf.d/*.conf;\n  include /etc/nginx/sites-enabled/*;\n}'],
  ['a relative path', 'http { include conf.d/*.conf; }'],
  ['everything there', 'http { include "conf.d/*"; }'],
  ['the file itself', `http { include '${zones}'; }`],
])('%s is an include of the file', (_, main) => {
  expect(judged(main)).toBe(true);
});

test.each([
  ['another directory', 'http { include /etc/nginx/sites-enabled/*; }'],
  ['other names', 'http { include conf.d/*.inc; }'],
  ['a comment', 'http {\n  # include conf.d/*.conf;\n}'],
  ['nothing', 'events { }'],
])('%s is none', (_, main) => {
  expect(judged(main)).toBe(false);
});

test('an include is followed, also around in a circle', () => {
  const http = { '/etc/nginx/http/a.conf': 'include http.conf;' };
  expect(judged('include http/*.conf;', { ...http, '/etc/nginx/http.conf': 'include conf.d/*.conf;' })).toBe(
    true,
  );
  expect(judged('include http/*.conf;', { ...http, '/etc/nginx/http.conf': 'include nginx.conf;' })).toBe(
    false,
  );
});

test('what cannot be read is not judged', () => {
  expect(isRead(viewOf({}), zones)).toBeNull();
  expect(judged('include elsewhere.conf;')).toBeNull();
  expect(judged('include */x.conf;')).toBeNull();
});
