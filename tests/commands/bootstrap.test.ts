/** `install.sh` in a checkout that was never built: from any directory, once built without building again. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, statSync, symlinkSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { repositoryRoot } from '../hosts/support/base.ts';
import { temporaryRoot } from '../support/installer.ts';

const parts = [
  'src',
  'scripts',
  'install.sh',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'tools',
];

test('builds what is missing, from any directory, and only once; keeps the exit code; stdout stays JSON', () => {
  using checkout = temporaryRoot();
  using root = temporaryRoot();
  for (const part of parts)
    cpSync(path.join(repositoryRoot, part), path.join(checkout.path, part), { recursive: true });
  symlinkSync(path.join(repositoryRoot, 'node_modules'), path.join(checkout.path, 'node_modules'));
  // The lock file is as old as the packages that it describes.
  utimesSync(path.join(checkout.path, 'package-lock.json'), 0, 0);
  const bootstrap = (...args: string[]) =>
    spawnSync(path.join(checkout.path, 'install.sh'), [...args, '--root', root.path], {
      cwd: '/',
      encoding: 'utf8',
    });

  const first = bootstrap('--json');
  expect({ status: first.status, stderr: first.stderr }).toMatchObject({ status: 0 });
  expect(first.stderr).toContain('Building\n');
  for (const line of first.stdout.trim().split('\n')) expect(JSON.parse(line)).toMatchObject({ v: 1 });

  const built = statSync(path.join(checkout.path, 'dist/mcp-installer.mjs')).ino;
  const second = bootstrap('--quiet');
  expect({ status: second.status, stdout: second.stdout, stderr: second.stderr }).toEqual({
    status: 0,
    stdout: '',
    stderr: '',
  });
  expect(statSync(path.join(checkout.path, 'dist/mcp-installer.mjs')).ino).toBe(built);
  expect(bootstrap('--port', '1').status).toBe(64);
});

test('works in a checkout that cannot be written', () => {
  using place = temporaryRoot();
  using root = temporaryRoot();
  const seen = path.join(place.path, 'checkout');
  mkdirSync(seen);
  execFileSync('mount', ['--bind', repositoryRoot, seen]);
  try {
    execFileSync('mount', ['-o', 'remount,bind,ro', seen]);
    const { status, stderr } = spawnSync(path.join(seen, 'install.sh'), ['--quiet', '--root', root.path], {
      cwd: '/',
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  } finally {
    execFileSync('umount', ['--lazy', seen]);
  }
});
