/** What a killed run has left beside the paths that are managed, and nothing else of that directory. */
import { expect, test } from 'vitest';
import { createMemoryHost } from '../../../src/effects/host/memory.ts';
import { leftovers, type Managed } from '../../../src/effects/plan/leftovers.ts';
import { emptyScope } from '../../support/scope.ts';
import { smallProduct } from '../../support/small-product.ts';

const temporary = (name: string, digits = '0123456789abcdef'): string =>
  `.${name}.${digits}.mcp-installer-tmp`;

/** What is removed, and which directories were read. */
function found(paths: readonly string[], managed: Partial<Managed>) {
  const memory = createMemoryHost({ files: Object.fromEntries(paths.map((path) => [path, ''])) });
  const read: string[] = [];
  const host = { ...memory, list: (path: string) => (read.push(path), memory.list(path)) };
  const scope = emptyScope({ host, product: smallProduct() });
  return { operations: leftovers(scope, { files: [], links: [], ...managed }), read };
}
const removed = (paths: readonly string[], managed: Partial<Managed>): readonly string[] =>
  found(paths, managed).operations.map(({ path }) => path);

test('a leftover goes: it is told that it was a killed run’s', () => {
  const path = `/etc/small/${temporary('.env')}`;
  expect(found([path], { files: ['/etc/small/.env'] }).operations).toEqual([
    {
      kind: 'removeLeftover',
      path,
      role: 'leftover of a killed run',
      action: 'remove',
      before: null,
      after: null,
      detail: [],
      because: null,
    },
  ]);
});

test('of a file it lies beside it, also directly below the root', () => {
  const beside = [`/etc/${temporary('x')}`, `/${temporary('x')}`];
  expect(removed(beside, { files: ['/etc/x', '/x'] })).toEqual(beside);
});

test('of a link it lies beside its directory, also directly below the root', () => {
  const beside = [`/etc/${temporary('x')}`, `/${temporary('y')}`];
  const within = [`/etc/links/${temporary('x')}`, `/links/${temporary('y')}`];
  expect(removed([...beside, ...within], { links: ['/etc/links/x', '/links/y'] })).toEqual(beside);
  // The root is beside itself.
  expect(removed([`/${temporary('z')}`], { links: ['/z'] })).toEqual([`/${temporary('z')}`]);
});

test('what belongs to no managed path stays, and so does what only looks like it', () => {
  const others = [
    `/etc/${temporary('y')}`,
    `/etc/${temporary('x', '0123')}`,
    '/etc/.x.0123456789abcdef',
    '/etc/x',
    '/etc/x.mcp-new',
  ];
  expect(removed(others, { files: ['/etc/x'] })).toEqual([]);
});

test('a directory is read once, however many paths are managed in it, and may be missing', () => {
  const files = ['/etc/x', '/etc/y', '/gone/z', '/gone/w'];
  const own = [`/etc/${temporary('x')}`, `/etc/${temporary('y')}`];
  expect(found(own, { files })).toMatchObject({
    operations: own.map((path) => ({ path })),
    read: ['/etc', '/gone'],
  });
});
