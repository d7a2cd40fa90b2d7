/** Ended from outside at the places where it matters: while it waits, while it puts back, while a package manager works. */
import type { ChildProcess } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { suites } from './support/base.ts';
import { installerProcess } from './support/form.ts';
import { createHost, until, type Host } from './support/host.ts';
import {
  envFile,
  expectAnswering,
  expectExit,
  holdUp,
  secretsInFile,
  secretsInProcess,
} from './support/observe.ts';

/** Starts, and never answers. */
const silent = 'import time\ntime.sleep(600)\n';

interface Running {
  readonly child: ChildProcess;
  /** Waits until a line of `--json` holds the words. */
  shows(words: string): Promise<string>;
  readonly exitCode: Promise<number>;
  readonly printed: () => string;
}

function start(host: Host, args: readonly string[], before: readonly string[] = []): Running {
  const child = host.spawn([...before, ...host.installerCommand(['--json', ...args])]);
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  child.stderr.resume();
  child.stdin.end();
  // A signal that comes when everything is over, and nobody listens any more, ends it as its shell would tell it.
  const ended = (code: number | null, by: NodeJS.Signals | null): number =>
    code ?? (by === 'SIGINT' ? 130 : -1);
  const exitCode = new Promise<number>((resolve) => {
    child.on('close', (code, by) => resolve(ended(code, by)));
  });
  return {
    child,
    exitCode,
    printed: () => printed,
    shows: (words) =>
      until(`the run shows ${words}`, () =>
        printed.split('\n').find((line) => line.includes(words) && line.endsWith('}')),
      ),
  };
}

const signal = (host: Host, name: string): Promise<string> =>
  host.must(`pkill -${name} -f '${installerProcess}'`);

const isThere = async (host: Host, path: string): Promise<true | undefined> =>
  (await host.run(['test', '-e', path])).exitCode === 0 ? true : undefined;

const state = (host: Host, unit: string): Promise<string> => host.must(`systemctl is-active ${unit} || true`);

describe.each(suites)('%s', (suite) => {
  test('an interrupt while the service is waited for ends the run at once, and the next one may begin', async () => {
    await using host = await createHost({ suite, name: 'int-wait' });
    await host.write('/root/silent.py', silent);
    const run = start(host, ['--source', '/root/silent.py']);
    await run.shows('"state":"verifying"');
    const began = Date.now();
    await signal(host, 'INT');
    expect(await run.exitCode).toBe(130);
    // It would wait for 30 seconds; putting back takes what systemd takes to stop the service.
    expect(Date.now() - began).toBeLessThan(20_000);
    expectExit(await host.installer([]), 0);
    await expectAnswering(host);
  });

  test('killed while it puts back, the next plain run makes the programs what the files are', async () => {
    await using host = await createHost({ suite, name: 'kill-undo' });
    expectExit(await host.installer([]), 0);
    await host.write('/root/silent.py', silent);
    const run = start(host, [
      '--port',
      '9000',
      '--backend-url',
      'http://127.0.0.1:7777/mcp',
      '--source',
      '/root/silent.py',
    ]);
    await run.shows('"state":"verifying"');
    const held = await holdUp(host, '/usr/bin/systemctl', 'daemon-reload');
    await signal(host, 'TERM');
    await until('everything but the programs is put back', () => isThere(host, held.reached));
    expect(host.read(envFile)).toContain('LISTEN_PORT=8083');
    await signal(host, 'KILL');
    expect(await run.exitCode).not.toBe(0);
    await held.release();

    const { stdout } = expectExit(await host.installer([]), 0);
    expect(stdout).toMatch(/was interrupted before it ended; this one finishes what it left\./u);
    await expectAnswering(host);
    expect(await secretsInProcess(host)).toEqual(secretsInFile(host));
    expect(expectExit(await host.installer(['--detailed-exitcode']), 0).stdout).toContain(
      '[OK] Nothing to do',
    );
  });

  test('Ctrl-C again and again at the terminal still puts everything back: exit 130', async () => {
    await using host = await createHost({ suite, name: 'int-again' });
    expectExit(await host.installer([]), 0);
    const secrets = secretsInFile(host);
    // A process group of its own: the signals go to the whole of it, as those of a terminal do. Its shell, outside, tells
    // how it ended; `setsid --wait` does not where that was by a signal.
    const run = start(host, ['--force-rotate-tokens'], ['bash', '-c', 'set -m; "$@" & wait $!', 'bash']);
    await run.shows('"role":"env"');
    // The oldest: a child that is not yet the program that it becomes goes by the same name.
    await host.must(
      `group=$(pgrep -of '^(/usr/local/bin/node )?(/opt/[m]cp-installer/dist/|/usr/bin/[m]cp-installer)') && pkill -INT -g "$group" && while pkill -INT -g "$group"; do sleep 0.05; done`,
    );
    expect(await run.exitCode).toBe(130);
    expect(run.printed()).toContain('"outcome":"interrupted"');
    expect(secretsInFile(host)).toEqual(secrets);
    expect(await secretsInProcess(host)).toEqual(secrets);
    await expectAnswering(host);
  });

  test('with --no-rollback a package manager under way is waited for, and what it brought is on record', async () => {
    await using host = await createHost({ suite, name: 'int-apt', bare: true });
    await host.write('/usr/bin/apt-get.slow', '#!/bin/sh\nexit 0\n', '0755');
    await host.must('mv /usr/bin/apt-get.slow /usr/bin/apt-get');
    const held = await holdUp(host, '/usr/bin/apt-get', 'install');
    const run = start(host, ['--no-rollback']);
    await until('the package manager works', () => isThere(host, held.reached));
    await signal(host, 'TERM');
    // The lock is its own as long as the package manager works: nobody else may begin.
    expectExit(await host.installer([]), 11);
    await held.release();
    expect(await run.exitCode).toBe(13);
    expect(run.printed()).toMatch(/"outcome":"failed","exitCode":13,"changed":true/u);
    expect(
      await host.must(`grep -ho '"fact":"packagesRequested"' /var/lib/mcp-installer/runs/*/journal.jsonl`),
    ).toBe('"fact":"packagesRequested"');
  });

  test('units that stood still before a run that fails stand still after it, those that ran run', async () => {
    await using host = await createHost({ suite, name: 'undo-units' });
    expectExit(await host.installer([]), 0);
    await host.write('/root/broken.py', 'raise SystemExit("broken")\n');
    const states = async (): Promise<readonly string[]> => [
      await state(host, 'mcp-oauth-proxy.service'),
      await state(host, 'mcp-oauth-proxy.socket'),
      await state(host, 'nginx.service'),
    ];
    await host.must('systemctl stop mcp-oauth-proxy.service nginx.service');
    expect(await states()).toEqual(['inactive', 'active', 'inactive']);
    expectExit(await host.installer(['--source', '/root/broken.py']), 12);
    // systemd takes the socket down with a service that fails too often: it comes back as it was.
    expect(await states()).toEqual(['inactive', 'active', 'inactive']);
    expectExit(await host.installer([]), 0);
    expect(await states()).toEqual(['active', 'active', 'active']);
    await expectAnswering(host);
  });
});
