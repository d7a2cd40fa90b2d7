/** `--inspect`: what is printed, how long it serves, what is refused before anything is changed. */
import { spawn } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ask, last, messages, stream } from '../inspector/support/watch.ts';
import { bundle, resultOf, run, temporaryRoot } from '../support/installer.ts';
import { expectExit, installed, place } from '../support/place.ts';
import { keys, onTerminal } from '../support/terminal.ts';

const urlIn = (text: string): string => /http:\/\/127\.0\.0\.1:\d+\/[\w-]+\//u.exec(text)?.[0] ?? '';

interface Event {
  readonly type: string;
  readonly url?: string;
  readonly ssh?: string;
}

const eventsIn = (stdout: string): Event[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Event);

/** A port that somebody has. */
async function taken(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** `replay --inspect`, until it is told to end. */
function serving(args: readonly string[]) {
  const child = spawn(process.execPath, [bundle, 'replay', ...args], {
    env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let shown = '';
  const until = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (shown.includes(text)) resolve();
      };
      child.stdout.on('data', (data: Buffer) => {
        shown += data.toString('utf8');
        look();
      });
      child.on('close', () => reject(new Error(`ended before it showed ${text}`)));
    });
  return { child, ended: resultOf(child), shown: () => shown, until };
}

describe('a script', () => {
  test('is told the address and the ssh line first, and ends like without', async () => {
    using root = place();
    const { stdout } = expectExit(await root.install(['--inspect', '0', '--json']), 0);
    const [first, ...rest] = eventsIn(stdout);
    const port = /:(\d+)\//u.exec(first?.url ?? '')?.[1] ?? '';
    expect(first?.type).toBe('inspector');
    expect(first?.url).toBe(urlIn(first?.url ?? ''));
    expect(first?.ssh).toMatch(new RegExp(`^ssh -L ${port}:127\\.0\\.0\\.1:${port} \\S+$`, 'u'));
    expect(rest[0]?.type).toBe('run');
    expect(rest.at(-1)?.type).toBe('result');
  });

  test.each([[['--yes']], [['--quiet']], [['--dry-run']], [[]]])('ends at once with %j', async (args) => {
    using root = place();
    const { output } = expectExit(await root.install(['--inspect', '0', ...args]), 0);
    const url = urlIn(output);
    expect(output).toContain(`[+] Inspector: ${url}\n`);
    await expect(ask(url)).rejects.toThrow('ECONNREFUSED');
  });
});

describe('on a terminal', () => {
  test('it serves the run after it has ended, until Ctrl-C, while the next run may begin', async () => {
    using root = await installed();
    using terminal = onTerminal(['--root', root.path, '--inspect', '0']);
    await terminal.until('[OK] Nothing to do');
    await terminal.until('[+] The run can be watched until Ctrl-C.');
    const url = urlIn(terminal.shown());
    using page = stream(url);
    const frames = await page.frames.until(last);
    expect(frames[0]?.frame).toMatchObject({ kind: 'hello', source: 'live', root: root.path, dryRun: false });
    expect(frames.at(-1)?.frame).toMatchObject({ kind: 'ended', outcome: 'unchanged', exitCode: 0 });
    // The lock is free, and the journal has its end.
    const next = expectExit(await root.install(), 0);
    expect(next.output).not.toContain('interrupted');
    terminal.type(keys.ctrlC);
    expect(await terminal.exitCode).toBe(0);
    expect((await page.frames.untilEnd()).length).toBe(frames.length);
  });

  test('a dry run is served too, and says that it is one', async () => {
    using root = temporaryRoot();
    using terminal = onTerminal(['--root', root.path, '--inspect', '0', '--dry-run']);
    await terminal.until('until Ctrl-C');
    using page = stream(urlIn(terminal.shown()));
    const frames = await page.frames.until(last);
    expect(frames[0]?.frame).toMatchObject({ kind: 'hello', dryRun: true });
    terminal.signal('SIGTERM');
    expect(await terminal.exitCode).toBe(0);
  });

  test('a run keeps its exit code', async () => {
    using root = temporaryRoot();
    using terminal = onTerminal(['--root', root.path, '--inspect', '0', '--dry-run', '--detailed-exitcode']);
    await terminal.until('until Ctrl-C');
    terminal.type(keys.ctrlC);
    expect(await terminal.exitCode).toBe(2);
  });

  test('a run that is refused ends at once: nothing was done that could be looked at', async () => {
    using root = await installed();
    root.write('/etc/mcp-oauth-proxy/.env', 'A=b\\\n', 0o600);
    using terminal = onTerminal(['--root', root.path, '--inspect', '0']);
    expect(await terminal.exitCode).toBe(10);
    expect(terminal.shown()).not.toContain('until Ctrl-C');
  });

  test('at a question one Ctrl-C ends it: nothing was done that could be looked at', async () => {
    using root = await installed();
    using terminal = onTerminal(['--root', root.path, '--inspect', '0', '--force-rotate-tokens']);
    await terminal.until('Go on?');
    terminal.type(keys.ctrlC);
    await terminal.exitCode;
    expect(terminal.shown()).not.toContain('until Ctrl-C');
  });

  test('whoever has pressed Ctrl-C once need not do it again', async () => {
    using root = await installed();
    using terminal = onTerminal(['--root', root.path, '--inspect', '0', '--force-rotate-tokens']);
    await terminal.until('Go on?');
    terminal.signal('SIGINT');
    expect(await terminal.exitCode).toBe(130);
    expect(terminal.shown()).not.toContain('until Ctrl-C');
  });
});

describe('replay', () => {
  test.each([
    ['SIGINT', []],
    ['SIGTERM', ['--json']],
    ['SIGTERM', ['--quiet']],
  ] as const)('serves a recorded run until %s %j, then ends with 0', async (signal, args) => {
    using root = await installed();
    const { child, ended, shown, until } = serving(['last', '--root', root.path, '--inspect', '0', ...args]);
    const json = args.some((word) => word === '--json');
    await until(json ? '"type":"result"' : 'From another machine');
    const url = urlIn(shown());
    using page = stream(url);
    const frames = await page.frames.until(last);
    expect(frames[0]?.frame).toMatchObject({
      kind: 'hello',
      source: 'replay',
      run: root.runs()[0],
      dryRun: false,
    });
    expect(frames.at(-1)?.frame).toMatchObject({ kind: 'ended', outcome: 'installed', exitCode: 0 });
    using socket = messages(url);
    await socket.received.until((items) => items.length > 0);
    child.kill(signal);
    const { exitCode, stdout, stderr } = await ended;
    expect([exitCode, stderr.includes('ERROR')]).toEqual([0, false]);
    if (json) expect(eventsIn(stdout).at(-1)?.type).toBe('result');
  });

  test('shows as much of a damaged file as can be read, and ends with 65', async () => {
    using root = await installed();
    const file = `${root.path}/run.jsonl`;
    expectExit(await root.run('show', ['last', '--export', file]), 0);
    root.write('/cut.jsonl', readFileSync(file, 'utf8').replace(/"k":"run.ended"/u, '"k":"run.endet"'));
    const { child, ended, shown, until } = serving([`${root.path}/cut.jsonl`, '--inspect', '0']);
    await until('until Ctrl-C');
    using page = stream(urlIn(shown()));
    await page.frames.until((items) => {
      const frame = items.at(-1)?.frame;
      return frame?.kind === 'step' && frame.state === 'installed';
    });
    child.kill('SIGTERM');
    expect((await ended).exitCode).toBe(65);
  });
});

describe('replay judges its options before it prints a step', () => {
  test('a port that is none', async () => {
    using root = await installed();
    const { exitCode, stdout, stderr } = await root.run('replay', ['last', '--inspect', 'x']);
    expect([exitCode, stdout, stderr.includes('--inspect "x" is no port.')]).toEqual([64, '', true]);
  });
});

describe('ports and pages', () => {
  test('a port that is taken is an error before anything is changed', async () => {
    await using other = await taken();
    using root = place();
    const { exitCode, stderr, stdout } = await root.install(['--inspect', String(other.port)]);
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 10,
      stdout: '',
      stderr: `[ERROR] E_PORT_TAKEN: Port ${other.port} on 127.0.0.1 is in use by another program.\n        Choose another port with --inspect PORT, or leave the number out: then one is taken that is free.\n[!] Nothing was changed\n`,
    });
    expect([...root.look().keys()]).toEqual(['']);
  });

  test('without a number there is always one that is free', async () => {
    using root = await installed();
    const first = serving(['last', '--root', root.path, '--inspect']);
    await first.until('until Ctrl-C');
    const second = serving(['last', '--root', root.path, '--inspect']);
    await second.until('until Ctrl-C');
    const ports = [first, second].map(({ shown }) => new URL(urlIn(shown())).port);
    expect(new Set(ports).size).toBe(2);
    for (const { child } of [first, second]) child.kill('SIGTERM');
    expect((await Promise.all([first.ended, second.ended])).map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  });

  test.each([
    [['--inspect', 'x'], '--inspect "x" is no port.'],
    [['--inspect', '65536'], '--inspect "65536" is no port.'],
    [['--inspect=-1'], '--inspect "-1" is no port.'],
    [['--inspect='], '--inspect "" is no port.'],
    [
      ['--inspect-stately', 'https://stately.ai/inspect'],
      '--inspect-stately does nothing without --inspect.',
    ],
    [['--inspect', '0', '--inspect-stately', 'http://example.org/'], 'is no address of a page that is safe.'],
    [
      ['--inspect', '0', '--inspect-stately', 'http://127.0.0.1.example.org/'],
      'is no address of a page that is safe.',
    ],
    [
      ['--inspect', '0', '--inspect-stately', 'https://a:b@example.org/'],
      'is no address of a page that is safe.',
    ],
    [['--inspect', '0', '--inspect-stately', 'javascript:alert(1)'], 'is no address of a page that is safe.'],
    [['--inspect', '0', '--inspect-stately', 'stately.ai'], 'is no address of a page that is safe.'],
  ])('%j is bad usage, and nothing is touched', async (args, said) => {
    using root = place();
    const { exitCode, stderr } = await root.install(args);
    expect([exitCode, stderr.includes(said)], stderr).toEqual([64, true]);
    expect([...root.look().keys()]).toEqual(['']);
  });

  test('a page of this machine may be the Stately page', async () => {
    const ran = await run([
      'replay',
      'none.jsonl',
      '--inspect',
      '0',
      '--inspect-stately',
      'http://localhost:3000/x',
    ]);
    expect(ran.stderr).toContain('none.jsonl');
  });
});
