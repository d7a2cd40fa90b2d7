/** The host that fails where it is told to, and an installation on it: whatever change fails, the host is put back. */
import { describe, expect, test } from 'vitest';
import { install, InstallerError } from '../../src/index.ts';
import { createFaultyHost, createMemoryHost, type Fault, type MemoryHost } from '../../src/testing.ts';

const bytes = new Uint8Array();
const code = (expected: string): Error => expect.objectContaining({ code: expected }) as Error;

/** All that can be seen of a host, but for when it was changed. */
const look = ({ nodes }: MemoryHost) =>
  [...nodes]
    .map(([path, { type, mode, uid, gid, bytes: content }]) => [
      path,
      type,
      mode,
      uid,
      gid,
      [...content].join(),
    ])
    .sort();

async function settled(host: MemoryHost): Promise<void> {
  expect((await install({ host })).output.outcome).toBe('installed');
}

describe('a host with a fault', () => {
  const write = (host: ReturnType<typeof createFaultyHost>, path: string) =>
    host.writeFile(path, bytes, { mode: 0o600, expected: null });

  test('fails where it is told to, once, and says so', async () => {
    const host = createFaultyHost(createMemoryHost(), [{ call: 'writeFile', path: '/a', why: 'ENOSPC' }]);
    await write(host, '/b');
    await expect(write(host, '/a')).rejects.toEqual(code('E_WRITE_FAILED'));
    await write(host, '/a');
    expect({ calls: host.calls.map(({ path }) => path), failed: host.failed }).toEqual({
      calls: ['/b', '/a', '/a'],
      failed: [{ call: 'writeFile', path: '/a' }],
    });
  });

  test('does what it is told to report as failed afterwards', async () => {
    const host = createFaultyHost(createMemoryHost(), [{ call: 'writeFile', when: 'after' }]);
    await expect(write(host, '/a')).rejects.toEqual(code('E_WRITE_FAILED'));
    expect(host.lstat('/a')).toMatchObject({ type: 'file' });
  });

  test('fails from a call on, for good', async () => {
    const host = createFaultyHost(createMemoryHost(), [{ call: 'makeDirectory', nth: 1, times: Infinity }]);
    await host.makeDirectory('/a', 0o755);
    for (const path of ['/b', '/c'])
      await expect(host.makeDirectory(path, 0o755)).rejects.toEqual(code('E_WRITE_FAILED'));
  });

  test('has programs that fail, answers that do not come, and files that cannot be read', async () => {
    const inner = createMemoryHost({ files: { '/a': 'text' } });
    const host = createFaultyHost(inner, [
      { call: 'query', path: '/usr/bin/true' },
      { call: 'change' },
      { call: 'http', path: '/healthz', why: 'ECONNRESET' },
      { call: 'readFile', path: '/a' },
    ]);
    const program = { file: '/usr/bin/true', args: [] };
    expect([
      await host.query(program),
      await host.change(program),
      await host.http({ address: '127.0.0.1', port: 1, path: '/healthz' }),
    ]).toEqual([
      { exitCode: 1, stdout: '', stderr: 'EIO\n' },
      { exitCode: 1, stdout: '', stderr: 'EIO\n' },
      { ok: false, why: 'ECONNRESET' },
    ]);
    expect(() => host.readFile('/a')).toThrow(InstallerError);
    expect(host.failed).toHaveLength(4);
  });
});

describe.each(['before', 'after'] as const)('an installation whose change fails %s it is made', (when) => {
  /** Every change that an installation makes, each of which fails once. */
  async function faults(prepare: (host: MemoryHost) => Promise<void>, options: object): Promise<Fault[]> {
    const memory = createMemoryHost();
    await prepare(memory);
    const whole = createFaultyHost(memory, []);
    await install({ host: whole, ...options });
    const seen: Record<string, number> = {};
    return whole.calls.flatMap(({ call }) => {
      if (['readFile', 'query', 'http'].includes(call)) return [];
      const nth = seen[call] ?? 0;
      seen[call] = nth + 1;
      return [{ call, nth, when }];
    });
  }

  test.each([
    ['fresh', () => Promise.resolve(), {}],
    [
      'already installed, where it rotates and moves',
      settled,
      { request: { rotate: 'all', settings: { LISTEN_PORT: '9000' } } },
    ],
  ] as const)('on a host that is %s puts everything back', async (_, prepare, options) => {
    const each = await faults(prepare, options);
    expect(each.length).toBeGreaterThan(2);
    for (const fault of each) {
      const memory = createMemoryHost();
      await prepare(memory);
      const before = look(memory);
      const host = createFaultyHost(memory, [fault]);
      const { output } = await install({ host, ...options });
      expect({
        fault,
        failed: host.failed.length,
        outcome: output.outcome,
        exitCode: output.exitCode,
      }).toEqual({
        fault,
        failed: 1,
        outcome: 'rolledBack',
        exitCode: 12,
      });
      expect({ fault, left: look(memory) }).toEqual({ fault, left: before });
      expect((await install({ host: memory, ...options })).output.outcome).toBe('installed');
    }
  });
});
