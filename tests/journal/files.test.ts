/** Files of the journal's own directory. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  isLeftover,
  makePrivateDirectory,
  openNewFile,
  readRegularFile,
  removeLeftovers,
  syncDirectory,
  writeNewFile,
} from '../../src/journal/files.ts';
import { openIn } from '../support/descriptors.ts';
import { temporaryRoot } from '../support/installer.ts';
import { treeOf } from '../support/tree.ts';

/** A directory of which nothing is open at the end of the test. */
function place() {
  const root = temporaryRoot();
  return {
    path: root.path,
    at: (name: string): string => path.join(root.path, name),
    names: (): readonly string[] => [...treeOf(root.path).keys()].slice(1),
    [Symbol.dispose]: () => {
      const open = openIn(root.path);
      root[Symbol.dispose]();
      expect(open).toEqual([]);
    },
  };
}

function underUmask<T>(umask: number, work: () => T): T {
  const before = process.umask(umask);
  try {
    return work();
  } finally {
    process.umask(before);
  }
}

const refused = (code: string): Error => expect.objectContaining({ code }) as Error;

describe('a file is read', () => {
  test('to its bytes', () => {
    using root = place();
    const bytes = Buffer.from([0, 255, 10, 128]);
    writeFileSync(root.at('file'), bytes);
    expect(readRegularFile(root.at('file'))).toEqual(bytes);
  });

  test('only where it is one: no directory, no device, and no pipe is waited for', () => {
    using root = place();
    execFileSync('mkfifo', [root.at('pipe')]);
    for (const file of [root.path, '/dev/null', root.at('pipe')])
      expect(() => readRegularFile(file)).toThrow(`${file} is not a regular file`);
  });

  test('never through a link, and its absence is told as that', () => {
    using root = place();
    writeFileSync(root.at('file'), '');
    symlinkSync('file', root.at('link'));
    expect(() => readRegularFile(root.at('link'))).toThrow(refused('ELOOP'));
    expect(() => readRegularFile(root.at('none'))).toThrow(refused('ENOENT'));
  });
});

describe('a new file', () => {
  test.each([0, 0o777])('is its owner’s alone under the umask %i', (umask) => {
    using root = place();
    const fd = underUmask(umask, () => openNewFile(root.path, 'file'));
    writeSync(fd, 'written');
    closeSync(fd);
    expect([statSync(root.at('file')).mode & 0o7777, readFileSync(root.at('file'), 'utf8')]).toEqual([
      0o600,
      'written',
    ]);
  });

  test('is never one that is there, nor what a link leads to', () => {
    using root = place();
    writeFileSync(root.at('file'), 'theirs');
    symlinkSync('elsewhere', root.at('link'));
    for (const name of ['file', 'link'])
      expect(() => openNewFile(root.path, name)).toThrow(refused('EEXIST'));
    expect([root.names(), readFileSync(root.at('file'), 'utf8')]).toEqual([['/file', '/link'], 'theirs']);
  });
});

test('a private directory is its owner’s alone, and made once', () => {
  using root = place();
  expect(underUmask(0, () => makePrivateDirectory(root.path, 'runs'))).toBe(root.at('runs'));
  expect(statSync(root.at('runs')).mode & 0o7777).toBe(0o700);
  expect(() => makePrivateDirectory(root.path, 'runs')).toThrow(refused('EEXIST'));
});

test('what is no directory is not synced as one', () => {
  using root = place();
  writeFileSync(root.at('file'), '');
  expect(() => syncDirectory(root.at('file'))).toThrow(refused('ENOTDIR'));
});

test('a whole new file takes the place of a broken one, and leaves nothing beside it', () => {
  using root = place();
  writeFileSync(root.at('key'), 'broken', { mode: 0o644 });
  writeNewFile(root.path, 'key', Buffer.from('whole\n'));
  expect(root.names()).toEqual(['/key']);
  expect([readFileSync(root.at('key'), 'utf8'), statSync(root.at('key')).mode & 0o7777]).toEqual([
    'whole\n',
    0o600,
  ]);
});

const ours = '.key.0123456789abcdef.mcp-installer-tmp';
const theirs = ['.mcp-installer-tmp.key', 'fingerprint.key', `${ours}~`];

describe('what a kill has left', () => {
  test('is known by the end of its name', () => {
    expect([ours, ...theirs].filter(isLeftover)).toEqual([ours]);
  });

  test('is removed from the directory and from the copies of the last run, and from nowhere else', () => {
    using root = place();
    const folders = ['.', 'runs/r1/before', 'runs/r2', 'runs/r2/before'];
    for (const folder of folders) {
      mkdirSync(root.at(folder), { recursive: true });
      for (const name of [ours, ...theirs]) writeFileSync(root.at(`${folder}/${name}`), '');
    }
    removeLeftovers(root.path, 'r2');
    expect(folders.filter((folder) => readdirSync(root.at(folder)).includes(ours))).toEqual([
      'runs/r1/before',
      'runs/r2',
    ]);
    for (const folder of folders)
      expect(readdirSync(root.at(folder))).toEqual(expect.arrayContaining(theirs) as string[]);
  });

  test('is looked for where there was no run yet, and where the last one kept no copy', () => {
    using root = place();
    for (const lastRun of [null, 'r1']) {
      writeFileSync(root.at(ours), '');
      removeLeftovers(root.path, lastRun);
      expect(root.names()).toEqual([]);
    }
  });

  test('is no matter where there is no directory', () => {
    using root = place();
    removeLeftovers(root.at('none'), null);
    expect(root.names()).toEqual([]);
  });
});
