/** One contract for every host: memory, real below a temporary root, and the dry run over both. */
import { chmodSync, chownSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { createDryRunHost } from '../../src/effects/host/dry-run.ts';
import { createMemoryHost } from '../../src/effects/host/memory.ts';
import type { Host } from '../../src/effects/host/port.ts';
import { createRealHost } from '../../src/effects/host/real.ts';
import { lookAt } from '../../src/effects/identity.ts';
import { temporaryRoot } from '../support/installer.ts';
import { changedPaths, treeOf } from '../support/tree.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (host: Host, file: string): string | null => {
  const found = host.readFile(file);
  return found === null ? null : Buffer.from(found).toString();
};
const code = (expected: string): Error => expect.objectContaining({ code: expected }) as Error;

async function filled(host: Host): Promise<Host> {
  await host.makeDirectory('/a', 0o700);
  await host.makeDirectory('/a/b', 0o755);
  await host.writeFile('/a/b/file', bytes('old'), { mode: 0o640, expected: null });
  await host.makeLink('/a/b/link', '/a/b/file', null);
  return host;
}

describe.each(['memory', 'real'] as const)('the %s host', (kind) => {
  const open = (): Disposable & { readonly host: Host } => {
    const root = temporaryRoot();
    const host = kind === 'memory' ? createMemoryHost() : createRealHost({ root: root.path });
    return { host, [Symbol.dispose]: () => root[Symbol.dispose]() };
  };

  test('shows what was made: types, modes whatever the umask is, bytes, targets, names in order', async () => {
    using place = open();
    const { host } = place;
    const umask = process.umask(0o077);
    await filled(host);
    process.umask(umask);
    const of = (file: string) => {
      const status = host.lstat(file);
      return status === null ? null : [status.type, status.mode.toString(8)];
    };
    expect([of('/a'), of('/a/b'), of('/a/b/file'), of('/a/b/none')]).toEqual([
      ['directory', '700'],
      ['directory', '755'],
      ['file', '640'],
      null,
    ]);
    expect([text(host, '/a/b/file'), text(host, '/a/none'), text(host, '/none/at/all')]).toEqual([
      'old',
      null,
      null,
    ]);
    expect([host.readLink('/a/b/link'), host.readLink('/a/b/file')]).toEqual(['/a/b/file', null]);
    expect([host.list('/a/b'), host.list('/a/none')]).toEqual([['file', 'link'], null]);
  });

  test('replaces a file where the one that was expected is there, and refuses where it is not', async () => {
    using place = open();
    const { host } = place;
    await filled(host);
    const expected = lookAt(host, '/a/b/file')!.identity;
    expect(await host.writeFile('/a/b/file', bytes('new'), { mode: 0o600, expected })).toBe('changed');
    expect([text(host, '/a/b/file'), host.lstat('/a/b/file')?.mode]).toEqual(['new', 0o600]);
    await expect(host.writeFile('/a/b/file', bytes('newer'), { mode: 0o600, expected })).rejects.toThrow(
      code('E_CHANGED_UNDERWAY'),
    );
    await expect(
      host.writeFile('/a/b/file', bytes('newer'), { mode: 0o600, expected: null }),
    ).rejects.toThrow(code('E_CHANGED_UNDERWAY'));
    expect([text(host, '/a/b/file'), host.list('/a/b')]).toEqual(['new', ['file', 'link']]);
  });

  test('makes, replaces and removes links and files, and narrows modes', async () => {
    using place = open();
    const { host } = place;
    await filled(host);
    await host.makeLink('/a/b/link', '/elsewhere', lookAt(host, '/a/b/link')!.identity);
    expect(host.readLink('/a/b/link')).toBe('/elsewhere');
    await expect(host.makeLink('/a/b/link', '/x', null)).rejects.toThrow(code('E_CHANGED_UNDERWAY'));
    await host.setMode('/a/b/file', 0o600);
    expect(host.lstat('/a/b/file')?.mode).toBe(0o600);
    await host.remove('/a/b/link');
    expect(await host.remove('/a/b/link')).toBe('changed');
    await expect(host.remove('/a')).rejects.toThrow(code('E_WRITE_FAILED'));
    expect(host.list('/a/b')).toEqual(['file']);
  });

  test('removes a directory with all that is in it, or the link to one; twice is as good as once', async () => {
    using place = open();
    const { host } = place;
    await filled(host);
    await host.makeDirectory('/a/b/c', 0o500);
    await host.makeLink('/link', '/a', null);
    await host.removeTree('/link');
    expect([host.lstat('/link'), host.list('/a/b')]).toEqual([null, ['c', 'file', 'link']]);
    expect([await host.removeTree('/a'), await host.removeTree('/a')]).toEqual(['changed', 'changed']);
    expect([host.lstat('/a'), host.lstat('/a/b/file')]).toEqual([null, null]);
  });

  test('writes nothing where the directory is missing', async () => {
    using place = open();
    const { host } = place;
    await expect(host.writeFile('/none/file', bytes('x'), { mode: 0o600, expected: null })).rejects.toThrow(
      code('E_WRITE_FAILED'),
    );
  });

  test('as a dry run reads the same and changes nothing', async () => {
    using place = open();
    const { host } = place;
    const dry = createDryRunHost(await filled(host));
    expect([text(dry, '/a/b/file'), dry.list('/a/b')]).toEqual(['old', ['file', 'link']]);
    const outcomes = [
      await dry.makeDirectory('/c', 0o700),
      await dry.writeFile('/a/b/file', bytes('new'), { mode: 0o600, expected: null }),
      await dry.makeLink('/a/l', '/x', null),
      await dry.remove('/a/b/file'),
      await dry.removeTree('/a'),
      await dry.setMode('/a', 0o777),
      await dry.change({ file: '/bin/false', args: [] }),
    ];
    expect(new Set(outcomes)).toEqual(new Set(['predicted']));
    expect([text(host, '/a/b/file'), host.lstat('/c'), host.lstat('/a')?.mode]).toEqual(['old', null, 0o700]);
  });
});

describe('the real host trusts nothing on the way', () => {
  test('links never lead out of the root, neither absolute nor relative ones', async () => {
    using root = temporaryRoot();
    using outside = temporaryRoot();
    mkdirSync(path.join(root.path, 'etc'));
    symlinkSync(outside.path, path.join(root.path, 'etc/absolute'));
    symlinkSync(`../../../../../..${outside.path}`, path.join(root.path, 'etc/relative'));
    const host = createRealHost({ root: root.path });
    const before = treeOf(outside.path);
    for (const way of ['absolute', 'relative']) {
      await expect(
        host.writeFile(`/etc/${way}/file`, bytes('x'), { mode: 0o600, expected: null }),
      ).rejects.toThrow(code('E_WRITE_FAILED'));
    }
    expect(changedPaths(before, treeOf(outside.path))).toEqual([]);
  });

  test('a tree goes without what its links lead to, whoever owns what is in it', async () => {
    using root = temporaryRoot();
    using outside = temporaryRoot();
    writeFileSync(path.join(outside.path, 'file'), 'kept');
    const state = path.join(root.path, 'state');
    mkdirSync(path.join(state, 'deep/er'), { recursive: true });
    for (const at of ['state/absolute', 'state/deep/er/absolute'])
      symlinkSync(outside.path, path.join(root.path, at));
    chownSync(path.join(state, 'deep'), 65_534, 65_534);
    chmodSync(path.join(state, 'deep'), 0o777);
    const before = treeOf(outside.path);
    await createRealHost({ root: root.path }).removeTree('/state');
    expect([existsSync(state), changedPaths(before, treeOf(outside.path))]).toEqual([false, []]);
  });

  test.each([
    ['writable by others', (directory: string) => chmodSync(directory, 0o777)],
    ["somebody else's", (directory: string) => chownSync(directory, 65_534, 65_534)],
  ])('a directory that is %s is refused, however deep the file is below it', async (_, spoil) => {
    using root = temporaryRoot();
    mkdirSync(path.join(root.path, 'a/b/c'), { recursive: true });
    spoil(path.join(root.path, 'a'));
    const host = createRealHost({ root: root.path });
    expect(() => host.readFile('/a/b/c/file')).toThrow(code('E_PATH_UNSAFE'));
    await expect(host.writeFile('/a/b/c/file', bytes('x'), { mode: 0o600, expected: null })).rejects.toThrow(
      code('E_PATH_UNSAFE'),
    );
  });

  test('symlinks in a circle, and a file where a directory should be, are refused', () => {
    using root = temporaryRoot();
    symlinkSync('loop', path.join(root.path, 'loop'));
    writeFileSync(path.join(root.path, 'file'), '');
    const host = createRealHost({ root: root.path });
    for (const way of ['/loop/x', '/file/x']) expect(() => host.readFile(way)).toThrow(code('E_PATH_UNSAFE'));
  });
});

describe('programs', () => {
  test('get a built environment, no shell, and are told apart where they are missing or too slow', async () => {
    using root = temporaryRoot();
    const host = createRealHost({ root: root.path });
    process.env['LD_PRELOAD_CANARY'] = 'x';
    const { stdout } = await host.query({ file: '/usr/bin/env', args: [] });
    delete process.env['LD_PRELOAD_CANARY'];
    expect(
      stdout
        .split('\n')
        .map((line) => line.split('=')[0])
        .filter(Boolean)
        .sort(),
    ).toEqual(['HOME', 'LANG', 'LC_ALL', 'PATH', 'SYSTEMD_COLORS', 'SYSTEMD_PAGER', 'TERM'].sort());
    expect((await host.query({ file: '/bin/echo', args: ['$(id)', '`id`', ';id'] })).stdout).toBe(
      '$(id) `id` ;id\n',
    );
    expect((await host.query({ file: '/nowhere/program', args: [] })).exitCode).toBe(127);
    expect((await host.query({ file: '/bin/sleep', args: ['60'], timeout: 50 })).exitCode).toBe(124);
    await expect(host.query({ file: 'env', args: [] })).rejects.toThrow(code('E_INTERNAL'));
  });
});
