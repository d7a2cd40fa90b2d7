/** The lock: one run at a time, whoever it is of, and gone with whoever held it. */
import { spawn, type SpawnSyncOptions } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { isUnderWay, probeLock, takeLock, takeLockForOther } from '../../src/journal/lock.ts';
import { openIn } from '../support/descriptors.ts';
import { temporaryRoot } from '../support/installer.ts';

/** What runs in the place of flock; null for itself. */
const instead = vi.hoisted((): { argv: readonly [string, ...string[]] | null } => ({ argv: null }));

vi.mock('node:child_process', async (original) => {
  const real = await original<typeof import('node:child_process')>();
  const spawnSync = (file: string, args: readonly string[], options: SpawnSyncOptions) => {
    const [program, ...words] = instead.argv ?? [file, ...args];
    return real.spawnSync(program, words, options);
  };
  return { ...real, spawnSync };
});

afterEach(() => {
  instead.argv = null;
});

/** A journal's directory, locked by nobody and open nowhere at the end of the test. */
function home() {
  const root = temporaryRoot();
  return {
    path: root.path,
    at: (name: string): string => path.join(root.path, name),
    [Symbol.dispose]: () => {
      const open = openIn(root.path);
      root[Symbol.dispose]();
      expect(open).toEqual([]);
    },
  };
}

const refused = (why: string): Error =>
  expect.objectContaining({
    code: 'E_JOURNAL',
    message: `The journal cannot be written: ${why}.`,
  }) as Error;

describe('the lock', () => {
  test('is held by one process, seen by a probe, and gone with a killed holder (security 23)', async () => {
    using root = home();
    const holder = spawn('flock', [root.path, 'sh', '-c', 'echo held; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    expect([takeLock(root.path), probeLock(root.path)]).toEqual([null, true]);
    process.kill(-holder.pid!, 'SIGKILL');
    await new Promise((resolve) => holder.once('close', resolve));
    expect(probeLock(root.path)).toBe(false);
    const lock = takeLock(root.path);
    // This process holds it now, for itself as well as for others.
    expect([probeLock(root.path), takeLock(root.path)]).toEqual([true, null]);
    lock!.release();
    expect(probeLock(root.path)).toBe(false);
  });

  test('waits for somebody who only looks, so that a look never stops a run', async () => {
    using root = home();
    const looking = spawn('flock', ['--shared', root.path, 'sh', '-c', 'echo held; exec sleep 0.1'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await new Promise((resolve) => looking.stdout.once('data', resolve));
    const lock = takeLock(root.path);
    expect(lock).not.toBeNull();
    lock!.release();
  });

  test('tells whose run is under way, whatever a person has put beside the journals of the instances', () => {
    using root = home();
    const instance = root.at('instances/b');
    mkdirSync(instance, { recursive: true });
    writeFileSync(root.at('instances/notes'), 'of a person\n');
    const shared = takeLock(root.path);
    expect([isUnderWay(root.path), isUnderWay(instance)]).toEqual([true, false]);
    const own = takeLock(instance);
    expect([isUnderWay(root.path), isUnderWay(instance)]).toEqual([false, true]);
    own!.release();
    shared!.release();
  });
});

describe('the lock of the plain installation for a run that has no directory of its own', () => {
  test('is all that is taken where there are no runs yet', () => {
    using root = home();
    const lock = takeLockForOther(root.path);
    expect([takeLock(root.path), openIn(root.path)]).toEqual([null, [root.path]]);
    lock!.release();
    expect(probeLock(root.path)).toBe(false);
  });

  test('says by that of the runs that no run of the plain one is under way, and both are given back', () => {
    using root = home();
    mkdirSync(root.at('runs'));
    const lock = takeLockForOther(root.path);
    const seen = () => [probeLock(root.path), probeLock(root.at('runs')), isUnderWay(root.path)];
    expect(seen()).toEqual([true, true, false]);
    lock!.release();
    expect(seen()).toEqual([false, false, false]);
  });

  test('is refused while a run of any installation is under way, and then that of the runs is nobody’s', () => {
    using root = home();
    mkdirSync(root.at('runs'));
    const run = takeLock(root.path);
    expect(takeLockForOther(root.path)).toBeNull();
    expect([probeLock(root.at('runs')), isUnderWay(root.path)]).toEqual([false, true]);
    run!.release();
  });

  test('is taken though somebody else holds that of the runs, and given back without it', () => {
    using root = home();
    mkdirSync(root.at('runs'));
    const theirs = takeLock(root.at('runs'));
    const lock = takeLockForOther(root.path);
    expect(probeLock(root.path)).toBe(true);
    lock!.release();
    expect([probeLock(root.path), probeLock(root.at('runs'))]).toEqual([false, true]);
    theirs!.release();
  });

  test('is given back where that of the runs cannot be asked for', () => {
    using root = home();
    writeFileSync(root.at('runs'), 'of a person\n');
    expect(() => takeLockForOther(root.path)).toThrow(refused('ENOTDIR'));
    expect(probeLock(root.path)).toBe(false);
  });
});

test('no run is under way where nobody holds a lock', () => {
  using root = home();
  mkdirSync(root.at('runs'));
  mkdirSync(root.at('instances/b'), { recursive: true });
  expect(isUnderWay(root.path)).toBe(false);
});

describe('a lock that cannot be asked for is E_JOURNAL', () => {
  test('where there is no directory', () => {
    using root = home();
    for (const ask of [takeLock, takeLockForOther, probeLock, isUnderWay])
      expect(() => ask(root.at('none'))).toThrow(refused('ENOENT'));
  });

  test.each([
    ['is missing', ['/nonexistent/flock'], 'ENOENT'],
    ['fails otherwise than because somebody holds it', ['/bin/sh', '-c', 'exit 66'], 'unknown'],
    ['is killed', ['/bin/sh', '-c', 'kill -9 $$'], 'unknown'],
  ] as const)('where flock %s', (_, argv, why) => {
    using root = home();
    instead.argv = argv;
    for (const ask of [takeLock, takeLockForOther, probeLock, isUnderWay])
      expect(() => ask(root.path)).toThrow(refused(why));
  });
});
