/** What the journal tells where it is cut off, of another version, long, or where there is none. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { install } from '../../src/install.ts';
import { parseJournal, type JournalRecord } from '../../src/journal/record.ts';
import { journalText } from '../support/journal-text.ts';
import { expectExit, files, installed, place, type Place } from '../support/place.ts';

/** The records of the last journal, changed and chained anew. */
function rewrite(root: Place, change: (record: JournalRecord) => JournalRecord): readonly JournalRecord[] {
  const file = root.journal();
  const records = parseJournal(root.read(file)).records.map(change);
  root.write(file, journalText(records), 0o600);
  return records;
}

const lastRun = (root: Place): string => root.runs().at(-1) ?? 'none';

test('a last record that was cut off is left out, said by `show` and by the next run', async () => {
  using root = await installed();
  const run = lastRun(root);
  const text = root.read(root.journal());
  root.write(root.journal(), text.slice(0, -10), 0o600);
  const shown = expectExit(await root.run('show', ['last']), 0);
  expect(shown.stdout).toMatch(/ The last record was cut off; it is left out\.\n.* The run did not end\.\n/u);
  expect(shown.stdout).not.toContain('run ended');
  const { stdout } = expectExit(await root.install(), 0);
  expect(stdout).toContain(
    `[!] The last record of run ${run} was cut off, as by a power cut; it is left out.\n`,
  );
  expect(stdout).toContain(
    `[!] Run ${run} was interrupted before it ended; this one finishes what it left.\n`,
  );
  expect(expectExit(await root.install(['--detailed-exitcode']), 0).stdout).not.toContain('cut off');
});

test('a run of another version of the machine is shown by its records, and not folded', async () => {
  using root = await installed();
  const folded = expectExit(await root.run('replay', ['last']), 0).stdout;
  expect(folded).toMatch(/-> {2}installed\n$/u);
  const records = rewrite(root, (record) =>
    record.k === 'run.started'
      ? { ...record, machine: { ...record.machine, version: '0-of-another' } }
      : record,
  );
  const { stdout } = expectExit(await root.run('replay', ['last']), 0);
  const [first, ...lines] = stdout.trimEnd().split('\n');
  expect(first).toBe(
    `Run ${lastRun(root)} is of another version of the machine and cannot be folded; its records:`,
  );
  expect(lines.map((line) => line.trim().split(/ +/u).slice(0, 2))).toEqual(
    records.map(({ n, t }) => [String(n), t]),
  );
  const watched = expectExit(await root.run('replay', ['last', '--inspect', '0']), 0);
  expect(watched.output).toContain('The run cannot be folded, so it is not served.');
  expect(watched.output).not.toContain('http://127.0.0.1');
  // What a later run needs does not depend on folding.
  expectExit(await root.install(['--detailed-exitcode']), 0);
});

test('a first record that does not say what is known is damage, and the next run goes on without it', async () => {
  using root = await installed();
  rewrite(root, (record) =>
    record.k === 'run.started'
      ? (JSON.parse(JSON.stringify({ ...record, inherited: undefined })) as never)
      : record,
  );
  for (const command of ['history', 'show last', 'replay last', 'graph --run last']) {
    const [name = '', ...args] = command.split(' ');
    const ran = expectExit(await root.run(name, args), 65);
    expect(ran.output).toContain('line 1 does not say what is known');
  }
  const { output } = expectExit(await root.install(), 0);
  expect(output).toContain('line 1 does not say what is known');
});

test('of 25 runs `history` shows the newest 20, or as many as it is asked for', async () => {
  using root = place();
  for (let run = 0; run < 25; run += 1) await install({ root: root.path });
  const shown = async (args: readonly string[] = []): Promise<readonly string[]> =>
    expectExit(await root.run('history', args), 0)
      .stdout.trimEnd()
      .split('\n')
      .map((line) => line.split(' ')[0] ?? '');
  const newest = root.runs().toReversed();
  expect(newest).toHaveLength(25);
  expect(await shown()).toEqual(newest.slice(0, 20));
  expect(await shown(['--limit', '3'])).toEqual(newest.slice(0, 3));
  expect(await shown(['--limit', '100'])).toEqual(newest);
  expect((await root.run('history', ['--limit', '0'])).exitCode).toBe(64);
});

test('a refusal leaves a journal only where there is one already', async () => {
  using root = place();
  mkdirSync(root.at('/etc'));
  chmodSync(root.at('/etc'), 0o777);
  const before = root.look();
  expectExit(await root.install(), 10);
  expect(root.look()).toEqual(before);
  chmodSync(root.at('/etc'), 0o755);
  expectExit(await root.install(), 0);
  chmodSync(root.at('/etc'), 0o777);
  expectExit(await root.install(), 10);
  expect(root.runs()).toHaveLength(2);
  expect(readFileSync(root.at(root.journal()), 'utf8')).toContain('"error":"E_PATH_UNSAFE"');
  expect(path.dirname(path.dirname(root.journal()))).toBe(`${files.journal}/runs`);
});

test.each(['fingerprint.key', 'runs/20261125T000000Z-0000/journal.jsonl'])(
  'a pipe in the place of %s is not waited for (security 5)',
  async (name) => {
    using root = await installed();
    const pipe = root.at(`${files.journal}/${name}`);
    rmSync(pipe, { force: true });
    mkdirSync(path.dirname(pipe), { recursive: true });
    execFileSync('mkfifo', [pipe]);
    expectExit(await root.install(), 0);
  },
);

test('a link in the place of the runs leads nowhere: the run is refused, and nothing is written through it', async () => {
  using root = await installed();
  using elsewhere = place();
  const runs = root.at(`${files.journal}/runs`);
  rmSync(runs, { recursive: true });
  symlinkSync(elsewhere.path, runs);
  const refused = expectExit(await root.install(['--port', '9000']), 10);
  expect(refused.stderr).toContain('E_PATH_UNSAFE');
  expect(readdirSync(elsewhere.path)).toEqual([]);
});
