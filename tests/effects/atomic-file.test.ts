/** Replacing a file where the kernel does not do all at once, or not at all: old bytes or new ones, nothing beside them. */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createRealHost } from '../../src/effects/host/real.ts';
import { lookAt } from '../../src/effects/identity.ts';
import { temporaryRoot } from '../support/installer.ts';
import { files, installed, expectExit } from '../support/place.ts';

type Fs = typeof import('node:fs');

interface Faults {
  /** Most bytes that one write takes. */
  most: number;
  /** Call that fails, with its code, and how many of its kind go through before. */
  fails: { readonly name: keyof Fs; readonly code: string; after: number } | null;
}

const faults = vi.hoisted((): Faults => ({ most: Infinity, fails: null }));

vi.mock('node:fs', async (original) => {
  const real = await original<Fs>();
  const mayFail = (name: keyof Fs): void => {
    const { fails } = faults;
    if (fails?.name !== name) return;
    if (fails.after > 0) fails.after -= 1;
    else throw Object.assign(new Error(fails.code), { code: fails.code });
  };
  return {
    ...real,
    writeSync: (fd: number, bytes: Uint8Array, at: number, length: number): number => {
      mayFail('writeSync');
      return real.writeSync(fd, bytes, at, Math.min(length, faults.most));
    },
    fchmodSync: (fd: number, mode: number): void => {
      mayFail('fchmodSync');
      real.fchmodSync(fd, mode);
    },
    fsyncSync: (fd: number): void => {
      mayFail('fsyncSync');
      real.fsyncSync(fd);
    },
    renameSync: (from: string, to: string): void => {
      mayFail('renameSync');
      real.renameSync(from, to);
    },
  };
});

afterEach(() => {
  faults.most = Infinity;
  faults.fails = null;
});

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('a file that is replaced', () => {
  test('is written whole though each write takes a few bytes only', async () => {
    using root = temporaryRoot();
    const host = createRealHost({ root: root.path });
    faults.most = 7;
    const text = 'a line of more than seven bytes\n'.repeat(50);
    await host.writeFile('/file', bytes(text), { mode: 0o600, expected: null });
    expect(readFileSync(path.join(root.path, 'file'), 'utf8')).toBe(text);
  });

  test.each([
    ['writeSync', 'ENOSPC', 1],
    ['fchmodSync', 'EPERM', 0],
    ['fsyncSync', 'EIO', 0],
    ['renameSync', 'EROFS', 0],
  ] as const)(
    'keeps its old bytes and leaves nothing beside it where %s fails with %s',
    async (name, code, after) => {
      using root = temporaryRoot();
      mkdirSync(path.join(root.path, 'etc'));
      writeFileSync(path.join(root.path, 'etc/file'), 'old');
      const host = createRealHost({ root: root.path });
      const expected = lookAt(host, '/etc/file')!.identity;
      faults.most = 2;
      faults.fails = { name, code, after };
      await expect(host.writeFile('/etc/file', bytes('newer'), { mode: 0o600, expected })).rejects.toThrow(
        expect.objectContaining({
          code: 'E_WRITE_FAILED',
          message: `/etc/file could not be written: ${code}.`,
        }) as Error,
      );
      faults.fails = null;
      expect([
        readdirSync(path.join(root.path, 'etc')),
        readFileSync(path.join(root.path, 'etc/file'), 'utf8'),
      ]).toEqual([['file'], 'old']);
    },
  );

  test('is not reported as replaced where its directory could not be synced', async () => {
    using root = temporaryRoot();
    const host = createRealHost({ root: root.path });
    faults.fails = { name: 'fsyncSync', code: 'EIO', after: 1 };
    await expect(host.writeFile('/file', bytes('new'), { mode: 0o600, expected: null })).rejects.toThrow(
      expect.objectContaining({ code: 'E_WRITE_FAILED' }) as Error,
    );
  });
});

test('what a killed run left beside a managed file is removed, and said; a name that is only like it stays', async () => {
  using root = await installed();
  const directory = path.dirname(files.env);
  const ours = ['..env.0123456789abcdef.mcp-installer-tmp', '..env.fedcba9876543210.mcp-installer-tmp'];
  const foreign = [
    '..env.0123456789abcde.mcp-installer-tmp',
    '..env.0123456789abcdef0.mcp-installer-tmp',
    '..env.0123456789ABCDEF.mcp-installer-tmp',
    '..env.0123456789abcdef.mcp-installer-tmp~',
    '.env.0123456789abcdef.mcp-installer-tmp',
    '.other.0123456789abcdef.mcp-installer-tmp',
    '.x..env.0123456789abcdef.mcp-installer-tmp',
    '.env.swp',
  ].sort();
  const link = '/etc/nginx/.mcp-oauth-proxy.conf.0123456789abcdef.mcp-installer-tmp';
  for (const name of [...ours, ...foreign]) root.write(`${directory}/${name}`, 'x', 0o600);
  root.write(link, 'x');
  const { stdout } = expectExit(await root.install(['--detailed-exitcode']), 2);
  for (const file of [...ours.map((name) => `${directory}/${name}`), link])
    expect(stdout).toContain(`[+] Removed leftover of a killed run ${file}`);
  expect(readdirSync(root.at(directory)).sort()).toEqual(['.env', ...foreign].sort());
  expect(readdirSync(root.at('/etc/nginx')).filter((name) => name.startsWith('.'))).toEqual([]);
  expectExit(await root.install(['--detailed-exitcode']), 0);
});
