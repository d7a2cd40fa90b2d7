/** What stands in files is data: no program runs because of it, and none runs but those that the installer names. */
import { mkdirSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { files, installed, type Place } from '../support/place.ts';
import { traced } from '../support/trace.ts';

/** For a shell, each of them makes a file in the directory. */
const commands = (directory: string): readonly string[] => [
  `$(touch ${directory}/substituted)`,
  `\`touch ${directory}/backticked\``,
  `x;touch ${directory}/followed`,
  `x|touch ${directory}/piped`,
  `x&&touch ${directory}/chained`,
];

/** The programs that a run starts, itself included, and whether it looks into a file. */
async function watched(root: Place, args: readonly string[], file: string) {
  const { exitCode, text } = await traced([...args, '--root', root.path], { also: 'execve' });
  const started = [...text.matchAll(/execve\("([^"]+)"/gu)].map(([, program]) => program);
  return { exitCode, started: [...new Set(started)], looked: text.includes(file) };
}

test('a shell’s words in the env file and in os-release start nothing (security 15)', async () => {
  using root = await installed();
  const directory = root.at('/made');
  mkdirSync(directory);
  const lines = commands(directory).map((command, nth) => `KEY_${nth}=${command}\n`);
  const text = `${root.read(files.env)}${lines.join('')}`;
  root.write(files.env, text, 0o600);
  root.write('/etc/os-release', `ID=debian\nVERSION_ID=${commands(directory).join('\n')}\n`);
  for (const args of [['--port', '9000'], ['--force-rotate-tokens'], ['status']]) {
    const { looked, started, exitCode } = await watched(root, args, 'os-release');
    expect({ args, exitCode, looked, started }).toEqual({
      args,
      exitCode: 0,
      looked: false,
      started: [process.execPath, '/usr/bin/flock', '/usr/bin/dpkg-query'],
    });
  }
  expect(readdirSync(directory)).toEqual([]);
  for (const line of lines) expect(root.read(files.env)).toContain(line);
});
