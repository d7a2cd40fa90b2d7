/** Programs: what they get, how they end, and a run that is stopped begins none. */
import { describe, expect, test } from 'vitest';
import { runCommand } from '../../src/effects/host/commands.ts';
import { createMemoryHost } from '../../src/effects/host/memory.ts';
import type { Host } from '../../src/effects/host/port.ts';
import { createStoppableHost } from '../../src/effects/host/stoppable.ts';

const shell = (script: string, more: object = {}) =>
  runCommand({ file: '/bin/sh', args: ['-c', script], ...more }, 'ours');
const code = (expected: string): Error => expect.objectContaining({ code: expected }) as Error;

describe('a program', () => {
  test('gets this environment and no other, besides what is asked for', async () => {
    const ran = await runCommand({ file: '/usr/bin/env', args: [], env: { OWN: 'x', LANG: 'C' } }, 'ours');
    expect(ran.stdout.trim().split('\n').sort()).toEqual([
      'HOME=/root',
      'LANG=C',
      'LC_ALL=C.UTF-8',
      'OWN=x',
      'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
      'SYSTEMD_COLORS=0',
      'SYSTEMD_PAGER=',
      'TERM=dumb',
    ]);
  });

  test('runs in /, reads nothing where it is given nothing, and its output stays as it was', async () => {
    expect(await shell('pwd; cat; echo; echo b >&2; exit 3')).toEqual({
      exitCode: 3,
      stdout: '/\n\n',
      stderr: 'b\n',
    });
    expect((await shell('cat', { input: 'given\n' })).stdout).toBe('given\n');
  });

  test.each([
    ['is missing', { file: '/nowhere/program', args: [] }, 127],
    ['is none', { file: '/etc', args: [] }, 127],
    ['takes too long', { file: '/bin/sleep', args: ['60'], timeout: 30 }, 124],
    ['ends by a signal', { file: '/bin/sh', args: ['-c', 'kill -9 $$'] }, 128],
  ])('that %s has an exit code too', async (_, command, exitCode) => {
    expect(await runCommand(command, 'ours')).toEqual({ exitCode, stdout: '', stderr: '' });
  });

  test('that only looks goes when the run is stopped, one that changes something does not', async () => {
    const signal = AbortSignal.timeout(50);
    expect((await shell('exec sleep 60', { signal })).exitCode).not.toBe(0);
    const late = { file: '/bin/sh', args: ['-c', 'sleep 0.2; echo done'], signal: AbortSignal.timeout(10) };
    expect(await runCommand(late, 'its own')).toEqual({ exitCode: 0, stdout: 'done\n', stderr: '' });
  });

  test('that changes something has a session of its own, one that only looks has ours', async () => {
    const session = { file: '/bin/sh', args: ['-c', 'cut -d" " -f6 /proc/$$/stat; echo $$'] };
    const of = async (lifetime: 'ours' | 'its own') => {
      const [leader, own] = (await runCommand(session, lifetime)).stdout.trim().split('\n');
      return leader === own;
    };
    expect([await of('its own'), await of('ours')]).toEqual([true, false]);
  });

  test('is never looked for', async () => {
    await expect(runCommand({ file: 'sh', args: [] }, 'ours')).rejects.toThrow(code('E_INTERNAL'));
  });
});

describe('a host that is stopped', () => {
  const ask: Readonly<Record<string, (host: Host) => Promise<unknown>>> = {
    query: (host) => host.query({ file: '/bin/true', args: [] }),
    http: (host) => host.http({ address: '127.0.0.1', port: 1, path: '/' }),
    pause: (host) => host.pause(1),
    makeDirectory: (host) => host.makeDirectory('/a', 0o700),
    writeFile: (host) => host.writeFile('/f', Buffer.from('x'), { mode: 0o600, expected: null }),
    makeLink: (host) => host.makeLink('/l', '/f', null),
    setMode: (host) => host.setMode('/f', 0o644),
    remove: (host) => host.remove('/l'),
    removeTree: (host) => host.removeTree('/a'),
    change: (host) => host.change({ file: '/bin/true', args: [] }),
  };

  /** Notes what reaches the host inside, with the signal that came with it. */
  const noting = (seen: [string, unknown[]][]): Host => {
    const inner = createMemoryHost();
    const noted = Object.keys(ask).map((name) => [
      name,
      (...args: unknown[]) => {
        seen.push([name, args]);
        return (inner[name as keyof Host] as (...all: unknown[]) => unknown)(...args);
      },
    ]);
    return { ...inner, ...Object.fromEntries(noted) } as Host;
  };

  test('begins nothing, and everything again when it is resumed', async () => {
    const seen: [string, unknown[]][] = [];
    const stoppable = createStoppableHost(noting(seen));
    const { host } = stoppable;
    const all = Object.keys(ask);
    stoppable.stop();
    for (const name of all) await expect(ask[name]!(host)).rejects.toThrow(code('E_INTERRUPTED'));
    expect(seen).toEqual([]);
    stoppable.resume();
    const results: unknown[] = [];
    for (const name of all) results.push(await ask[name]!(host));
    expect(seen.map(([name]) => name)).toEqual(all);
    const missing = { exitCode: 127, stdout: '', stderr: '' };
    const changed = Array<string>(6).fill('changed');
    expect(results).toEqual([missing, { ok: false, why: 'ECONNREFUSED' }, undefined, ...changed, missing]);
  });

  test('tells what only looks or waits to end, and nothing that changes something', async () => {
    const seen: [string, unknown[]][] = [];
    const stoppable = createStoppableHost(noting(seen));
    const { host } = stoppable;
    for (const each of Object.values(ask)) await each(host);
    const signalIn = (args: unknown[]): AbortSignal | null =>
      args
        .flatMap((arg) => [arg, (arg as { signal?: unknown } | null)?.signal])
        .find((arg) => arg instanceof AbortSignal) ?? null;
    stoppable.stop();
    const told = seen.filter(([, args]) => signalIn(args)?.aborted === true).map(([name]) => name);
    expect(told).toEqual(['query', 'http', 'pause']);
  });
});

test('a program is ended where it prints more than anybody reads', async () => {
  const { exitCode, stdout } = await shell('exec yes', { timeout: 30_000 });
  expect([exitCode === 0, stdout.length]).toEqual([false, 4 * 1024 * 1024]);
});
