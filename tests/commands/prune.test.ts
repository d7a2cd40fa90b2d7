/** Retention: what a run does at its end, `history --prune`, and what undoing can still do afterwards. */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, test } from 'vitest';
import { install } from '../../src/install.ts';
import { takeLock } from '../../src/journal/lock.ts';
import { expectExit, files, installed, place } from '../support/place.ts';
import { contents, copiesIn, folder, legacy, prune, withCopies } from '../support/pruning.ts';

test('of 24 changing runs the newest 20 keep their copies, the others their journals and the originals (security 13)', async () => {
  using root = await legacy(23);
  const runs = root.runs();
  expect(withCopies(root)).toEqual([runs[0], ...runs.slice(-20)]);
  expect(copiesIn(root).filter((copy) => copy.startsWith(runs[0]!))).toHaveLength(2);
  for (const run of runs)
    expect(existsSync(root.at(`${files.journal}/runs/${run}/journal.jsonl`))).toBe(true);
  // One that changes nothing prunes nothing, and says nothing of it.
  const before = copiesIn(root);
  expect(expectExit(await root.install(), 0).output).not.toContain('pruned');
  expect(copiesIn(root)).toEqual(before);
  root.write('/root/next.py', '# next\n');
  const { stdout } = expectExit(await root.install(['--source', root.at('/root/next.py')]), 0);
  expect(stdout).toContain(
    `[+] The copies of replaced files that run ${runs[4] ?? ''} kept were pruned: the newest 20 runs keep theirs.\n`,
  );
  // Everything that reads journals goes on as before.
  expectExit(await root.run('status'), 0);
  expectExit(await root.run('show', [runs[2] ?? '']), 0);
  expect(expectExit(await root.run('history', ['--limit', '100']), 0).stdout).toContain(files.code);
  expect(
    (await install({ root: root.path, request: { undo: { kind: 'uninstall', purge: true } } })).output.error,
  ).toBeNull();
  expect([...root.originals].filter(([path, now]) => contents(root).get(path) !== now)).toEqual([]);
});

describe('history --prune', () => {
  test('removes what no undoing of the newest KEEP runs needs, says what, and nothing the second time', async () => {
    using root = await legacy(4);
    const runs = root.runs();
    const host = root.look();
    const dry = await prune(root, '2', '--dry-run');
    expect([dry.exitCode, dry.result.outcome, dry.result.changed]).toEqual([0, 'pruned', false]);
    expect(copiesIn(root)).toHaveLength(6);
    const { exitCode, result, pruned } = await prune(root, '2');
    expect([exitCode, result]).toEqual([
      0,
      expect.objectContaining({
        command: 'history',
        outcome: 'pruned',
        changed: true,
        run: null,
        error: null,
      }),
    ]);
    expect(pruned).toEqual(dry.pruned.map((event) => ({ ...event, dryRun: false })));
    expect(pruned.map(({ run, copies, paths }) => [run, copies, paths])).toEqual([
      [runs[1], 1, [files.code]],
      [runs[2], 1, [files.code]],
    ]);
    expect(withCopies(root)).toEqual([runs[0], runs[3], runs[4]]);
    expect(root.runs()).toEqual(runs);
    expect(root.look()).toEqual(host);
    const journal = root.journalTree();
    const again = await prune(root, '2');
    expect([again.exitCode, again.result.outcome, again.pruned]).toEqual([0, 'unchanged', []]);
    expect(root.journalTree()).toEqual(journal);
  });

  test('leaves a rollback of what is kept, and refuses one of what is not, which says why', async () => {
    using root = await legacy(4);
    const runs = root.runs();
    await prune(root, '2');
    const before = root.look();
    const refused = expectExit(await root.run('rollback', [runs[1] ?? '']), 10);
    expect(refused.stderr).toContain(
      `E_UNDO_PRUNED: What stood at ${files.code} before run ${runs[1] ?? ''} cannot be put back: its copies were pruned`,
    );
    expect(root.look()).toEqual(before);
    expectExit(await root.run('rollback', [runs[3] ?? '']), 0);
    expect(root.read(files.code)).toBe('# version 1\n');
    // All of it goes back to the first run, whose copies are the originals.
    expectExit(await root.run('rollback', [runs[0] ?? '']), 0);
    expect(root.read(files.code)).toBe('# of before\n');
  });

  test('leaves an uninstall that cannot be undone any more, and what is advised then can be done', async () => {
    using root = await installed();
    expectExit(await root.run('uninstall'), 0);
    const uninstall = root.runs().at(-1) ?? '';
    await prune(root, '0');
    const { stderr } = expectExit(await root.run('rollback', [uninstall]), 10);
    expect(stderr).toContain(`before run ${uninstall} cannot be put back: its copies were pruned`);
    // No run is later, and nothing is installed.
    expect(stderr).toMatch(
      /Later runs can be undone as far as .* What is installed can be uninstalled: .* Where nothing is installed, install anew\./u,
    );
    expectExit(await root.install(), 0);
    expect(expectExit(await root.run('status'), 0).stdout).toContain('No drift.');
  });

  test('keeps the originals though KEEP is 0, until the uninstall that puts them back byte for byte', async () => {
    using root = await legacy(3);
    expect((await prune(root, '0')).pruned).toHaveLength(3);
    expect(withCopies(root)).toEqual([root.runs()[0]]);
    expectExit(await root.run('uninstall'), 0);
    expect([...root.originals].filter(([path, now]) => contents(root).get(path) !== now)).toEqual([]);
    expect((await prune(root, '0')).result.outcome).toBe('pruned');
    expect(copiesIn(root)).toEqual([]);
    expectExit(await root.install(), 0);
  });

  test('on a host without a journal does nothing', async () => {
    using root = place();
    const { exitCode, result } = await prune(root);
    expect([exitCode, result.outcome, [...root.look().keys()]]).toEqual([0, 'unchanged', ['']]);
  });

  test.each([
    [['--prune', 'x'], '--prune "x" is not a number of runs.'],
    [['--prune=-1'], '--prune "-1" is not a number of runs.'],
    [['--prune', '1000000000'], 'Valid: 0 to 999999999; the originals'],
    [['--prune', '5', '--limit', '3'], '--limit and --prune contradict each other.'],
    [['--dry-run'], '--dry-run goes with --prune'],
  ])('of %j is bad usage', async (args, words) => {
    using root = await installed();
    const before = root.journalTree();
    expect(expectExit(await root.run('history', args), 64).stderr).toContain(words);
    expect(root.journalTree()).toEqual(before);
  });

  test('waits for nobody: while a run is under way it is busy, and changes nothing', async () => {
    using root = await legacy(2);
    const lock = takeLock(root.at(files.journal));
    const before = copiesIn(root);
    for (const args of [['0'], ['0', '--dry-run']]) {
      const { exitCode, result } = await prune(root, ...args);
      expect([exitCode, result.error?.code]).toEqual([11, 'E_BUSY']);
    }
    lock!.release();
    expect(copiesIn(root)).toEqual(before);
  });

  test('leaves the copies of a run whose journal is damaged, and says so with 65', async () => {
    using root = await legacy(3);
    const [, second] = root.runs();
    writeFileSync(root.at(`${files.journal}/runs/${second ?? ''}/journal.jsonl`), 'nonsense\n');
    const { exitCode, result, pruned } = await prune(root, '0');
    expect([exitCode, result.error?.code]).toEqual([65, 'E_JOURNAL_DAMAGED']);
    expect(pruned.map(({ run }) => run)).toEqual(root.runs().slice(2));
    expect(withCopies(root)).toEqual(root.runs().slice(0, 2));
  });

  test('follows no link, and leaves what is not a copy', async () => {
    using root = await legacy(2);
    const [, second = '', third = ''] = root.runs();
    const outside = root.at('/outside');
    mkdirSync(outside);
    writeFileSync(`${outside}/1`, 'mine');
    rmSync(root.at(folder(second)), { recursive: true });
    symlinkSync(outside, root.at(folder(second)));
    const failed = await prune(root, '0');
    expect([failed.exitCode, failed.result.error?.code]).toEqual([10, 'E_PRUNE']);
    expect(readFileSync(`${outside}/1`, 'utf8')).toBe('mine');
    rmSync(root.at(folder(second)));
    root.write(`${folder(third)}/notes.txt`, 'mine');
    expect((await prune(root, '0')).pruned.map(({ run }) => run)).toEqual([third]);
    expect(readdirSync(root.at(folder(third)))).toEqual(['notes.txt']);
  });
});

test('of an instance, its own journal is pruned and no other', async () => {
  using root = place();
  for (const instance of [[], ['--instance', 'second']]) {
    expectExit(await root.install(instance), 0);
    for (const nth of [1, 2]) {
      const source = root.at(`/source-${nth}.py`);
      writeFileSync(source, `# version ${nth}\n`);
      expectExit(await root.install([...instance, '--source', source]), 0);
    }
  }
  const plain = copiesIn(root);
  expect(plain).toHaveLength(2);
  const { exitCode, pruned } = await prune(root, '0', '--instance', 'second');
  const code = '/usr/local/lib/mcp-oauth-proxy-second/oauth_proxy.py';
  expect({ exitCode, paths: pruned.map(({ paths }) => paths) }).toEqual({
    exitCode: 0,
    paths: [[code], [code]],
  });
  expect(copiesIn(root)).toEqual(plain);
});
