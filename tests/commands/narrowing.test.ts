/** A complete .env that others can read is only narrowed: not written anew, not one byte of it. */
import { chmodSync, readFileSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { expectExit, files, installed } from '../support/place.ts';

interface Told {
  readonly type: string;
  readonly operations?: readonly unknown[];
}

test.each(['0644', '0640', '0604'])('a complete .env of mode %s is only narrowed', async (mode) => {
  using root = await installed();
  const env = root.at(files.env);
  chmodSync(env, parseInt(mode, 8));
  const bytes = readFileSync(env);
  const { ino, mtimeMs } = statSync(env);
  const { stdout } = expectExit(await root.install(['--json', '--detailed-exitcode']), 2);
  const told = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Told);
  expect(told.find(({ type }) => type === 'plan')?.operations).toEqual([
    {
      kind: 'narrowMode',
      path: files.env,
      role: 'env',
      action: 'replace',
      detail: ['0600'],
      because: `mode ${mode}`,
    },
  ]);
  const after = statSync(env);
  expect([after.mode & 0o7777, after.ino, after.mtimeMs, readFileSync(env)]).toEqual([
    0o600,
    ino,
    mtimeMs,
    bytes,
  ]);
  expectExit(await root.install(['--detailed-exitcode']), 0);
});

test.each([
  ['for a setting', ['--port', '9000']],
  ['for secrets', ['--force-rotate-tokens']],
])('an .env that has to change as well, %s, is narrowed first (security 2)', async (_, args) => {
  using root = await installed();
  chmodSync(root.at(files.env), 0o644);
  const { stdout } = expectExit(await root.install([...args, '--json']), 0);
  const kinds = stdout
    .split('\n')
    .filter((line) => line.includes('"type":"operation"'))
    .map((line) => (JSON.parse(line) as { operation: { kind: string; path: string } }).operation)
    .map(({ kind, path }) => `${kind} ${path}`);
  expect(kinds.slice(0, 2)).toEqual([`narrowMode ${files.env}`, `writeFile ${files.env}`]);
  expect(statSync(root.at(files.env)).mode & 0o7777).toBe(0o600);
});
