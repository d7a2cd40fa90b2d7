/** `install.sh` in a checkout that was never built: from any directory, once built without building again. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { repositoryRoot } from '../hosts/support/base.ts';
import { bundle, temporaryRoot } from '../support/installer.ts';

const parts = [
  'src',
  'scripts',
  'install.sh',
  'mcp-installer',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'tools',
];

interface Checkout extends Disposable {
  readonly path: string;
  bootstrap(args: readonly string[], how?: How): { status: number | null; stdout: string; stderr: string };
}

interface How {
  readonly program?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A user id without a name. */
  readonly user?: number;
}

/** A checkout that was never built; its packages are there, unless a test takes them away. */
function checkout(owner = 0): Checkout {
  const place = temporaryRoot();
  for (const part of parts)
    cpSync(path.join(repositoryRoot, part), path.join(place.path, part), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (from) => !from.includes('/node_modules'),
    });
  symlinkSync(realpathSync(path.join(repositoryRoot, 'node_modules')), path.join(place.path, 'node_modules'));
  utimesSync(path.join(place.path, 'package-lock.json'), 0, 0);
  chmodSync(place.path, 0o755);
  execFileSync('chown', ['--recursive', '--no-dereference', String(owner), place.path]);
  return {
    path: place.path,
    bootstrap: (args, { program = 'install.sh', env = {}, user = 0 } = {}) => {
      const become = [`--reuid=${user}`, '--clear-groups', path.resolve(place.path, program), ...args];
      return spawnSync('setpriv', become, {
        cwd: '/',
        encoding: 'utf8',
        env: { PATH: process.env['PATH'], ...env },
      });
    },
    [Symbol.dispose]: () => place[Symbol.dispose](),
  };
}

/** A directory of programs, to stand in PATH. */
function programs(scripts: Readonly<Record<string, string>>): Disposable & { readonly path: string } {
  const place = temporaryRoot();
  chmodSync(place.path, 0o755);
  for (const [name, text] of Object.entries(scripts))
    writeFileSync(path.join(place.path, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return place;
}

const stranger = 54_321;

test('works through a symlink; as ./mcp-installer it hands every command on, and remedies name it', () => {
  using place = checkout();
  using root = temporaryRoot();
  using elsewhere = temporaryRoot();
  const link = path.join(elsewhere.path, 'set-up');
  symlinkSync(path.join(place.path, 'install.sh'), link);
  expect(place.bootstrap(['--quiet', '--root', root.path], { program: link }).status).toBe(0);
  const status = place.bootstrap(['status', '--root', root.path], { program: 'mcp-installer' });
  expect(status).toMatchObject({ status: 0, stderr: '' });
  expect(status.stdout).toContain('No drift.');
  const { stderr } = place.bootstrap(['--bogus'], { program: link });
  expect(stderr).toContain(`See \`${place.path}/mcp-installer install --help\`.`);
});

test('root builds as the owner of the checkout, also where that one has no name here', () => {
  using place = checkout(stranger);
  using root = temporaryRoot();
  const { status, stderr } = place.bootstrap(['--quiet', '--root', root.path]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: 'Building\n' });
  expect(statSync(path.join(place.path, 'dist/mcp-installer.mjs')).uid).toBe(stranger);
});

test('somebody who can neither build nor install gets the line to type, with the settings of the environment', () => {
  using place = checkout(stranger);
  const env = { MCP_INSTALLER_DOMAIN: 'mcp.example.org' };
  const line = `sudo MCP_INSTALLER_DOMAIN=mcp.example.org ${place.path}/install.sh --port 9000`;
  const unbuilt = place.bootstrap(['--port', '9000'], { user: stranger + 1, env });
  expect(unbuilt).toMatchObject({
    status: 10,
    stdout: '',
    stderr: `[ERROR] E_BOOTSTRAP: The checkout ${place.path} is not built yet, and this user may not write there.\n        Run it as root, which builds it as its owner: ${line}\n`,
  });
  expect(place.bootstrap(['--dry-run', '--root', '/nowhere']).status).toBe(64);
  const built = place.bootstrap(['--port', '9000'], { user: stranger + 1, env });
  expect(built.status).toBe(10);
  expect(built.stderr).toContain(`Run: ${line}\n`);
});

test('npm is asked for what the lock file pins, and runs no script; where it fails that is a refusal with a sentence (security 28)', () => {
  using place = checkout();
  using fake = programs({ npm: 'echo "npm $*" >&2; exit 243' });
  rmSync(path.join(place.path, 'node_modules'));
  const env = { PATH: `${fake.path}:${process.env['PATH'] ?? ''}` };
  const { status, stderr } = place.bootstrap([], { env });
  expect(stderr).toMatch(/^npm ci --ignore-scripts /mu);
  expect({ status, stderr }).toEqual({
    status: 10,
    stderr: expect.stringContaining('[ERROR] E_BOOTSTRAP: npm could not install the packages of') as string,
  });
});

test('without Node it says what to do, with --json on stdout too', () => {
  using place = checkout();
  using few = temporaryRoot();
  for (const name of ['sh', 'readlink', 'dirname', 'stat', 'id', 'sed', 'tr', 'env'])
    symlinkSync(execFileSync('which', [name], { encoding: 'utf8' }).trim(), path.join(few.path, name));
  const setpriv = execFileSync('which', ['setpriv'], { encoding: 'utf8' }).trim();
  symlinkSync(setpriv, path.join(few.path, 'setpriv'));
  const { status, stdout } = place.bootstrap(['--json'], { env: { PATH: few.path } });
  expect(status).toBe(10);
  expect(JSON.parse(stdout)).toEqual({
    v: 1,
    type: 'result',
    command: 'install',
    outcome: 'refused',
    exitCode: 10,
    changed: false,
    plan: null,
    run: null,
    error: {
      code: 'E_NODE',
      message: 'Node is missing.',
      remedy: 'Install it and run this again: apt-get install nodejs npm',
    },
  });
});

test('where the host’s Node is too old, the pinned one is fetched and does the work', () => {
  using place = checkout();
  using root = temporaryRoot();
  // Old enough for the choice; npm runs by it as by Debian 12's.
  using fake = programs({
    node: `[ "$1" = --version ] && echo v18.19.0 || exec '${process.execPath}' "$@"`,
  });
  // npm with its cache, and with the way to its registry that this machine has.
  const env = {
    ...(process.env as Record<string, string>),
    PATH: `${fake.path}:${process.env['PATH'] ?? ''}`,
  };
  const first = place.bootstrap(['--json', '--root', root.path], { env });
  expect({ status: first.status, stderr: first.stderr }).toEqual({
    status: 0,
    stderr: expect.stringContaining(
      "This host's Node (v18.19.0) is too old; fetching the pinned one",
    ) as string,
  });
  expect(existsSync(path.join(place.path, 'tools/pinned-node/node_modules'))).toBe(true);
  const told = place.bootstrap(['--version', '--json'], { env, program: 'mcp-installer' });
  expect(told.stderr).toBe('0.1.0\n');
  expect(JSON.parse(told.stdout)).toMatchObject({
    madeOf: { node: expect.stringMatching(/^v24\./u) as string },
  });
});

test('the bundle itself says on an old Node that it is too old, before it loads anything', () => {
  using fake = programs({});
  const old = path.join(fake.path, 'old.cjs');
  // What a Node 18 says of itself; that it gets as far as that is the build's target.
  writeFileSync(old, "Object.defineProperty(process.versions, 'node', { value: '18.19.0' });");
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-r', old, bundle, '--json'], {
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({
    status: 10,
    stderr: expect.stringContaining('[ERROR] E_NODE: Node 18.19.0 is too old for this.\n') as string,
  });
  expect(JSON.parse(stdout)).toMatchObject({ type: 'result', exitCode: 10, error: { code: 'E_NODE' } });
});

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
