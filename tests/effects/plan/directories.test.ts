/** A directory is made where it is missing, narrowed where it is ours, and refused where something else stands. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createMemoryHost } from '../../../src/effects/host/memory.ts';
import type { Host } from '../../../src/effects/host/port.ts';
import { createRealHost } from '../../../src/effects/host/real.ts';
import { directory, narrow } from '../../../src/effects/plan/directories.ts';
import { toPublicError } from '../../../src/errors.ts';
import type { DesiredDirectory } from '../../../src/products/product.ts';
import { place } from '../../support/place.ts';
import { emptyScope } from '../../support/scope.ts';
import { smallProduct } from '../../support/small-product.ts';

const path = '/etc/small';
const own: DesiredDirectory = { path, mode: 0o700, shared: false };

const planned = (host: Host, wanted: DesiredDirectory = own): unknown => {
  try {
    return directory(emptyScope({ host: { ...host, owner: 5, group: 6 }, product: smallProduct() }), wanted);
  } catch (error) {
    return toPublicError(error);
  }
};
const identity = { type: 'directory', hash: null, mode: 0o700, uid: 5, gid: 6 } as const;
const refused = (why: string) => ({
  code: 'E_PATH_UNSAFE',
  message: `${path} cannot be trusted: ${why}.`,
  remedy: 'Put a directory there, and run this again; it was not touched.',
});

describe('a directory', () => {
  const host = createMemoryHost({ files: { [`${path}/x`]: '' } });

  test('that is missing is made, for whoever stands for root', () => {
    expect(planned(createMemoryHost())).toEqual({
      kind: 'makeDirectory',
      path,
      role: 'directory',
      action: 'create',
      before: null,
      after: identity,
      detail: [],
      because: null,
    });
  });

  test('that has another mode gets ours, and stays whose it is', () => {
    const there = { ...identity, uid: 0, gid: 0 };
    expect(planned(host)).toEqual({
      kind: 'narrowMode',
      path,
      role: 'directory',
      action: 'replace',
      before: { ...there, mode: 0o755 },
      after: there,
      detail: ['0700'],
      because: 'mode 0755',
    });
  });

  test('that has our mode, or is shared, stays as it is', () => {
    expect(planned(host, { ...own, mode: 0o755 })).toBeNull();
    expect(planned(host, { ...own, shared: true })).toBeNull();
  });

  test.each([false, true])('is refused where a file stands, shared: %s', (shared) => {
    expect(planned(createMemoryHost({ files: { [path]: '' } }), { ...own, shared })).toEqual(
      refused('it is not a directory'),
    );
  });

  test('may be a link to one below the root, which is left alone', () => {
    using root = place();
    mkdirSync(root.at('/etc'), { mode: 0o755 });
    mkdirSync(root.at('/srv'), { mode: 0o755 });
    symlinkSync('/srv', root.at(path));
    expect(planned(createRealHost({ root: root.path }))).toBeNull();
  });

  test('is refused where a link leads to none', () => {
    using root = place();
    mkdirSync(root.at('/etc'), { mode: 0o755 });
    symlinkSync('/srv', root.at(path));
    expect(planned(createRealHost({ root: root.path }))).toEqual(
      refused('the symlink leads to no directory below the root'),
    );
  });
});

test('modes are told with four digits', () => {
  const before = { type: 'file', hash: 'a', mode: 0o44, uid: 1, gid: 2 } as const;
  expect(narrow('/etc/x', 'env', before, 0o4)).toEqual({
    kind: 'narrowMode',
    path: '/etc/x',
    role: 'env',
    action: 'replace',
    before,
    after: { type: 'file', hash: 'a', mode: 0o4, uid: 1, gid: 2 },
    detail: ['0004'],
    because: 'mode 0044',
  });
});
