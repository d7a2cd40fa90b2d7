/** Changing files of the real host: what is replaced, by what, and what of it can be seen while it happens. */
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { FileIdentity } from '../../src/facts.ts';
import { isTemporaryOf } from '../../src/effects/host/atomic-file.ts';
import { createRealHost } from '../../src/effects/host/real.ts';
import { lookAt } from '../../src/effects/identity.ts';
import { told } from '../support/told.ts';
import { temporaryRoot } from '../support/installer.ts';

const nobody = 65_534;
const bytes = (text: string): Uint8Array => Buffer.from(text);
function opened() {
  const root = temporaryRoot();
  const at = (file: string): string => path.join(root.path, file);
  mkdirSync(at('a'));
  writeFileSync(at('a/file'), 'old');
  symlinkSync('file', at('a/link'));
  const host = createRealHost({ root: root.path });
  return { host, at, path: root.path, [Symbol.dispose]: () => root[Symbol.dispose]() };
}
const changed = (file: string) => [
  'E_CHANGED_UNDERWAY',
  `${file} was changed by someone else between planning and writing.`,
];

describe('a file is written only where what was expected is there:', () => {
  const plain = { type: 'file', mode: 0o644, uid: 0, gid: 0 } as const;
  test.each<[string, string, FileIdentity | null, string | undefined, boolean]>([
    ['nothing, and nothing is', '/a/new', null, undefined, true],
    ['nothing, and something is', '/a/file', null, undefined, false],
    ['something, and nothing is', '/a/new', { ...plain, hash: null }, undefined, false],
    ['a file whose hash is not kept', '/a/file', { ...plain, hash: null }, undefined, true],
    ['a file with these bytes', '/a/file', { ...plain, hash: null }, 'old', true],
    ['a file with other bytes', '/a/file', { ...plain, hash: null }, 'odd', false],
    ['bytes, and a link is there', '/a/link', { ...plain, type: 'link', hash: null }, 'old', false],
    ['a file, and a link is there', '/a/link', { ...plain, hash: null }, undefined, false],
    ['a file with another hash', '/a/file', { ...plain, hash: 'other' }, undefined, false],
  ])('%s', async (_, file, expected, wasBytes, isWritten) => {
    using root = opened();
    const expectedBytes = wasBytes === undefined ? {} : { expectedBytes: bytes(wasBytes) };
    const options = { mode: 0o600, expected, ...expectedBytes };
    expect(await told(() => root.host.writeFile(file, bytes('new'), options))).toEqual(
      isWritten ? 'changed' : changed(file),
    );
    expect(readdirSync(root.at('a')).filter((name) => !['file', 'link', 'new'].includes(name))).toEqual([]);
  });
});

test.each([
  [nobody, 0],
  [0, nobody],
  [nobody, nobody],
])('a file is given to user %i and group %i where it was theirs', async (uid, gid) => {
  using root = opened();
  const expected = lookAt(root.host, '/a/file')!.identity;
  await root.host.writeFile('/a/file', bytes('new'), { mode: 0o640, expected, ownership: { uid, gid } });
  expect(root.host.lstat('/a/file')).toMatchObject({ type: 'file', mode: 0o640, uid, gid, size: 3 });
});

test('an empty directory is removed, and one with something in it is not', async () => {
  using root = opened();
  mkdirSync(root.at('empty'));
  expect([await root.host.remove('/empty'), await told(() => root.host.remove('/a'))]).toEqual([
    'changed',
    ['E_WRITE_FAILED', '/a could not be written: ENOTEMPTY.'],
  ]);
  expect(readdirSync(root.path)).toEqual(['a']);
});

test('what cannot be written or read is told with the reason', async () => {
  using root = opened();
  const { host } = root;
  chmodSync(root.at('a/file'), 0o600);
  expect([
    await told(() => host.makeDirectory('/none/b', 0o700)),
    await told(() => host.makeDirectory('/a', 0o700)),
    await told(() => host.setMode('/a/link', 0o600)),
    await told(() => host.readFile('/a/link')),
    await told(() => host.readFile('/a')),
  ]).toEqual([
    ['E_WRITE_FAILED', '/none/b could not be written: its directory is missing.'],
    ['E_WRITE_FAILED', '/a could not be written: EEXIST.'],
    ['E_WRITE_FAILED', '/a/link could not be written: ELOOP.'],
    ['E_PATH_UNSAFE', '/a/link cannot be trusted: it cannot be read (ELOOP).'],
    ['E_PATH_UNSAFE', '/a cannot be trusted: it is not a regular file.'],
  ]);
});

test('names are told in order, whatever the order on the disk is', () => {
  using root = opened();
  mkdirSync(root.at('many'));
  const names = Array.from({ length: 30 }, (_, each) => `name-${100 + each * 7}`);
  for (const name of names.toReversed()) writeFileSync(root.at(`many/${name}`), '');
  expect(root.host.list('/many')).toEqual(names);
});

test('every change is announced before it is made', async () => {
  using root = opened();
  const seen: (readonly string[])[] = [];
  const host = createRealHost({
    root: root.path,
    beforeChange: () => {
      seen.push(readdirSync(root.at('a')).sort());
      return Promise.resolve();
    },
  });
  await host.makeDirectory('/a/d', 0o700);
  await host.remove('/a/d');
  await host.removeTree('/a/none');
  await host.setMode('/a/file', 0o600);
  const ran = await host.change({ file: '/bin/rm', args: [root.at('a/link')] });
  expect(ran).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  await host.makeLink('/a/l', 'file', null);
  // Announced before: by somebody who does not see to what was announced, so it is asked all the same.
  await host.writeFile('/a/new', Buffer.from('x'), { mode: 0o600, expected: null, announced: true });
  expect(seen).toEqual([
    ['file', 'link'],
    ['d', 'file', 'link'],
    ...Array<string[]>(3).fill(['file', 'link']),
    ['file'],
    ['file', 'l'],
  ]);
  expect((await root.host.change({ file: '/bin/true', args: [] })) as unknown).toMatchObject({ exitCode: 0 });
});

test('the running system is read where the root is the host’s, never below another one', () => {
  using root = opened();
  const look = (host: ReturnType<typeof createRealHost>, at: string) => [
    host.readSystem(`${at}/comm`) !== null,
    host.listSystem(`${at}/ns`),
    host.linkSystem(`${at}/root`),
  ];
  const host = createRealHost({ root: '/' });
  expect(look(host, '/proc/self')).toEqual([true, expect.arrayContaining(['mnt', 'net']) as unknown, '/']);
  expect(host.listSystem('/proc')).toEqual(host.listSystem('/proc')?.toSorted());
  expect([look(host, '/proc/none'), look(root.host, '/proc/self')]).toEqual(
    Array<unknown>(2).fill([false, null, null]),
  );
  expect(host.lstat('/dev/null')?.type).toBe('other');
});

test('a pause ends when it is over, or when it is given up', async () => {
  using root = opened();
  await expect(root.host.pause(60_000, AbortSignal.abort())).rejects.toThrow(/abort/u);
  await expect(root.host.pause(1)).resolves.toBeUndefined();
});

test('no descriptor stays open, whatever is asked for and however it ends', async () => {
  using root = opened();
  const { host } = root;
  const identity = lookAt(host, '/a/link')!.identity;
  const open = (): number => readdirSync('/proc/self/fd').length;
  const failing = { mode: 0o600, expected: identity };
  const asked: readonly (() => unknown)[] = [
    () => host.lstat('/a/file'),
    () => host.lstat('/a/none/at/all'),
    () => host.lstat('/a/file/x'),
    () => host.lstat('/a/../file'),
    () => host.readFile('/a/file'),
    () => host.readFile('/a'),
    () => host.readFile('/a/link'),
    () => host.list('/a'),
    () => host.isFile('/a/link'),
    () => host.isFile('/a/none/x'),
    () => host.makeDirectory('/a/d', 0o700),
    () => host.writeFile('/a/d/new', bytes('x'), { mode: 0o600, expected: null }),
    () => host.writeFile('/a/file', bytes('x'), failing),
    () => host.makeLink('/a/link', 'other', identity),
    () => host.makeLink('/a/file', 'other', identity),
    () => host.setMode('/a/d/new', 0o644),
    () => host.remove('/a/d/new'),
    () => host.remove('/a'),
    () => host.removeTree('/a/d'),
  ];
  // The first look at anything may load what stays open.
  statSync(root.path);
  // The directory that was looked into last is open until this turn ends.
  await Promise.resolve();
  const before = open();
  const left: number[] = [];
  for (const ask of asked) {
    await told(ask);
    left.push(open() - before);
  }
  expect(left).toEqual(asked.map(() => 0));
});

describe('what is looked at in one go', () => {
  /** Another directory in the place of `/a`, which goes on as `/b`. */
  function swapped(text: string) {
    const root = opened();
    const at = (file: string): string => path.join(root.path, file);
    const read = (file: string): string => readFileSync(at(file), 'utf8');
    const swap = (): void => {
      renameSync(at('a'), at('b'));
      mkdirSync(at('a'));
      writeFileSync(at('a/file'), text);
    };
    return Object.assign(root, { read, swap });
  }

  test('is in one directory; a swap of it is seen with the next turn', async () => {
    using root = swapped('other');
    const text = (): string | undefined => Buffer.from(root.host.readFile('/a/file')!).toString();
    expect(text()).toBe('old');
    root.swap();
    expect(text()).toBe('old');
    await Promise.resolve();
    expect(text()).toBe('other');
  });

  test('is not what a change of the same turn goes by: it is refused where there is something else now', async () => {
    using root = swapped('other');
    const expected = lookAt(root.host, '/a/file')!.identity;
    root.swap();
    const write = () => root.host.writeFile('/a/file', bytes('new'), { mode: 0o600, expected });
    expect(await told(write)).toEqual(['E_CHANGED_UNDERWAY', expect.any(String)]);
    expect([root.read('a/file'), root.read('b/file')]).toEqual(['other', 'old']);
  });

  test('is made in the directory that is there by then', async () => {
    using root = swapped('old');
    const expected = lookAt(root.host, '/a/file')!.identity;
    root.swap();
    await root.host.writeFile('/a/file', bytes('new'), { mode: 0o600, expected });
    expect([root.read('a/file'), root.read('b/file')]).toEqual(['new', 'old']);
  });

  test('is where its path leads, however that is written', () => {
    using root = opened();
    mkdirSync(path.join(root.path, 'a/d'));
    writeFileSync(path.join(root.path, 'a/d/file'), 'inner');
    for (const directory of ['/a/d/', '/a/d/.', '/a//d', '/a/d']) {
      expect(root.host.lstat(directory)?.type).toBe('directory');
      expect(Buffer.from(root.host.readFile('/a/d/file')!).toString()).toBe('inner');
    }
  });
});

test('a temporary name is told from one that is only like it', () => {
  const tail = '0123456789abcdef.mcp-installer-tmp';
  const names = [
    `.a.${tail}`,
    `.b.${tail}`,
    `xa.${tail}`,
    `.a.b.${tail}`,
    `a.${tail}`,
    `.a.${tail}~`,
    `.a.${tail.slice(1)}`,
  ];
  expect(names.filter((name) => isTemporaryOf(name, 'a'))).toEqual([`.a.${tail}`]);
});
