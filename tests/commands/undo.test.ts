/** `rollback` and `uninstall` on the command line, and what `history` and `status` tell of them. */
import { chmodSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { expectExit, files, installed, type Place } from '../support/place.ts';
import { eventsOf } from '../support/run-events.ts';

const resultOf = (stdout: string): unknown => eventsOf(stdout).at(-1);

async function history(root: Place) {
  const { stdout } = expectExit(await root.run('history', ['--json']), 0);
  return eventsOf(stdout).flatMap((event) =>
    event.type === 'historyEntry' ? [[event.command, event.outcome, event.undone, event.changed]] : [],
  );
}

async function upgraded(root: Place): Promise<void> {
  root.write('/root/next.py', '# next\n');
  expectExit(await root.install(['--source', root.at('/root/next.py')]), 0);
}

describe('history', () => {
  test('tells which runs were undone since, and which stand again', async () => {
    using root = await installed();
    await upgraded(root);
    expectExit(await root.run('rollback'), 0);
    const [rollback, upgrade, first] = await history(root);
    expect([rollback, upgrade]).toEqual([
      ['rollback', 'undone', false, [files.code]],
      ['install', 'installed', true, [files.code]],
    ]);
    expect(first?.slice(0, 3)).toEqual(['install', 'installed', false]);
    expectExit(await root.run('rollback', ['last']), 0);
    expect((await history(root)).slice(0, 3).map((entry) => entry[2])).toEqual([false, true, false]);
    expectExit(await root.run('uninstall'), 0);
    expect((await history(root)).map((entry) => entry[2])).toEqual([false, true, true, true, true]);
  });
});

describe('a result', () => {
  test('of an undoing says undone or uninstalled, and 2 where that was asked for and something changed', async () => {
    using root = await installed();
    await upgraded(root);
    const undone = await root.run('rollback', ['--json', '--detailed-exitcode']);
    expect([undone.exitCode, resultOf(undone.stdout)]).toEqual([
      2,
      expect.objectContaining({ command: 'rollback', outcome: 'undone', exitCode: 2, changed: true }),
    ]);
    const gone = await root.run('uninstall', ['--json']);
    expect(resultOf(gone.stdout)).toMatchObject({
      command: 'uninstall',
      outcome: 'uninstalled',
      exitCode: 0,
    });
    const again = await root.run('uninstall', ['--json', '--detailed-exitcode']);
    expect([again.exitCode, resultOf(again.stdout)]).toEqual([
      0,
      expect.objectContaining({ command: 'uninstall', outcome: 'unchanged', changed: false }),
    ]);
  });

  test('of a run that does not exist is bad usage, and nothing is touched', async () => {
    using root = await installed();
    const before = [root.look(), root.journalTree()];
    const { stdout } = expectExit(await root.run('rollback', ['20200101T000000Z-0000', '--json']), 64);
    expect(resultOf(stdout)).toMatchObject({ outcome: 'refused', error: { code: 'E_RUN_UNKNOWN' } });
    expect([root.look(), root.journalTree()]).toEqual(before);
    // As of a variable that a script has not set: it means no run, least of all the last one.
    const empty = expectExit(await root.run('rollback', ['', '--json']), 64);
    expect(resultOf(empty.stdout)).toMatchObject({ outcome: 'refused', error: { code: 'E_USAGE' } });
    expect([root.look(), root.journalTree()]).toEqual(before);
  });
});

describe('status', () => {
  test('tells drift file by file with a diff, and the edits that are kept with theirs; no secret in either', async () => {
    using root = await installed();
    const secrets = Object.values(root.secrets());
    root.write(files.site, `${root.read(files.site)}# mine\n`);
    root.write(files.env, root.read(files.env).replace('8083', '9000'), 0o600);
    chmodSync(root.at(files.code), 0o600);
    const { stdout } = expectExit(await root.run('status', ['--json', '--verbose']), 3);
    const found = eventsOf(stdout).find((event) => event.type === 'status');
    expect(found?.diffs.map(({ path }) => path)).toEqual([
      files.socket,
      files.snippet,
      `${files.site}.mcp-new`,
    ]);
    expect(found?.diffs[0]?.diff).toContain('-ListenStream=127.0.0.1:8083\n+ListenStream=127.0.0.1:9000\n');
    expect(found?.edits.map(({ path }) => path)).toEqual([files.site]);
    const people = expectExit(await root.run('status'), 3).stdout;
    expect(people).toContain('\n+ListenStream=127.0.0.1:9000\n');
    expect(people).toContain('What a person edited, and is kept:\n');
    expect(secrets.filter((value) => `${stdout}${people}`.includes(value))).toEqual([]);
  });

  test('of an installation that was taken away says so, and that its secrets are kept', async () => {
    using root = await installed();
    expectExit(await root.run('uninstall'), 0);
    expect(expectExit(await root.run('status'), 4).stdout).toContain('Not installed.\n');
    expect(expectExit(await root.run('status'), 4).stdout).toContain(
      'an installation would take its secrets up again',
    );
  });
});
