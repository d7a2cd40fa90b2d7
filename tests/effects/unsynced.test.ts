/** Directories that are synced together before anything is told to be done: one that cannot be hinders no other. */
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { locate } from '../../src/effects/host/resolve.ts';
import { createUnsynced } from '../../src/effects/host/unsynced.ts';
import { InstallerError } from '../../src/errors.ts';
import { mcpOauthProxy } from '../../src/products/mcp-oauth-proxy/index.ts';
import { Session } from '../../src/session.ts';
import { openIn } from '../support/descriptors.ts';
import { temporaryRoot } from '../support/installer.ts';

type Fs = typeof import('node:fs');

const disk = vi.hoisted(() => ({ synced: [] as string[], fails: '' }));

vi.mock('node:fs', async (original) => {
  const real = await original<Fs>();
  return {
    ...real,
    fsyncSync: (fd: number): void => {
      const name = real.readlinkSync(`/proc/self/fd/${fd}`).split('/').at(-1)!;
      if (name === disk.fails) throw Object.assign(new Error('EIO'), { code: 'EIO' });
      disk.synced.push(name);
      real.fsyncSync(fd);
    },
  };
});

afterEach(() => {
  disk.synced = [];
  disk.fails = '';
});

const owner = process.geteuid!();

/** In each of these directories a name has changed. */
function changedIn(root: string, names: readonly string[]) {
  const unsynced = createUnsynced();
  for (const name of names) {
    mkdirSync(path.join(root, name));
    const place = locate({ root, owner }, `/${name}/file`)!;
    unsynced.add(place, `/${name}/file`);
    place.close();
  }
  return unsynced;
}

test('the others are synced all the same, the failure is told, and nothing stays open', () => {
  using root = temporaryRoot();
  const unsynced = changedIn(root.path, ['a', 'b', 'c']);
  disk.fails = 'a';
  expect(() => unsynced.sync()).toThrow('/a/file could not be written: EIO.');
  expect([disk.synced, openIn(root.path)]).toEqual([['b', 'c'], []]);
  disk.synced = [];
  unsynced.sync();
  expect(disk.synced).toEqual([]);
});

test('what nobody waits for any more is given up', () => {
  using root = temporaryRoot();
  const unsynced = changedIn(root.path, ['a', 'b']);
  expect(openIn(root.path)).toHaveLength(2);
  unsynced.close();
  unsynced.sync();
  expect([disk.synced, openIn(root.path)]).toEqual([[], []]);
});

test('a directory that cannot be synced stops a change, and no record of what is put back', async () => {
  using root = temporaryRoot();
  let settles = true;
  const session = new Session({
    trust: { root: root.path, owner },
    journal: 'written',
    machine: { id: 'm', version: '1' },
    installer: '1.0.0',
    command: 'install',
    input: {},
    product: mcpOauthProxy,
    keepsKey: true,
    founds: true,
    unsynced: {
      sync: () => {
        if (!settles) throw new InstallerError('E_WRITE_FAILED', { path: '/a', why: 'EIO' });
      },
      close: () => undefined,
    },
  });
  try {
    await session.beforeChange();
    const runs = path.join(root.path, 'var/lib/mcp-installer/runs');
    const journal = path.join(runs, readdirSync(runs)[0]!, 'journal.jsonl');
    const facts = (): number => readFileSync(journal, 'utf8').split('"restored"').length - 1;
    session.journal.fact({ fact: 'restored', path: '/a', baselines: [] });
    settles = false;
    await expect(session.beforeChange()).rejects.toMatchObject({ code: 'E_WRITE_FAILED' });
    expect(facts()).toBe(0);
    session.lenient = true;
    await session.beforeChange();
    expect(facts()).toBe(1);
  } finally {
    session.close();
  }
});
