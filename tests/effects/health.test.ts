/** When is a service healthy, and how soon is told that it is not? On a clock that only moves while something waits. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { endCrashLoop } from '../../src/effects/crash-loop.ts';
import { createMemoryHost } from '../../src/effects/host/memory.ts';
import type { Command, CommandResult, Host, HttpAnswer } from '../../src/effects/host/port.ts';
import type { RunState, Scope } from '../../src/effects/scope.ts';
import { untilHealthy } from '../../src/effects/service.ts';
import type { UnitStatus } from '../../src/effects/units.ts';
import { verifyService } from '../../src/effects/verify.ts';
import { mcpOauthProxy } from '../../src/products/mcp-oauth-proxy/index.ts';
import { emptyScope, runningUnit } from '../support/scope.ts';

const noon = Date.parse('2026-01-02T12:00:00Z');

/** What the service does, by milliseconds since noon. */
interface Life {
  readonly shown: (at: number) => Readonly<Record<string, string | number>>;
  /** null: no answer. */
  readonly answers?: (path: string) => number | null;
  readonly listens?: boolean;
}

const running = { ActiveState: 'active', SubState: 'running', MainPID: 7, NRestarts: 0 };
const stamp = (at: number): string =>
  `Fri ${new Date(noon + at).toISOString().replace('T', ' ').replace('Z', ' UTC')}`;

function hostOf({ shown, answers = () => null, listens = true }: Life): Host {
  const show = (): string =>
    Object.entries({ Id: mcpOauthProxy.service, ...shown(Date.now() - noon) })
      .map(([name, value]) => `${name}=${value}\n`)
      .join('');
  const table = `head\n 0: 0100007F:1F93 00000000:0000 0A 0:0 0:0 0 0 0 11 1 0\n`;
  return {
    ...createMemoryHost({ command: () => ({ exitCode: 0, stdout: show(), stderr: '' }) }),
    readSystem: (path) => (listens && path === '/proc/net/tcp' ? Buffer.from(table) : null),
    listSystem: (path) => (path === '/proc' ? ['1', '7'] : ['3']),
    linkSystem: () => 'socket:[11]',
    pause: (milliseconds) => {
      vi.setSystemTime(Date.now() + milliseconds);
      return Promise.resolve();
    },
    http: ({ path, timeout = 5_000 }) => {
      const status = answers(path);
      if (status === null) vi.setSystemTime(Date.now() + timeout);
      const answer: HttpAnswer =
        status === null ? { ok: false, why: 'no answer' } : { ok: true, status, headers: {}, body: '' };
      return Promise.resolve(answer);
    },
  };
}

function scopeOf(life: Life, restarted: boolean): Scope {
  const scope = emptyScope({ host: hostOf(life), product: mcpOauthProxy });
  scope.state.settings = { LISTEN_PORT: '8083' };
  if (restarted) scope.state.restarted.add(mcpOauthProxy.service);
  return scope;
}

/** What is told, and after how many seconds. */
async function judged(life: Life, restarted = false): Promise<readonly [string, number]> {
  const told = await untilHealthy(scopeOf(life, restarted), 30_000).then(
    () => 'healthy',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  return [told, Math.round((Date.now() - noon) / 1000)];
}

const unhealthy = (why: string): string => `The service is not healthy: ${why}.`;

describe('before crashes are forgotten', () => {
  beforeEach(() => void vi.useFakeTimers({ now: noon, toFake: ['Date'] }));
  afterEach(() => void vi.useRealTimers());

  const ended = async (shown: Readonly<Record<string, string | number>>): Promise<readonly string[]> => {
    const changes: string[] = [];
    const scope = scopeOf({ shown: () => shown }, true);
    const change = (command: Command): Promise<CommandResult> => {
      changes.push([command.file, ...command.args].join(' '));
      return Promise.resolve({ exitCode: 0, stdout: '', stderr: '' });
    };
    await endCrashLoop({ ...scope, host: { ...scope.host, change } });
    return changes;
  };
  const stop = ['/usr/bin/systemctl stop --job-mode=ignore-dependencies mcp-oauth-proxy.service'];

  test.each([
    [
      'a service that waits for its next start is stopped',
      { ActiveState: 'activating', SubState: 'auto-restart', NRestarts: 0 },
      stop,
    ],
    [
      'so is one that is about to be started',
      { ActiveState: 'activating', SubState: 'auto-restart-queued', NRestarts: 1 },
      stop,
    ],
    [
      'so is one that was started again just now',
      { ...running, NRestarts: 1, ExecMainStartTimestamp: stamp(-1_000) },
      stop,
    ],
    [
      'one that crashed once, long ago, runs on',
      { ...running, NRestarts: 1, ExecMainStartTimestamp: stamp(-61_000) },
      [],
    ],
    ['one that never crashed runs on', { ...running, ExecMainStartTimestamp: stamp(-1_000) }, []],
    ['one that stands still is left so', { ActiveState: 'inactive', SubState: 'dead', NRestarts: 3 }, []],
    [
      'one that systemd has given up is left so',
      { ActiveState: 'failed', SubState: 'failed', NRestarts: 5 },
      [],
    ],
  ])('%s', async (_, shown, commands) => {
    expect(await ended(shown)).toEqual(commands);
  });
});

describe('what was seen at the start of the run', () => {
  const seen = (mainPid: number): UnitStatus => ({ ...runningUnit(mcpOauthProxy.service), mainPid });

  async function asked(status: UnitStatus, more: Partial<RunState> = {}): Promise<readonly [number, number]> {
    const scope = scopeOf({ shown: () => running, answers: () => 200 }, false);
    const query = vi.fn((command: Command) => scope.host.query(command));
    Object.assign(scope.state, { unitsBefore: new Map([[mcpOauthProxy.service, status]]), ...more });
    const { mainPid } = await untilHealthy({ ...scope, host: { ...scope.host, query } }, 30_000);
    return [mainPid, query.mock.calls.length];
  }

  test('is not asked for again where the run has touched nothing', async () => {
    expect(await asked(seen(7))).toEqual([7, 0]);
  });

  test.each<[string, Partial<RunState>]>([
    ['restarted anything', { restarted: new Set(['nginx.service']) }],
    ['installed packages', { packages: ['python3-jwt'] }],
  ])('is where the run has %s', async (_, touched) => {
    expect(await asked(seen(7), touched)).toEqual([7, 1]);
  });

  test('is where that process no longer listens, whoever does', async () => {
    const life: Life = { shown: () => running, answers: () => 200 };
    const scope = scopeOf(life, false);
    const linkSystem = (path: string): string => (path.startsWith('/proc/7/') ? 'socket:[11]' : 'pipe:[1]');
    const query = vi.fn((command: Command) => scope.host.query(command));
    scope.state.unitsBefore = new Map([[mcpOauthProxy.service, seen(6)]]);
    const host = { ...scope.host, linkSystem, query };
    expect(await untilHealthy({ ...scope, host }, 30_000)).toMatchObject({ mainPid: 7 });
    expect(query).toHaveBeenCalledTimes(1);
  });
});

describe('the secrets of a process', () => {
  beforeEach(() => void vi.useFakeTimers({ now: noon, toFake: ['Date'] }));
  afterEach(() => void vi.useRealTimers());

  /** Of a process that becomes the program after so many milliseconds, and ends after so many. */
  async function verified(after: number, restarted: boolean, ends = Infinity): Promise<string> {
    const scope = scopeOf({ shown: () => running, answers: () => 200 }, restarted);
    const names = mcpOauthProxy.secrets.map(({ name }) => name);
    scope.state.after = new Map(names.map((name) => [name, 'x']));
    const environ = (): string =>
      Date.now() - noon < after ? 'LANG=C' : names.map((name) => `${name}=x`).join('\0');
    const readSystem = (path: string): Uint8Array | null =>
      path !== '/proc/7/environ'
        ? scope.host.readSystem(path)
        : Date.now() - noon < ends
          ? Buffer.from(environ())
          : null;
    return verifyService({ ...scope, host: { ...scope.host, readSystem } }, 30_000).then(
      () => 'as in the file',
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
  }

  test('are waited for until a process that was just started has become the program', async () => {
    expect(await verified(500, true)).toBe('as in the file');
  });

  test('are judged all the same where it stays so', async () => {
    expect(await verified(60_000, true)).toContain('it runs with other values of MCP_TOKEN, CLIENT_ID');
  });

  test('are nobody’s where it ends instead', async () => {
    expect(await verified(500, true, 200)).toBe(unhealthy('it ended as soon as it was started'));
  });

  test('are not waited for where the run has started nothing', async () => {
    expect(await verified(500, false)).toContain('it runs with other values of MCP_TOKEN, CLIENT_ID');
  });
});

describe('health', () => {
  beforeEach(() => void vi.useFakeTimers({ now: noon, toFake: ['Date'] }));
  afterEach(() => void vi.useRealTimers());

  test('a crash at once is told within three seconds, though the request waits in the queue of the socket', async () => {
    const shown = (at: number) =>
      at < 300
        ? running
        : {
            ActiveState: 'activating',
            SubState: 'auto-restart',
            MainPID: 0,
            NRestarts: 0,
            Result: 'exit-code',
          };
    expect(await judged({ shown }, true)).toEqual([unhealthy('it crashed (exit-code)'), 2]);
  });

  test('a service that takes four seconds for an answer is healthy all the same', async () => {
    let free = 0;
    const life: Life = { shown: () => running };
    const host = hostOf(life);
    const scope = {
      ...scopeOf(life, true),
      host: {
        ...host,
        http: ({ timeout = 5_000 }): Promise<HttpAnswer> => {
          free = Math.min(timeout, 4_000);
          vi.setSystemTime(Date.now() + free);
          return Promise.resolve(
            free < 4_000 ? { ok: false, why: 'slow' } : { ok: true, status: 200, headers: {}, body: '' },
          );
        },
      },
    };
    expect(await untilHealthy(scope, 30_000)).toMatchObject({ mainPid: 7 });
  });

  test('a service that systemd started again by itself less than a minute ago is in a loop of crashes', async () => {
    const shown =
      (since: number, restarts = 3) =>
      () => ({
        ...running,
        NRestarts: restarts,
        ExecMainStartTimestamp: stamp(since),
      });
    const answers = (): number => 200;
    expect(await judged({ shown: shown(-4_000), answers })).toEqual([
      unhealthy('it crashes and is restarted (3 times, the last time 4 s ago)'),
      0,
    ]);
    expect(await judged({ shown: shown(-61_000), answers })).toEqual(['healthy', 0]);
    // One crash that systemd has mended is no loop yet.
    expect(await judged({ shown: shown(-4_000, 1), answers })).toEqual(['healthy', 0]);
  });

  test('after a restart by the run, any start by systemd itself is a crash', async () => {
    const shown = () => ({ ...running, NRestarts: 1, ExecMainStartTimestamp: stamp(-90_000) });
    expect(await judged({ shown, answers: () => 200 }, true)).toEqual([
      unhealthy('it crashes and is restarted (1 time, the last time 90 s ago)'),
      0,
    ]);
  });

  test('what is wrong is told by the first path that exists', async () => {
    const answers = (path: string): number => (path === '/healthz' ? 500 : 404);
    expect((await judged({ shown: () => running, answers }))[0]).toBe(
      unhealthy('/healthz answers 500 (waited 30 s)'),
    );
    const other = (path: string): number => (path === '/healthz' ? 404 : 503);
    expect((await judged({ shown: () => running, answers: other }))[0]).toBe(
      unhealthy('/.well-known/oauth-authorization-server answers 503 (waited 30 s)'),
    );
    expect((await judged({ shown: () => running, answers: () => 404 }))[0]).toBe(
      unhealthy('/healthz and /.well-known/oauth-authorization-server answer 404 (waited 30 s)'),
    );
    const either = (path: string): number => (path === '/healthz' ? 500 : 200);
    expect((await judged({ shown: () => running, answers: either }))[0]).toBe('healthy');
  });

  test('where nobody listens, nobody is waited for', async () => {
    expect(await judged({ shown: () => running, listens: false })).toEqual([
      unhealthy('nobody listens on 127.0.0.1:8083'),
      1,
    ]);
  });

  test('where nothing runs, nothing is waited for', async () => {
    const shown = () => ({ ActiveState: 'inactive', SubState: 'dead', MainPID: 0, NRestarts: 0 });
    expect(await judged({ shown })).toEqual([unhealthy('it is not running'), 1]);
  });
});
