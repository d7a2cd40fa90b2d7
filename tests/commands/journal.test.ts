/** `history`, `show` and `replay`, and `status` while a run is under way. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { run, temporaryRoot } from '../support/installer.ts';

async function installed() {
  const root = temporaryRoot();
  expect((await run(['--root', root.path])).exitCode).toBe(0);
  const home = path.join(root.path, 'var/lib/mcp-installer');
  const runs = path.join(home, 'runs');
  return {
    path: root.path,
    home,
    runs,
    ids: () => readdirSync(runs).sort(),
    journalOf: (id: string) => path.join(runs, id, 'journal.jsonl'),
    ask: (...args: string[]) => run([...args, '--root', root.path]),
    [Symbol.dispose]: () => root[Symbol.dispose](),
  };
}

/** As a run that was killed, or is still at work, leaves its journal. */
function withoutEnd(file: string): void {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  writeFileSync(file, `${lines.slice(0, -1).join('\n')}\n`);
}

/** Holds the lock of the installation, as a run that is under way does. */
async function holdLock(home: string): Promise<Disposable & { isHeld(): boolean }> {
  const holder = spawn('flock', ['--exclusive', home, 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  return { isHeld: () => holder.exitCode === null, [Symbol.dispose]: () => void holder.stdin.end() };
}

test('a run that has not ended is under way as long as it holds the lock, and interrupted after that', async () => {
  using root = await installed();
  const [id = ''] = root.ids();
  withoutEnd(root.journalOf(id));
  {
    using held = await holdLock(root.home);
    expect(held.isHeld()).toBe(true);
    expect((await root.ask('history')).stdout).toContain('  underWay  ');
    expect((await root.ask('show', 'last')).stdout).toContain('[!] The run is still under way.');
    const status = await root.ask('status');
    expect({ exitCode: status.exitCode, stdout: status.stdout }).toEqual({
      exitCode: 11,
      stdout: `Run ${id} is under way; what it has done so far is not judged.\n`,
    });
    const json = (await root.ask('status', '--json')).stdout.split('\n')[0] ?? '';
    expect(JSON.parse(json)).toMatchObject({ installed: null, drift: [], underWay: id });
  }
  expect((await root.ask('history')).stdout).toContain('  interrupted  ');
  expect((await root.ask('show', 'last')).stdout).toContain('[!] The run did not end.');
});

test('a beginning that several runs share is ambiguous, and they are listed', async () => {
  using root = await installed();
  await root.ask();
  const [first = '', second = ''] = root.ids();
  const { exitCode, stderr } = await root.ask('show', '2');
  expect({ exitCode, stderr }).toEqual({
    exitCode: 64,
    stderr: `[ERROR] E_USAGE: "2" is ambiguous: 2 runs begin like that.\n        They are ${second}, ${first}.\n`,
  });
});

test('an empty name is no run; a limit may be large', async () => {
  using root = await installed();
  expect((await root.ask('show', '')).stderr).toContain('The name of the run is empty.');
  expect((await root.ask('history', '--limit', '1000000')).exitCode).toBe(0);
});

test('damage: history leads to show, show shows, and replay does not call it another version', async () => {
  using root = await installed();
  const [id = ''] = root.ids();
  const file = root.journalOf(id);
  writeFileSync(file, readFileSync(file, 'utf8').replace('"run.started"', '"run.startet"'));
  const history = await root.ask('history');
  expect(history.exitCode).toBe(65);
  expect(history.stderr).toMatch(new RegExp(`shown by \`\\S+ show ${id}\``, 'u'));
  const replay = await root.ask('replay', 'last');
  expect({ exitCode: replay.exitCode, stdout: replay.stdout }).toEqual({
    exitCode: 65,
    stdout: `Run ${id} has no first record, so there is nothing to fold.\n`,
  });
  for (const { stderr } of [replay, await root.ask('show', 'last')]) {
    expect(stderr).toContain('E_JOURNAL_DAMAGED');
    expect(stderr).not.toContain('history');
  }
});

test('a run that was killed before its first record did nothing, and nothing is said of versions', async () => {
  using root = await installed();
  mkdirSync(path.join(root.runs, '29991231T235959Z-ffff'));
  const { exitCode, stdout } = await root.ask('replay', 'last');
  expect({ exitCode, stdout }).toEqual({
    exitCode: 0,
    stdout:
      'Run 29991231T235959Z-ffff has no first record, so there is nothing to fold.\n[!] The run was cut off before its first record.\n',
  });
});
