/** The way from a path below the root to a directory: which links count, whom it trusts, and what is refused. */
import { chmodSync, chownSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { toPublicError } from '../../src/errors.ts';
import { createRealHost } from '../../src/effects/host/real.ts';
import { errnoOf } from '../../src/errno.ts';
import { locate, notRoot } from '../../src/effects/host/resolve.ts';
import { temporaryRoot } from '../support/installer.ts';

const nobody = 65_534;
const other = 12_345;

afterEach(() => {
  vi.restoreAllMocks();
});

/** A root with directories, and what else `make` puts into it. */
function rootWith(directories: readonly string[], make: (at: (file: string) => string) => void) {
  const root = temporaryRoot();
  const at = (file: string): string => path.join(root.path, file);
  for (const directory of directories) mkdirSync(at(directory), { recursive: true });
  make(at);
  return {
    ...root,
    host: createRealHost({ root: root.path }),
    at,
    [Symbol.dispose]: () => root[Symbol.dispose](),
  };
}

const refusal = (look: () => unknown): unknown => {
  try {
    return look();
  } catch (error) {
    const { code, message } = toPublicError(error);
    return [code, message];
  }
};
const textOf = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString();

describe('a path', () => {
  test('may have dots and slashes too many, and links that stay inside, absolute or relative', () => {
    using root = rootWith(['a', 'x/y/z', 'z'], (at) => {
      writeFileSync(at('a/file'), 'in a');
      writeFileSync(at('x/y/z/file'), 'in z');
      symlinkSync('/a', at('x/y/absolute'));
      symlinkSync('../../a', at('x/y/relative'));
      symlinkSync('z', at('x/y/beside'));
      symlinkSync('./z//', at('x/y/slash'));
      symlinkSync('../../../../../a', at('x/y/above'));
      symlinkSync('..', at('x/y/up'));
    });
    const { host } = root;
    const ways = ['/a', '//.//a/.', '/x/y/absolute', '/x/y/relative', '/x/y/above', '/x/y/up/y/relative'];
    expect(ways.map((way) => textOf(host.readFile(`${way}/file`)))).toEqual(ways.map(() => 'in a'));
    const beside = ['/x/y/beside/file', '/x/y/slash/file'];
    expect(beside.map((file) => textOf(host.readFile(file)))).toEqual(['in z', 'in z']);
  });

  test.each(['', '/', '.', '/..', '/a/..', '/a/../b', '../a'])('that is %j is none of a file', (file) => {
    using root = rootWith(['a'], () => undefined);
    expect(refusal(() => root.host.lstat(file))).toEqual([
      'E_PATH_UNSAFE',
      `${file} cannot be trusted: it is no path of a file.`,
    ]);
  });

  test('may have as many links as the kernel follows, and not one more', () => {
    using root = rootWith(['l0'], (at) => {
      writeFileSync(at('l0/file'), 'x');
      for (let each = 1; each <= 41; each += 1) symlinkSync(`l${each - 1}`, at(`l${each}`));
    });
    expect(textOf(root.host.readFile('/l40/file'))).toBe('x');
    expect(refusal(() => root.host.readFile('/l41/file'))).toEqual([
      'E_PATH_UNSAFE',
      '/l1 cannot be trusted: symlinks lead in a circle.',
    ]);
  });

  test('with a directory that is missing leads nowhere', () => {
    using root = rootWith(['a'], (at) => symlinkSync('nowhere', at('a/broken')));
    const { host } = root;
    expect([host.lstat('/a/none/file'), host.lstat('/a/broken/file'), host.list('/a/none')]).toEqual([
      null,
      null,
      null,
    ]);
  });

  test('below a root that is none is refused', () => {
    const host = createRealHost({ root: '/nowhere/at/all' });
    expect(refusal(() => host.lstat('/a'))).toEqual([
      'E_ROOT_INVALID',
      '--root /nowhere/at/all cannot be used: ENOENT.',
    ]);
  });
});

describe('what is refused is named from the root on:', () => {
  const swap = ' cannot be trusted: others may write this directory and swap what is in it.';
  test.each<[string, string, (at: (file: string) => string) => void, string]>([
    ['a directory at the top', '/a/x', (at) => chmodSync(at('a'), 0o777), `/a${swap}`],
    ['one that its group may write', '/a/x', (at) => chmodSync(at('a'), 0o775), `/a${swap}`],
    ['a directory further down', '/a/b/x', (at) => chmodSync(at('a/b'), 0o777), `/a/b${swap}`],
    [
      'a directory of somebody else',
      '/a/b/x',
      (at) => chownSync(at('a/b'), nobody, 0),
      '/a/b cannot be trusted: the directory belongs to uid 65534, who could swap what is in it.',
    ],
    [
      'a file at the top',
      '/f/x',
      (at) => writeFileSync(at('f'), ''),
      '/f cannot be trusted: it is not a directory.',
    ],
    [
      'a file further down',
      '/a/b/f/x',
      (at) => writeFileSync(at('a/b/f'), ''),
      '/a/b/f cannot be trusted: it is not a directory.',
    ],
    [
      'a circle at the top',
      '/loop/x',
      (at) => symlinkSync('loop', at('loop')),
      '/loop cannot be trusted: symlinks lead in a circle.',
    ],
    [
      'a circle further down',
      '/a/b/loop/x',
      (at) => symlinkSync('loop', at('a/b/loop')),
      '/a/b/loop cannot be trusted: symlinks lead in a circle.',
    ],
    [
      'a link of somebody else',
      '/a/link/x',
      (at) => {
        symlinkSync('b', at('a/link'));
        lchownSync(at('a/link'), nobody, nobody);
      },
      '/a/link cannot be trusted: the symlink belongs to uid 65534.',
    ],
  ])('%s', (_, file, spoil, message) => {
    using root = rootWith(['a/b'], spoil);
    expect(refusal(() => root.host.lstat(file))).toEqual(['E_PATH_UNSAFE', message]);
  });

  test('but not a directory in which nobody may rename what is another’s', () => {
    using root = rootWith(['a'], (at) => chmodSync(at('a'), 0o1777));
    expect(root.host.lstat('/a/x')).toBeNull();
  });
});

test('root and who stands for root are trusted, with directories and links, and nobody else', () => {
  using root = rootWith(['root', 'own', 'nobody'], (at) => {
    chownSync(at('own'), other, 0);
    chownSync(at('nobody'), nobody, 0);
    for (const [name, uid] of [
      ['byRoot', 0] as const,
      ['byOwn', other] as const,
      ['byNobody', nobody] as const,
    ]) {
      symlinkSync('root', at(name));
      lchownSync(at(name), uid, 0);
    }
  });
  const trusted = (name: string): boolean => {
    try {
      locate({ root: root.path, owner: other }, `/${name}/x`)!.close();
      return true;
    } catch {
      return false;
    }
  };
  const all = ['root', 'own', 'nobody', 'byRoot', 'byOwn', 'byNobody'];
  expect(all.filter(trusted)).toEqual(['root', 'own', 'byRoot', 'byOwn']);
});

describe('somebody who is not root', () => {
  const error = (code: string): Error => Object.assign(new Error(code), { code });
  const told = (root: string, code: string): string | null => {
    const refused = notRoot({ root }, '/etc/x', error(code));
    return refused === null ? null : toPublicError(refused).message;
  };

  test('is told to be root where that is what is missing', () => {
    vi.spyOn(process, 'geteuid').mockReturnValue(1000);
    const message = 'This must run as root, because nobody else may look at /etc/x.';
    expect([told('/', 'EACCES'), told('/', 'EPERM'), told('/', 'EIO'), told('/tmp', 'EACCES')]).toEqual([
      message,
      message,
      null,
      null,
    ]);
    expect(notRoot({ root: '/' }, '/etc/x', error('EPERM'))).toMatchObject({ code: 'E_NOT_ROOT' });
  });

  test('owns what is below a root directory, and nothing of the host', () => {
    vi.spyOn(process, 'geteuid').mockReturnValue(1000);
    vi.spyOn(process, 'getegid').mockReturnValue(1001);
    const [below, host] = [createRealHost({ root: '/tmp' }), createRealHost({ root: '/' })];
    expect([below.owner, below.group, host.owner, host.group]).toEqual([1000, 1001, 0, 0]);
  });

  test('is not root, who is told nothing of the kind', () => {
    expect(told('/', 'EACCES')).toBeNull();
  });
});

test('the code of an error is that of the system, and unknown for anything else', () => {
  const coded = Object.assign(new Error('x'), { code: 'EIO' });
  const all = [
    coded,
    Object.assign(new Error('x'), { code: 5 }),
    new Error('x'),
    { code: 'EIO' },
    'EIO',
    null,
  ];
  expect(all.map(errnoOf)).toEqual(['EIO', ...Array<string>(5).fill('unknown')]);
});

test('a file of other people is one through links too, as long as they end inside', () => {
  using root = rootWith(['a', 'd/e'], (at) => {
    writeFileSync(at('a/file'), '');
    symlinkSync('/a/file', at('d/e/absolute'));
    symlinkSync('../../a/file', at('d/e/relative'));
    symlinkSync('none', at('d/e/broken'));
    symlinkSync('none/file', at('d/e/nowhere'));
    symlinkSync('/', at('d/e/root'));
    symlinkSync('loop', at('d/e/loop'));
    symlinkSync('/etc/hostname', at('d/e/outside'));
    symlinkSync('a/file', at('l1'));
    for (let each = 2; each <= 41; each += 1) symlinkSync(`l${each - 1}`, at(`l${each}`));
  });
  const names = ['absolute', 'relative', 'broken', 'nowhere', 'root', 'loop', 'outside', 'none'];
  const files = [
    '/a/file',
    '/a',
    '/a/none',
    '/none/file',
    '/',
    '/l40',
    '/l41',
    ...names.map((name) => `/d/e/${name}`),
  ];
  expect(files.filter((file) => root.host.isFile(file))).toEqual([
    '/a/file',
    '/l40',
    '/d/e/absolute',
    '/d/e/relative',
  ]);
});
