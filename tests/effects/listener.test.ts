/** Whose is a port? Asked of this machine's own kernel, with sockets of this process. */
import { createServer, type Server } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { HostReads } from '../../src/effects/host/port.ts';
import { createMemoryHost } from '../../src/effects/host/memory.ts';
import { createRealHost } from '../../src/effects/host/real.ts';
import { isListenerOf, isReceived, listenersOn, receiversOn } from '../../src/effects/listener.ts';
import { isInUnit, showUnits } from '../../src/effects/units.ts';

const host = createRealHost({ root: '/' });

async function listening(address: string, port = 0): Promise<AsyncDisposable & { readonly port: number }> {
  const server: Server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: address, port, ipv6Only: false }, resolve);
  });
  const bound = server.address();
  return {
    port: bound !== null && typeof bound === 'object' ? bound.port : 0,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

const addresses = (port: number, at: '127.0.0.1' | '0.0.0.0'): readonly string[] =>
  listenersOn(host, port, at).map(({ pid, address }) => `${pid === process.pid ? 'we' : pid} ${address}`);

const facts = (port: number) => ({
  received: isReceived(host, port),
  receivers: receiversOn(host, port).map(({ address }) => address),
  ours: isListenerOf(host, port, process.pid),
  init: isListenerOf(host, port, 1),
});

describe('who listens', () => {
  test('on another address of the loopback network is in nobody’s way but that of a program for every address', async () => {
    await using socket = await listening('127.0.0.2');
    expect(addresses(socket.port, '127.0.0.1')).toEqual([]);
    expect(addresses(socket.port, '0.0.0.0')).toEqual(['we 127.0.0.2']);
    expect(facts(socket.port)).toEqual({ received: false, receivers: [], ours: false, init: false });
  });

  test.each(['127.0.0.1', '0.0.0.0', '::', '::ffff:127.0.0.1'])(
    '%s is in the way on loopback, and gets what is sent there',
    async (address) => {
      await using socket = await listening(address);
      const told = address.replace('::ffff:', '');
      expect(addresses(socket.port, '127.0.0.1')).toEqual([`we ${told}`]);
      expect(facts(socket.port)).toEqual({ received: true, receivers: [told], ours: true, init: false });
    },
  );

  test('beside one for every address, the one on loopback gets what is sent there', () => {
    // IPv6 alone and IPv4 can share a port, which no option of Node's asks for; so this is a picture of it.
    const row = (local: string, inode: number): string =>
      ` 0: ${local}:1F93 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 ${inode} 1 0`;
    const system: Readonly<Record<string, string>> = {
      '/proc/net/tcp': `head\n${row('0100007F', 11)}\n`,
      '/proc/net/tcp6': `head\n${row('0'.repeat(32), 12)}\n`,
    };
    const picture: HostReads = {
      ...createMemoryHost(),
      readSystem: (path) => (system[path] === undefined ? null : Buffer.from(system[path])),
      listSystem: (path) => (path === '/proc' ? ['7', '8'] : ['3']),
      linkSystem: (path) => (path.startsWith('/proc/7/') ? 'socket:[11]' : 'socket:[12]'),
    };
    expect(receiversOn(picture, 8083).map(({ pid }) => pid)).toEqual([7]);
    expect([isListenerOf(picture, 8083, 7), isListenerOf(picture, 8083, 8)]).toEqual([true, false]);
    expect(listenersOn(picture, 8083, '127.0.0.1').map(({ address }) => address)).toEqual([
      '127.0.0.1',
      '::',
    ]);
  });
});

describe('a process of a unit', () => {
  const inUnit = async (shown: string, cgroup: string): Promise<boolean> => {
    const picture: HostReads = {
      ...createMemoryHost({ command: () => ({ exitCode: 0, stdout: shown, stderr: '' }) }),
      readSystem: (path) => (path === '/proc/7/cgroup' ? Buffer.from(cgroup) : null),
    };
    const units = await showUnits(picture, ['nginx.service']);
    return isInUnit(picture, 7, units.get('nginx.service'));
  };
  const group = 'ControlGroup=/system.slice/nginx.service\n';

  test.each([
    ['version 2', group, '0::/system.slice/nginx.service\n'],
    ['version 1', group, '9:name=systemd:/system.slice/nginx.service\n1:cpu:/\n'],
    ['a group below it', group, '0::/system.slice/nginx.service/worker\n'],
    [
      'a machine in a machine',
      'ControlGroup=/m.slice/system.slice/nginx.service\n',
      '0::/m.slice/system.slice/nginx.service\n',
    ],
    [
      'a slice of an administrator',
      'ControlGroup=/web.slice/nginx.service\n',
      '0::/web.slice/nginx.service\n',
    ],
  ])('is known by its control group: %s', async (_, shown, cgroup) => {
    expect(await inUnit(shown, cgroup)).toBe(true);
  });

  test.each([
    [
      'a unit of a user with the same name',
      '0::/user.slice/user-1000.slice/user@1000.service/system.slice/nginx.service\n',
    ],
    ['a unit with a longer name', '0::/system.slice/nginx.service2\n'],
    ['a controller that anybody may name', '1:cpu:/system.slice/nginx.service\n'],
    ['a program started by hand', '0::/user.slice/user-0.slice/session-1.scope\n'],
  ])('is not: %s', async (_, cgroup) => {
    expect(await inUnit(group, cgroup)).toBe(false);
  });

  test('is none where the unit does not run', async () => {
    expect(await inUnit('ControlGroup=\n', '0::/\n')).toBe(false);
  });
});
