/** A run that crashes leaves no core file with a secret in it. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { repositoryRoot } from '../hosts/support/base.ts';
import { until } from '../hosts/support/host.ts';
import { bundle, temporaryRoot } from '../support/installer.ts';

const token = 'a-token-that-no-core-file-holds-0123456789';
const words = ['--mcp-token-file', '-', '--root'];

/** A run where core files are not limited, which has been given a token and waits for the end of its input. */
function waiting(command: readonly string[], cwd: string): ChildProcessWithoutNullStreams {
  const child = spawn('sh', ['-c', 'ulimit -c unlimited; exec "$@"', 'sh', ...command, ...words, cwd], {
    cwd,
  });
  child.stdin.on('error', () => undefined);
  child.stdin.write(token);
  return child;
}

const lookAt = (child: ChildProcessWithoutNullStreams, name: string): string =>
  readFileSync(`/proc/${child.pid ?? 0}/${name}`, 'utf8');

/** Past the start of Node, and at the input: nothing is left to be read from the pipe. */
const hasRead = (child: ChildProcessWithoutNullStreams): true | undefined =>
  lookAt(child, 'cmdline').includes(bundle) && child.stdin.writableLength === 0 ? true : undefined;

test('nothing in memory goes into one, however the installer is called (security 14)', async () => {
  using place = temporaryRoot();
  const child = waiting([process.execPath, bundle], place.path);
  try {
    await until('no memory is dumped', () =>
      lookAt(child, 'coredump_filter').trim() === '00000000' ? true : undefined,
    );
    await until('the token is in memory', () => hasRead(child));
  } finally {
    child.kill('SIGSEGV');
  }
  expect(await once(child, 'close')).toEqual([null, 'SIGSEGV']);
  // Whether there is one, and where, is this machine's choice.
  const left = readdirSync(place.path).map((name) => readFileSync(path.join(place.path, name), 'latin1'));
  expect(left.filter((text) => text.includes(token))).toEqual([]);
});

test('there is none where install.sh called it (security 14)', async () => {
  using place = temporaryRoot();
  const child = waiting([path.join(repositoryRoot, 'install.sh')], place.path);
  try {
    await until('the installer runs', () => hasRead(child));
    expect(lookAt(child, 'limits')).toMatch(/^Max core file size +0 +0 +bytes/mu);
  } finally {
    child.kill('SIGSEGV');
  }
  expect(await once(child, 'close')).toEqual([null, 'SIGSEGV']);
  expect(readdirSync(place.path)).toEqual([]);
});
