/** The page of what is promised for security, held against the tests that show it: `(security N)` ends a title. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { repositoryRoot } from '../hosts/support/base.ts';

const items = 31;
const read = (file: string): string => readFileSync(path.join(repositoryRoot, file), 'utf8');

interface Row {
  readonly item: number;
  readonly promise: string;
  readonly files: readonly string[];
  /** Why there is no test. */
  readonly reason: string | null;
}

const rows = [...read('docs/reference/security.md').matchAll(/^\| (\d+) +\| (.*?) +\| (.*?) +\|$/gmu)].map(
  ([, item, promise = '', shown = '']): Row => ({
    item: Number(item),
    promise,
    files: [...shown.matchAll(/`(tests\/[^`]+)`/gu)].map(([, file = '']) => file),
    reason: /^(?:Not yet|Does not apply): (.+\.)$/u.exec(shown)?.[1] ?? null,
  }),
);

const own = path.relative(repositoryRoot, import.meta.filename);
const testFiles = readdirSync(path.join(repositoryRoot, 'tests'), { recursive: true, encoding: 'utf8' })
  .map((name) => `tests/${name}`)
  .filter((file) => file.endsWith('.test.ts') && file !== own);

/** The end of a title: the first argument of a call, on a line of its own or not. */
const title = /(?:^\s*|\()(['`]).*\(security (\d+(?:, \d+)*)\)\1,/gmu;

test('each item stands on the page once, in order, with what is promised', () => {
  expect(rows.map(({ item }) => item)).toEqual(Array.from({ length: items }, (_, nth) => nth + 1));
  expect(rows.filter(({ promise }) => !promise.endsWith('.'))).toEqual([]);
});

test('each item has tests that are there, or a reason why it has none', () => {
  expect(rows.filter(({ files, reason }) => files.length > 0 === (reason !== null))).toEqual([]);
  expect(
    rows.flatMap(({ files }) => files).filter((file) => !existsSync(path.join(repositoryRoot, file))),
  ).toEqual([]);
});

test('the tests that name an item are those that the page names for it', () => {
  const named = testFiles.flatMap((file) =>
    [...read(file).matchAll(title)].flatMap(([, , numbers = '']) =>
      numbers.split(', ').map((number) => `${number} ${file}`),
    ),
  );
  const listed = rows.flatMap(({ item, files }) => files.map((file) => `${item} ${file}`));
  expect([...new Set(named)].sort()).toEqual(listed.sort());
});

test('an item is named at the end of a title, and nowhere else', () => {
  const elsewhere = testFiles.filter(
    (file) => [...read(file).matchAll(/\(security\b/gu)].length !== [...read(file).matchAll(title)].length,
  );
  expect(elsewhere).toEqual([]);
});
