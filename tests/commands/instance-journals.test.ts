/** The journals of several installations: told apart, under one lock, and none of them holds a secret of another. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { runPrune } from '../../src/commands/prune.ts';
import { install } from '../../src/install.ts';
import { isUnderWay, probeLock, takeLock } from '../../src/journal/lock.ts';
import { createMcpOauthProxy } from '../../src/products/mcp-oauth-proxy/index.ts';
import { both, envOf, settingOf } from '../support/instances.ts';
import { expectExit, files, installed, type Place } from '../support/place.ts';
import { changedPaths } from '../support/tree.ts';

const b = ['--instance', 'b'];

/** Its last run looks as if it had been killed, or were still at work. */
function interrupt(root: Place): void {
  const journal = root.journal();
  const lines = root.read(journal).trimEnd().split('\n');
  writeFileSync(root.at(journal), `${lines.slice(0, -1).join('\n')}\n`);
}

describe('the journals', () => {
  test('are told apart by history, show, replay and rollback', async () => {
    using root = await both();
    const [first] = root.runs();
    const other = expectExit(await root.run('history', b), 0).stdout.split(' ')[0]!;
    expect(expectExit(await root.run('history'), 0).stdout).not.toContain(other);
    expectExit(await root.run('show', [other]), 64);
    expectExit(await root.run('show', [first!, ...b]), 64);
    expect(expectExit(await root.run('show', ['last', ...b]), 0).stdout).toContain(`Run ${other}`);
    expectExit(await root.run('replay', ['last', ...b]), 0);
    expectExit(await root.run('rollback', [other]), 64);
  });

  test('share one lock: two runs at once are one too many, whichever installation they are of', async () => {
    using root = await both();
    const before = [root.look(), root.journalTree()] as const;
    const lock = takeLock(root.at(files.journal));
    try {
      for (const args of [[], b, ['--instance', 'new']]) expectExit(await root.install(args), 11);
      expectExit(await root.run('status', b), 11);
    } finally {
      lock?.release();
    }
    expect(changedPaths(before[0], root.look())).toEqual([]);
    expect(changedPaths(before[1], root.journalTree())).toEqual([]);
  });

  test('a run of one that goes on is none of the other, whose last run was interrupted', async () => {
    using root = await both();
    interrupt(root);
    const locks = [files.journal, `${files.journal}/instances/b`].map((home) => takeLock(root.at(home)));
    const interrupted = expectExit(await root.run('history'), 0).stdout;
    for (const lock of locks) lock?.release();
    expect(interrupted).toContain('interrupted');
    const lock = takeLock(root.at(files.journal));
    expect(expectExit(await root.run('history'), 0).stdout).toContain('underWay');
    lock?.release();
  });
});

describe('the plain one, whose last run was interrupted, is told to be so', () => {
  test('while the first run of an instance goes on, from its beginning to its end', async () => {
    using root = await installed();
    interrupt(root);
    const home = root.at(files.journal);
    const told: boolean[][] = [];
    const look = (): void => void told.push([probeLock(home), isUnderWay(home)]);
    await install({ root: root.path, product: createMcpOauthProxy('b'), onEvent: look });
    expect(told.length).toBeGreaterThan(10);
    expect(told).toEqual(told.map(() => [true, false]));
  });

  test.each([[{}], [{ instance: 'b' }]])('while copies are pruned (%j)', async (options) => {
    using root = await both();
    interrupt(root);
    const home = root.at(files.journal);
    const told: boolean[][] = [];
    const look = (): void => void told.push([probeLock(home), isUnderWay(home)]);
    const output = { emit: look, say: look, json: false, changed: () => false };
    runPrune({ ...options, root: root.path, prune: '0' }, output);
    expect(told).toEqual([
      [true, false],
      [true, false],
    ]);
  });
});

describe('an exported run', () => {
  test('is held against the secrets of all installations', async () => {
    using root = await both();
    const target = path.join(root.path, 'run.jsonl');
    const env = envOf('b');
    const text = root.read(env);
    // What stands in the journal of the plain one, as somebody's secret in the env file of the other.
    root.write(env, `${text}FOREIGN=${files.code}\n`, 0o600);
    const refused = expectExit(await root.run('show', ['last', '--export', target]), 10);
    expect(refused.stderr).toContain('holds the value of FOREIGN');
    root.write(env, text, 0o600);
    expectExit(await root.run('show', ['last', '--export', target]), 0);
    expect(readFileSync(target, 'utf8')).not.toContain(settingOf(root, env, 'CLIENT_SECRET'));
    expectExit(await root.run('show', ['last', '--export', `${target}.b`, ...b]), 0);
  });
});
