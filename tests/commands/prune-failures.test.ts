/** Retention where a copy cannot be removed, or the removing is killed. */
import { execFileSync } from 'node:child_process';
import { readdirSync, renameSync, symlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createMcpOauthProxy } from '../../src/products/mcp-oauth-proxy/index.ts';
import { bundle } from '../support/installer.ts';
import { expectExit, files, place, type Place } from '../support/place.ts';
import { contents, copiesIn, folder, legacy, prune, upgrades, withCopies } from '../support/pruning.ts';
import { traced } from '../support/trace.ts';

describe('a copy that cannot be removed', () => {
  /** Nobody can unlink what something is mounted on, root included. */
  async function pinned(root: Place, run: string, work: () => Promise<void>): Promise<void> {
    const file = `${root.at(folder(run))}/1`;
    execFileSync('mount', ['--bind', file, file]);
    try {
      await work();
    } finally {
      execFileSync('umount', ['--lazy', file]);
    }
  }

  test('is E_PRUNE, which names the run; what went before is gone, and the next prune goes on', async () => {
    using root = await legacy(3);
    const [, second = '', third = '', fourth = ''] = root.runs();
    await pinned(root, third, async () => {
      const { exitCode, result, pruned } = await prune(root, '0');
      expect([exitCode, result.outcome, result.changed, result.error?.code]).toEqual([
        13,
        'failed',
        true,
        'E_PRUNE',
      ]);
      expect(result.error?.message).toBe(`The copies of run ${third} could not be pruned: EBUSY.`);
      expect(pruned.map(({ run }) => run)).toEqual([second]);
    });
    expect((await prune(root, '0')).pruned.map(({ run }) => run)).toEqual([third, fourth]);
  });

  test('does not fail a run, which says so', async () => {
    using root = await legacy(20);
    const [, second = ''] = root.runs();
    root.write('/root/next.py', '# next\n');
    await pinned(root, second, async () => {
      const { stdout } = expectExit(await root.install(['--source', root.at('/root/next.py')]), 0);
      expect(stdout).toContain(`[!] The copies of run ${second} could not be pruned: EBUSY.`);
      expect(stdout).toContain('[OK] Installation complete');
    });
  });
});

describe('killed when it has removed the first copy', () => {
  test('a prune is gone on from by the next one', async () => {
    using root = await legacy(4);
    const args = ['history', '--prune', '0', '--root', root.path];
    expect((await traced(args, { inject: 'unlink:signal=KILL:when=2' })).exitCode).toBe(137);
    const left = copiesIn(root).length;
    expect([4, 5]).toContain(left);
    expect((await prune(root, '0')).exitCode).toBe(0);
    expect(withCopies(root)).toEqual([root.runs()[0]]);
    expectExit(await root.run('uninstall', ['--purge']), 0);
    expect([...root.originals].filter(([path, now]) => contents(root).get(path) !== now)).toEqual([]);
  });

  test('a prune is gone on from by the next changing run', async () => {
    using root = await legacy(19);
    const args = ['history', '--prune', '3', '--root', root.path];
    expect((await traced(args, { inject: 'unlink:signal=KILL:when=2' })).exitCode).toBe(137);
    await upgrades(root, 20, 100);
    const runs = root.runs();
    expect(withCopies(root)).toEqual([runs[0], ...runs.slice(-20)]);
  });
});

test('of an instance, a failure at the end of a run names the command for that instance', async () => {
  using root = place();
  await upgrades(root, 21, 0, createMcpOauthProxy('second'));
  const runs = `${files.journal}/instances/second/runs`;
  const [, oldest = ''] = readdirSync(root.at(runs)).sort();
  const copies = root.at(`${runs}/${oldest}/before`);
  renameSync(copies, root.at('/copies'));
  symlinkSync(root.at('/copies'), copies);
  root.write('/root/next.py', '# next\n');
  for (const args of [['install', '--source', root.at('/root/next.py')], ['rollback']])
    expect(expectExit(await root.install([...args, '--instance', 'second']), 0).stdout).toContain(
      `[!] The copies of run ${oldest} could not be pruned: ENOTDIR. Put the cause right, then run \`${bundle} history --prune --instance second\`: it goes on where this stopped.`,
    );
});
