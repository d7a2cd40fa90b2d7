/** `--skip-preflight` skips the checks of the environment, and never what is refused about `.env`, paths, values, the lock. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import { createMemoryHost } from '../../src/effects/host/memory.ts';
import type { Command, CommandResult, Host } from '../../src/effects/host/port.ts';
import { install } from '../../src/install.ts';
import { bundle } from '../support/installer.ts';
import { expectExit, files, installed, place, type Place } from '../support/place.ts';

interface Environment {
  /** `no dpkg`: the program that would tell is missing. */
  readonly packages: 'there' | 'missing' | 'no dpkg';
  readonly port: 'free' | 'taken';
  readonly systemd: number;
}

const sound: Environment = { packages: 'there', port: 'free', systemd: 252 };

const wanted = ['python3-fastapi', 'python3-uvicorn', 'python3-httpx', 'python3-jwt', 'nginx'];

/** Of units that are not there, as this version of systemd tells it: none before 249 knows `Upholds=`. */
const shownBy = (systemd: number, args: readonly string[]): string =>
  args
    .slice(args.indexOf('--') + 1)
    .map((unit) => `Id=${unit}\nLoadState=not-found\n${systemd < 249 ? '' : 'Upholds=\n'}`)
    .join('\n');

/** A booted Debian on which nothing runs, or what is said. */
function debian({ packages, port, systemd }: Environment): Host {
  const answer = ({ file, args }: Command): CommandResult => {
    const ok = (stdout: string): CommandResult => ({ exitCode: 0, stdout, stderr: '' });
    if (file.endsWith('/systemctl') && args[0] === '--version') return ok(`systemd ${systemd} (x)\n`);
    if (file.endsWith('/systemctl') && args[0] === 'show') return ok(shownBy(systemd, args));
    if (file.endsWith('/dpkg-query') && packages === 'no dpkg')
      return { exitCode: 127, stdout: '', stderr: '' };
    if (!file.endsWith('/dpkg-query') || packages === 'missing') return ok('');
    const named = args.filter((arg) => !arg.startsWith('-'));
    return ok((named.length > 0 ? named : wanted).map((name) => `${name} installed\n`).join(''));
  };
  const socket = '0: 0100007F:1F93 00000000:0000 0A 0:0 0:0 0 0 0 555 1';
  const table = Buffer.from(`head\n ${port === 'taken' ? socket : ''}\n`);
  return {
    ...createMemoryHost({ command: answer }),
    listSystem: (path) =>
      ({ '/run/systemd/system': [], '/proc': ['77'], '/proc/77/fd': ['3'] })[path] ?? null,
    linkSystem: (path) => (path === '/proc/77/fd/3' ? 'socket:[555]' : null),
    readSystem: (path) => (path === '/proc/net/tcp' ? table : null),
  };
}

describe('what it skips:', () => {
  test.each([
    ['packages', { ...sound, packages: 'missing' }, 'E_PACKAGES_MISSING'],
    ['ports', { ...sound, port: 'taken' }, 'E_PORT_TAKEN'],
    ['the platform, where systemd is too old', { ...sound, systemd: 247 }, 'E_PLATFORM'],
    ['the platform, where there is no dpkg', { ...sound, packages: 'no dpkg' }, 'E_PLATFORM'],
    ['a sound environment', sound, null],
  ] as const)('%s', async (_, environment, code) => {
    const outcomes = [true, false].map(async (checks) => {
      const request = { checks, packages: false };
      const { output } = await install({ host: debian(environment), dryRun: true, request });
      return [output.exitCode, output.error?.code ?? null];
    });
    expect(await Promise.all(outcomes)).toEqual([
      [code === null ? 0 : 10, code],
      [0, null],
    ]);
  });

  test('a systemd that is new enough is not asked for its version', async () => {
    const asked = async (systemd: number): Promise<boolean> => {
      const host = debian({ ...sound, systemd });
      const query = vi.fn((command: Command) => host.query(command));
      await install({ host: { ...host, query }, dryRun: true });
      return query.mock.calls.some(
        ([{ file, args }]) => file.endsWith('/systemctl') && args[0] === '--version',
      );
    };
    expect(await Promise.all([249, 248].map(asked))).toEqual([false, true]);
  });

  test('packages that are all there are asked for once, and those that seem to be missing by their names', async () => {
    const asked = async (packages: Environment['packages']): Promise<string[][]> => {
      const host = debian({ ...sound, packages });
      const query = vi.fn((command: Command) => host.query(command));
      await install({ host: { ...host, query }, dryRun: true });
      const queries = query.mock.calls.filter(([{ file }]) => file.endsWith('/dpkg-query'));
      return queries.map(([{ args }]) => args.filter((arg) => !arg.startsWith('-')));
    };
    expect(await Promise.all((['there', 'missing'] as const).map(asked))).toEqual([[[]], [[], wanted]]);
  });

  const newer = (root: Place): string => {
    const text = readFileSync(bundle, 'utf8').replace('version="0.1.0"', 'version="9.0.0"');
    root.write('/newer.mjs', text);
    return root.at('/newer.mjs');
  };

  async function afterNewer(): Promise<Place> {
    const root = place();
    const child = spawn(process.execPath, [newer(root), '--quiet', '--root', root.path], { stdio: 'ignore' });
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
    return root;
  }

  test('the guard against a downgrade, which stays on however often it is met', async () => {
    using root = await afterNewer();
    for (const args of [[], [], ['--force-rotate-tokens']]) {
      const { stderr } = expectExit(await root.install(args), 10);
      expect(stderr).toContain('E_DOWNGRADE: A newer installer (9.0.0) was here last; this is 0.1.0.');
    }
    expectExit(await root.install(['--skip-preflight', '--dry-run']), 0);
    expectExit(await root.install(), 10);
    expectExit(await root.install(['--skip-preflight']), 0);
  });

  test('--allow-downgrade lowers the guard for good', async () => {
    using root = await afterNewer();
    expectExit(await root.install(['--allow-downgrade']), 0);
    expectExit(await root.install(['--detailed-exitcode']), 0);
  });
});

describe('what it never skips:', () => {
  const secret = (root: Place): void => root.write(files.env, `MCP_TOKEN=${'a'.repeat(64)}\nA=b\\\n`, 0o600);
  const refusals: readonly (readonly [string, (root: Place) => void, readonly string[], number, string])[] = [
    ['an .env that two readers read differently', secret, [], 10, 'E_ENV_INVALID'],
    ['an .env without a secret', (root) => root.write(files.env, 'A=b\n', 0o600), [], 10, 'E_ENV_FOREIGN'],
    ['a lost .env', (root) => rmSync(root.at(files.env)), [], 10, 'E_ENV_LOST'],
    [
      'an .env that others may write',
      (root) => chmodSync(root.at(files.env), 0o620),
      [],
      10,
      'E_PATH_UNSAFE',
    ],
    [
      'an .env that is a link',
      (root) => {
        rmSync(root.at(files.env));
        symlinkSync('/nowhere', root.at(files.env));
      },
      [],
      10,
      'E_PATH_UNSAFE',
    ],
    [
      'a directory that others may write',
      (root) => chmodSync(root.at('/etc'), 0o777),
      [],
      10,
      'E_PATH_UNSAFE',
    ],
    [
      'a remembered value that is invalid',
      (root) => root.write(files.env, root.read(files.env).replace('8083', 'http')),
      [],
      10,
      'E_SETTING_INVALID',
    ],
    ['a masked unit', masked, [], 10, 'E_UNIT_MASKED'],
    ['a value that is invalid', () => undefined, ['--port', '80'], 64, 'E_USAGE'],
  ];

  function masked(root: Place): void {
    rmSync(root.at(files.service));
    symlinkSync('/dev/null', root.at(files.service));
  }

  test.each(refusals)('%s', async (_, spoil, args, exitCode, code) => {
    using root = await installed();
    spoil(root);
    const before = root.look();
    for (const flags of [[], ['--skip-preflight']]) {
      const ran = expectExit(await root.install([...args, ...flags]), exitCode);
      expect(ran.stderr).toContain(`${code}: `);
    }
    expect(root.look()).toEqual(before);
  });

  test('the lock, and exit 11 writes nothing at all', async () => {
    using root = await installed();
    mkdirSync(root.at('/x'));
    const holder = spawn('flock', [root.at(files.journal), 'sh', '-c', 'echo held; read line'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    const before = [root.look(), root.journalTree()];
    for (const flags of [[], ['--skip-preflight'], ['--force-rotate-tokens'], ['--dry-run']])
      expect(expectExit(await root.install(flags), 11).stderr).toContain('E_BUSY: ');
    expect([root.look(), root.journalTree()]).toEqual(before);
    holder.stdin.end('\n');
    await new Promise((resolve) => holder.once('close', resolve));
    expectExit(await root.install(['--detailed-exitcode']), 0);
  });
});
