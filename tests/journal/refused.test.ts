/** What the system refuses to the journal is told as that, and is no bug: nothing was changed. */
import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { bundle, resultOf, run } from '../support/installer.ts';
import { files, place } from '../support/place.ts';

/** The command line with the resources of a process limited as `prlimit` does. */
const limited = (limit: string, root: string) =>
  resultOf(
    spawn('prlimit', [limit, process.execPath, bundle, 'install', '--json', '--root', root], {
      stdio: ['pipe', 'pipe', 'pipe'],
    }),
  );

test('a key that cannot be written whole is E_JOURNAL, and the next run makes it', async () => {
  using root = place();
  const { exitCode, stdout } = await limited('--fsize=16', root.path);
  expect({
    exitCode,
    code: (JSON.parse(stdout.trim().split('\n').at(-1)!) as { error: { code: string } }).error.code,
  }).toEqual({
    exitCode: 10,
    code: 'E_JOURNAL',
  });
  expect([...root.look().keys()].filter((file) => file.startsWith('/etc'))).toEqual([]);
  for (const outcome of ['installed', 'unchanged']) {
    const { stdout: told } = await run(['install', '--json', '--root', root.path]);
    expect(told.trim().split('\n').at(-1)).toContain(`"outcome":"${outcome}"`);
  }
  expect([...root.journalTree().keys()].filter((file) => file.endsWith('-tmp'))).toEqual([]);
  expect(root.read(`${files.journal}/fingerprint.key`)).toMatch(/^[0-9a-f]{64}\n$/u);
});
