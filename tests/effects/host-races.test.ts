/** Somebody who swaps things while the host looks, and a kernel that fails or lies half way. */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync as move,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { toPublicError } from '../../src/errors.ts';
import { isTemporaryOf } from '../../src/effects/host/atomic-file.ts';
import { createRealHost } from '../../src/effects/host/real.ts';
import { lookAt } from '../../src/effects/identity.ts';
import { temporaryRoot } from '../support/installer.ts';

type Fs = typeof import('node:fs');
type Call = (...args: never[]) => unknown;

interface Strikes {
  /** Takes the place of the call; what it returns counts unless that is `go`. */
  before: Partial<Record<keyof Fs, (...args: unknown[]) => unknown>>;
  after: Partial<Record<keyof Fs, (...args: unknown[]) => void>>;
}
const go = Symbol('go on');
const strikes = vi.hoisted((): Strikes => ({ before: {}, after: {} }));

vi.mock('node:fs', async (original) => {
  const real = await original<Fs>();
  const struck = ['fchmodSync', 'fsyncSync', 'lstatSync', 'openSync', 'renameSync', 'writeSync'] as const;
  const calls = struck.map((name) => [
    name,
    (...args: unknown[]): unknown => {
      const instead = strikes.before[name];
      if (instead !== undefined) {
        const result = instead(...args);
        if (typeof result !== 'symbol') return result;
      }
      const result = (real[name] as Call)(...(args as never[]));
      strikes.after[name]?.(...args);
      return result;
    },
  ]);
  return { ...real, ...(Object.fromEntries(calls) as Partial<Fs>) };
});

afterEach(() => {
  strikes.before = {};
  strikes.after = {};
});

function opened() {
  const root = temporaryRoot();
  const at = (file: string): string => path.join(root.path, file);
  mkdirSync(at('a/b/c'), { recursive: true });
  writeFileSync(at('a/b/file'), 'old');
  symlinkSync('file', at('a/b/link'));
  mkdirSync(at('other'));
  writeFileSync(at('other/file'), 'kept');
  const host = createRealHost({ root: root.path });
  return { host, at, [Symbol.dispose]: () => root[Symbol.dispose]() };
}
const told = async (make: () => unknown): Promise<unknown> => {
  try {
    return await make();
  } catch (error) {
    const { code, message, remedy } = toPublicError(error);
    return [code, message, remedy];
  }
};
const fails = (code: string) => (): never => {
  throw Object.assign(new Error(code), { code });
};
/** Once, after somebody has looked at the directory `b`. */
const afterLookAtB = (strike: () => void): void => {
  strikes.after.lstatSync = (file) => {
    if (!String(file).endsWith('/b')) return;
    strikes.after = {};
    strike();
  };
};
const whateverElse = 'Put the cause right and run this again.';
const putRight = 'Look at the path, put it right, and run this again.';

test('a directory that is swapped for another one while we look is refused', async () => {
  using root = opened();
  afterLookAtB(() => {
    move(root.at('a/b'), root.at('a/moved'));
    mkdirSync(root.at('a/b'));
  });
  expect(await told(() => root.host.lstat('/a/b/file'))).toEqual([
    'E_PATH_UNSAFE',
    '/a/b cannot be trusted: it was swapped while we looked.',
    putRight,
  ]);
});

test('a directory that is swapped for a link while we look is refused', async () => {
  using root = opened();
  afterLookAtB(() => {
    move(root.at('a/b'), root.at('a/moved'));
    symlinkSync('moved', root.at('a/b'));
  });
  expect(await told(() => root.host.lstat('/a/b/file'))).toEqual([
    'E_PATH_UNSAFE',
    expect.stringMatching(
      /^\/a\/b cannot be trusted: it cannot be opened as a directory \((ELOOP|ENOTDIR)\)\.$/u,
    ),
    putRight,
  ]);
});

test('of a tree that is taken away, a directory that is swapped for a link goes as the link that it is', async () => {
  using root = opened();
  afterLookAtB(() => {
    move(root.at('a/b'), root.at('moved'));
    symlinkSync('../other', root.at('a/b'));
  });
  expect(await root.host.removeTree('/a')).toBe('changed');
  expect([existsSync(root.at('a')), readFileSync(root.at('other/file'), 'utf8')]).toEqual([false, 'kept']);
});

test('a tree that cannot be opened stays, and that is told', async () => {
  using root = opened();
  strikes.before.openSync = (file) => (String(file).endsWith('/b') ? fails('EMFILE')() : go);
  expect(await told(() => root.host.removeTree('/a'))).toEqual([
    'E_WRITE_FAILED',
    '/a could not be written: EMFILE.',
    whateverElse,
  ]);
  expect(readFileSync(root.at('a/b/file'), 'utf8')).toBe('old');
});

test.each([
  ['ENOSPC', 'Make room on the disk and run this again.'],
  ['EDQUOT', 'Raise the quota or make room, and run this again.'],
  ['EROFS', 'Mount the file system writable and run this again.'],
  ['EACCES', 'Run as root, and look at the permissions of the directory.'],
  ['EIO', 'Put the cause right and run this again.'],
])('a write that fails with %s comes with what to do, and leaves nothing behind', async (code, remedy) => {
  using root = opened();
  strikes.before.writeSync = fails(code);
  const open = readdirSync('/proc/self/fd').length;
  const write = { mode: 0o600, expected: null };
  expect(await told(() => root.host.writeFile('/a/b/new', Buffer.from('x'), write))).toEqual([
    'E_WRITE_FAILED',
    `/a/b/new could not be written: ${code}.`,
    remedy,
  ]);
  expect(readdirSync(root.at('a/b')).sort()).toEqual(['c', 'file', 'link']);
  expect(readdirSync('/proc/self/fd').length).toBe(open);
});

test('a rename that is only said to have been made is a failure', async () => {
  using root = opened();
  const expected = lookAt(root.host, '/a/b/file')!.identity;
  strikes.before.renameSync = () => undefined;
  expect(
    await told(() => root.host.writeFile('/a/b/file', Buffer.from('new'), { mode: 0o600, expected })),
  ).toEqual(['E_WRITE_FAILED', '/a/b/file could not be written: EIO.', whateverElse]);
  expect([readFileSync(root.at('a/b/file'), 'utf8'), readdirSync(root.at('a/b')).sort()]).toEqual([
    'old',
    ['c', 'file', 'link'],
  ]);
});

test('a link that cannot be renamed in leaves nothing anywhere, and no temporary one was ever beside it', async () => {
  using root = opened();
  const seen: (readonly string[])[] = [];
  strikes.before.renameSync = () => {
    seen.push(
      readdirSync(root.at('a/b')).sort(),
      readdirSync(root.at('a')).filter((name) => name !== 'b'),
    );
    return fails('EIO')();
  };
  const expected = lookAt(root.host, '/a/b/link')!.identity;
  expect(await told(() => root.host.makeLink('/a/b/link', 'c', expected))).toEqual([
    'E_WRITE_FAILED',
    '/a/b/link could not be written: EIO.',
    whateverElse,
  ]);
  const [beside, above] = seen as [string[], string[]];
  expect([beside, above.map((name) => isTemporaryOf(name, 'link'))]).toEqual([['c', 'file', 'link'], [true]]);
  expect([readdirSync(root.at('a')), readlinkSync(root.at('a/b/link'))]).toEqual([['b'], 'file']);
});

test('a directory has its mode before anything else of it is set, whatever the umask is', async () => {
  using root = opened();
  const modes: string[] = [];
  strikes.before.fchmodSync = () => {
    modes.push((statSync(root.at('made')).mode & 0o7777).toString(8));
    return fails('EIO')();
  };
  const umask = process.umask(0o077);
  const result = await told(() => root.host.makeDirectory('/made', 0o715));
  const after = process.umask(umask);
  expect([result, modes, after]).toEqual([
    ['E_WRITE_FAILED', '/made could not be written: EIO.', whateverElse],
    ['715'],
    0o077,
  ]);
});
