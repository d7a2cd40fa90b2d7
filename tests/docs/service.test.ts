/** The reference of the service says what its code says. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { repositoryRoot } from '../hosts/support/base.ts';

const read = (file: string): string => readFileSync(path.join(repositoryRoot, file), 'utf8');
const code = read('src/products/mcp-oauth-proxy/oauth_proxy.py');
const page = read('docs/reference/service.md');

const found = (text: string, pattern: RegExp): readonly string[] =>
  [...new Set([...text.matchAll(pattern)].flatMap(([, ...groups]) => groups.filter(Boolean)))].sort();

/** A constant's value, by its name in the code. */
const constant = (name: string): number => {
  const [, product = ''] = new RegExp(`^${name} = ([\\d. *]+)`, 'mu').exec(code) ?? [];
  return product.split('*').reduce((result, factor) => result * Number(factor), 1);
};

test('it lists every environment variable that is read, and no other', () => {
  const secrets = found(/^SECRETS = .*$/mu.exec(code)?.[0] ?? '', /"(\w+)"/gu);
  const others = found(code, /environ(?:\.get\(|\[)"(\w+)"/gu);
  const table = /## Environment\n([^]*?)\n## /u.exec(page)?.[1] ?? '';
  const first = table.split('\n').map((row) => row.split('|')[1] ?? '');
  expect(found(first.join(), /`([A-Z_]{3,})`/gu)).toEqual([...secrets, ...others].sort());
});

test('it lists every audit line, and no other', () => {
  const table = /## Audit lines\n([^]*)/u.exec(page)?.[1] ?? '';
  const first = table.split('\n').map((row) => row.split('|')[1] ?? '');
  const told = found(code, /(?:audit\(\s*"|event = "|words, "|else ")(started|[a-z]+\.[a-z]+)"/gu);
  expect(found(first.join(), /`([a-z.]+)`/gu).filter((word) => word !== 'audit')).toEqual(told);
});

/** The paths of the table that the code makes its routes of. */
function routes(): readonly string[] {
  const name = (constant: string): string => new RegExp(`^${constant} = "(.+)"`, 'mu').exec(code)?.[1] ?? '';
  const table = /^for path, methods, answer in \(([^]*?)^\):/mu.exec(code)?.[1] ?? '';
  const plain = found(table, /\(("\/[a-z]+"), \[/gu).map((path) => path.replaceAll('"', ''));
  const resource = found(
    /\(PROTECTED_RESOURCE \+ end.*? in \((.*)\)\)/u.exec(table)?.[1] ?? '',
    /("[^"]*")/gu,
  );
  const pairs = [
    ...(/for start, end in \((.*)\)$/mu.exec(table)?.[1] ?? '').matchAll(/\("([^"]*)", "([^"]*)"\)/gu),
  ];
  return [
    ...plain,
    ...resource.map((end) => name('PROTECTED_RESOURCE') + end.replaceAll('"', '')),
    ...['AUTHORIZATION_SERVER', 'OPENID'].flatMap((server) =>
      pairs.map(([, start = '', end = '']) => start + name(server) + end),
    ),
  ].sort();
}

test('its addresses are those of the code', () => {
  const table = /## Addresses\n([^]*?)\nAnything/u.exec(page)?.[1] ?? '';
  const rows = table.split('\n').map((row) => row.split('|')[1] ?? '');
  const told = rows.flatMap((row) => {
    const [, variant = ''] = /with `(\S+)` after it/u.exec(row) ?? [];
    const paths = found(row.replace(/with `\S+` after it/u, ''), /`(?:[A-Z]+ )?(\/[^`]*)`/gu);
    const varied = paths.filter((path) => variant !== '' && path.startsWith('/.'));
    return [...paths, ...varied.map((path) => path + variant)];
  });
  expect([...new Set(told)].sort()).toEqual(routes());
});

test.each([
  ['CODE_LIFETIME', 60, 'lives 60 seconds'],
  ['CONSENT_LIFETIME', 600, 'a signed value of ten minutes'],
  ['ACCESS_LIFETIME', 3600, 'of one hour'],
  ['REFRESH_LIFETIME', 180 * 24 * 3600, 'lives 180 days'],
  ['CROSSING', 30, 'within 30 seconds of being given'],
  ['WRONG_PASSWORDS', 10, 'after ten wrong ones in a minute from one address'],
  ['FORM_LIMIT', 16 * 1024, 'at most 16 KiB'],
  ['STATE_LIMIT', 2048, 'at most 2048 bytes'],
  ['BODY_LIMIT', 4 * 1024 * 1024, 'more than 4 MiB'],
  ['READ_AHEAD', 64 * 1024, 'first 64 KiB'],
  ['LINGER', 0.2, 'another 0.2 seconds'],
  ['GRACE', 2.5, 'two and a half seconds'],
  ['STOP_LIMIT', 3, 'after three seconds'],
])('%s is %d in the code, and the page says so', (name, value, words) => {
  expect(constant(name)).toBe(value);
  expect(page.replace(/\s+/gu, ' ')).toContain(words);
});
