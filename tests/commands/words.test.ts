/** The words of a command line: which command they are for, and what is said of those that are wrong. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { bundle, run, temporaryRoot } from '../support/installer.ts';

const tooMuch = '/dev/zero';

type Wrong = readonly [line: string, command: string, says: string, env?: Readonly<Record<string, string>>];

const wrong: readonly Wrong[] = [
  ['--domain --root /nowhere', 'install', '--domain needs a value'],
  ['install foo', 'install', '"foo" is one word too many.'],
  ['install dry-run', 'install', 'Did you mean --dry-run?'],
  ['--dry-run instal', 'install', 'There is no command "instal". Did you mean install?'],
  ['status --bogus', 'status', "Unknown option '--bogus'."],
  ['--bogus history', 'history', "Unknown option '--bogus'."],
  ['status --dry-run', 'status', "Unknown option '--dry-run' of status."],
  ['graph --format svgg', 'graph', '--format "svgg" is unknown.'],
  ['--port 9001 --port 9002', 'install', '--port is given more than once, with "9001" and "9002".'],
  ['--force-rotate-tokens --force-rotate-tokens CLIENT_ID', 'install', 'both without names'],
  ['--unset=', 'install', '--unset names no setting.'],
  ['--json=yes', 'install', '--json takes no value.'],
  ['--config /dev/zero', 'install', '--config /dev/zero is not a regular file.'],
  ['--config /etc', 'install', '--config /etc is not a regular file.'],
  [`--source ${tooMuch}`, 'install', 'is larger than 1 MiB.'],
  [`--mcp-token-file ${tooMuch}`, 'install', 'is larger than 1 MiB.'],
  ['--source - --mcp-token-file -', 'install', 'cannot all read stdin'],
  ['--dry-run', 'install', 'DRY_RUN="bogus"', { DRY_RUN: 'bogus' }],
  ['', 'install', 'Did you mean MCP_INSTALLER_DOMAIN?', { MCP_INSTALLER_DOMIAN: 'a.example.org' }],
  ['', 'install', 'Use --skip-preflight', { MCP_INSTALLER_SKIP_PREFLIGHT: '1' }],
];

const told = wrong.map((each) => [`${each[0]} (${each[1]})`, each] as const);

test.concurrent.each(told)(
  '%s: told as bad usage of that command',
  async (_, [line, command, says, env = {}]) => {
    using root = temporaryRoot();
    const args = line.split(' ').filter((word) => word !== '');
    const { exitCode, stdout, stderr } = await run([...args, '--json', '--root', root.path], { env });
    expect({ exitCode, stderr }).toEqual({ exitCode: 64, stderr: expect.stringContaining(says) as string });
    expect(stdout.split('\n').map((text) => (text === '' ? '' : (JSON.parse(text) as object)))).toEqual([
      expect.objectContaining({ type: 'result', command, outcome: 'refused', exitCode: 64 }),
      '',
    ]);
  },
);

test.each(['remove', '--xylophone'])('%s suggests nothing', async (word) => {
  const { exitCode, stderr } = await run([word]);
  expect(exitCode).toBe(64);
  expect(stderr).not.toContain('Did you mean');
});

test.each(['uninstal', 'deinstall', 'un-install'])('%s does not suggest its opposite', async (word) => {
  const { exitCode, stderr } = await run([word]);
  expect(exitCode).toBe(64);
  expect(stderr).not.toContain('Did you mean install?');
});

test('the remedy of a wrong option leads to where the options of that command are listed', async () => {
  const { stderr } = await run(['--bogus']);
  const [, program = '', args = ''] = /See `(\S+) (.*)`\./u.exec(stderr) ?? [];
  expect({ program: path.basename(program), args }).toEqual({
    program: 'mcp-installer.mjs',
    args: 'install --help',
  });
  expect((await run(args.split(' '))).stdout).toContain('--force-rotate-tokens');
});

test('lists that are given twice are one list; the same value twice is one value', async () => {
  using root = temporaryRoot();
  const at = ['--root', root.path];
  await run([...at, '--domain', 'a.example.org', '--insecure-http', '--port', '9000', '--port=9000']);
  const { exitCode, stdout } = await run([
    ...at,
    '--unset',
    'DOMAIN',
    '--unset',
    'INSECURE_HTTP,LISTEN_PORT',
  ]);
  expect({ exitCode, stdout }).toMatchObject({ exitCode: 0 });
  const status = await run(['status', ...at]);
  expect(status.stdout).toContain('LISTEN_PORT=8083');
  expect(status.stdout).not.toContain('DOMAIN');
});

test.each([
  ['LISTEN_PORT=9000\n\n# a comment\nLISTEN_PORT 9001\n', 'line 4 is no assignment'],
  ['LISTEN_PORT=9000\nLISTEN_PORT=9001\n', 'line 2 gives LISTEN_PORT a second value'],
])('a configuration of %j is refused with its line', async (text, says) => {
  using root = temporaryRoot();
  const file = path.join(root.path, 'config');
  writeFileSync(file, text);
  const { exitCode, stderr } = await run(['--root', root.path, '--config', file]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 64, stderr: expect.stringContaining(says) as string });
});

test('a variable that is far from every setting is somebody else’s', async () => {
  using root = temporaryRoot();
  const env = { MCP_INSTALLER_COLOUR_OF_THE_SKY: 'blue' };
  expect((await run(['--root', root.path, '--dry-run'], { env })).exitCode).toBe(0);
});

test('a token and a source come through pipes as well', async () => {
  using root = temporaryRoot();
  const at = ['--root', root.path, '--detailed-exitcode'];
  const substituted = `'${process.execPath}' '${bundle}' --root '${root.path}' --source <(echo '# own')`;
  expect(spawnSync('bash', ['-c', substituted], { encoding: 'utf8' })).toMatchObject({
    status: 0,
    stderr: '',
  });
  const token = ['--mcp-token-file', '-', '--force-rotate-tokens', 'MCP_TOKEN'];
  expect((await run([...at, ...token], { input: 'supplied.token-0123456789\n' })).exitCode).toBe(2);
});

test('-h, help and --help are one answer, for the program and for a command', async () => {
  const [long, short, word] = await Promise.all([run(['--help']), run(['-h']), run(['help'])]);
  expect(long).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('Commands:') as string,
    stderr: '',
  });
  expect([short, word]).toEqual([long, long]);
  const [ofStatus, helped] = await Promise.all([run(['status', '-h']), run(['help', 'status'])]);
  expect(ofStatus.stdout).toContain('Usage: mcp-installer status');
  expect(helped).toEqual(ofStatus);
});

test.each([[['--version', '--json']], [['--json', '--version']], [['status', '--version', '--json']]])(
  '%j says what it is made of',
  async (args) => {
    const { exitCode, stdout, stderr } = await run(args);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '0.1.0\n' });
    expect(JSON.parse(stdout)).toEqual({
      v: 1,
      type: 'result',
      command: 'version',
      outcome: 'shown',
      exitCode: 0,
      changed: false,
      plan: null,
      run: null,
      error: null,
      madeOf: {
        installer: '0.1.0',
        node: process.version,
        standalone: null,
        machine: { id: 'installer', version: expect.any(String) as string },
        journalFormat: expect.any(Number) as number,
        product: { name: 'mcp-oauth-proxy', sha256: expect.stringMatching(/^[0-9a-f]{64}$/u) as string },
        libraries: expect.objectContaining({
          xstate: expect.stringMatching(/^5\./u) as string,
          commander: expect.any(String) as string,
        }) as object,
      },
    });
  },
);
