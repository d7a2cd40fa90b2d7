/** Below a root of one's own no root is needed: the caller's uid stands for it, and packages are only named. */
import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, lchownSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { bundle, resultOf, temporaryRoot, type Ran } from '../support/installer.ts';
import { expectExit, files, place, type Place } from '../support/place.ts';

const root = process.geteuid?.() === 0;
const user = root ? 65_534 : (process.geteuid?.() ?? 0);

/** A place of the user's, with the command line where the user can read it. */
function ofUser(): Place & { as(args: readonly string[]): Promise<Ran> } {
  const own = place();
  const shared = temporaryRoot();
  chmodSync(shared.path, 0o755);
  const program = path.join(shared.path, 'mcp-installer.mjs');
  copyFileSync(bundle, program);
  if (root) lchownSync(own.path, user, user);
  const drop = root ? ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups'] : [];
  return {
    ...own,
    as: (args) => {
      const [file, ...words] = [...drop, process.execPath, program, ...args, '--root', own.path];
      const child = spawn(file, words, { env: { PATH: process.env['PATH'] ?? '' }, cwd: '/' });
      child.stdin.end();
      return resultOf(child);
    },
    [Symbol.dispose]: () => {
      own[Symbol.dispose]();
      shared[Symbol.dispose]();
    },
  };
}

test('a fresh installation, a rerun, a rotation and a status need no root below one', async () => {
  using own = ofUser();
  const { output } = expectExit(await own.as(['--detailed-exitcode']), 2);
  expect(output).toContain(
    `[+] Packages missing below ${own.path}, only named here: python3-fastapi python3-uvicorn python3-httpx python3-jwt nginx\n`,
  );
  expect(output).not.toContain('Installed packages');
  const owners = [files.env, files.code, files.site, files.journal].map((file) => {
    const { uid, mode } = statSync(own.at(file));
    return [file, uid, (mode & 0o7777).toString(8)];
  });
  expect(owners).toEqual([
    [files.env, user, '600'],
    [files.code, user, '644'],
    [files.site, user, '644'],
    [files.journal, user, '700'],
  ]);
  const first = own.secrets();
  expectExit(await own.as(['--detailed-exitcode']), 0);
  expectExit(await own.as(['--force-rotate-tokens', '--detailed-exitcode']), 2);
  const second = own.secrets();
  expect(Object.keys(second).filter((name) => second[name] === first[name])).toEqual([]);
  expectExit(await own.as(['status']), 0);
});

test.runIf(root)(
  'a symlink of somebody else on the way is refused, one of root or of the caller is followed',
  async () => {
    for (const [owner, exitCode] of [
      [12_345, 10],
      [0, 0],
      [user, 0],
    ] as const) {
      using own = ofUser();
      mkdirSync(own.at('/real'));
      lchownSync(own.at('/real'), user, user);
      symlinkSync('real', own.at('/etc'));
      lchownSync(own.at('/etc'), owner, owner);
      const ran = await own.as([]);
      expect({ owner, exitCode: ran.exitCode, made: readdirSync(own.at('/real')).length > 0 }).toEqual({
        owner,
        exitCode,
        made: exitCode === 0,
      });
      if (exitCode !== 0)
        expect(ran.output).toContain(
          `E_PATH_UNSAFE: /etc cannot be trusted: the symlink belongs to uid ${owner}.`,
        );
    }
  },
);
