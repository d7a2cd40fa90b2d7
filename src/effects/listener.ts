/**
 * Who listens on a loopback port? Asked before any credential is sent there: a user's process can take the port
 * while the service is down, and would receive what is meant for the service.
 */
import { endianness } from 'node:os';
import type { HostReads } from './host/port.ts';

/** Where the service listens, and every site of ours that has no domain. */
export const loopback = '127.0.0.1';

/** Listening there takes the port on every address. */
export const everywhere = '0.0.0.0';

const isWildcard = (address: string): boolean => address === everywhere || address === '::';

interface Socket {
  readonly address: string;
  readonly inode: string;
}

/** proc_net_tcp(5) writes words of 32 bits in the machine's own order. An IPv4 address in IPv6 is told as IPv4. */
function addressOf(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  if (endianness() === 'LE') bytes.swap32();
  const mapped = bytes.length === 16 && bytes.subarray(0, 12).toString('hex') === '00000000000000000000ffff';
  if (bytes.length === 4 || mapped) return [...bytes.subarray(-4)].join('.');
  const groups = bytes.toString('hex').replace(/(....)(?=.)/gu, '$1:');
  return new URL(`http://[${groups}]`).hostname.slice(1, -1);
}

/** The tables of sockets; reading one takes the kernel milliseconds, however few are in use. */
const [ipv4, ipv6] = ['/proc/net/tcp', '/proc/net/tcp6'] as const;

/** What has been read in this turn: one read is enough for all that is asked in one go. */
const readNow = new WeakMap<HostReads, Map<string, readonly string[]>>();

function linesOf(host: HostReads, table: typeof ipv4 | typeof ipv6): readonly string[] {
  let known = readNow.get(host);
  if (known === undefined) {
    known = new Map();
    readNow.set(host, known);
    queueMicrotask(() => readNow.delete(host));
  }
  let lines = known.get(table);
  if (lines === undefined) {
    const text = Buffer.from(host.readSystem(table) ?? []).toString('latin1');
    lines = text.split('\n').slice(1);
    known.set(table, lines);
  }
  return lines;
}

function socketsIn(host: HostReads, table: typeof ipv4 | typeof ipv6, port: number): readonly Socket[] {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  return linesOf(host, table)
    .filter((line) => line.includes(`:${hexPort} `))
    .flatMap((line): Socket[] => {
      // Local address, remote address, state (0A: listening), …, inode in the tenth column.
      const fields = line.trim().split(/\s+/u);
      const [, local = '', , state] = fields;
      const [address = '', at] = local.split(':');
      const inode = fields[9];
      return state === '0A' && at === hexPort && inode !== undefined
        ? [{ address: addressOf(address), inode }]
        : [];
    });
}

/**
 * Those that a connection to loopback reaches: a socket of its own there comes before one for every address. Beside one for
 * IPv4 only the same user could open another for the same address in IPv6 (SO_REUSEPORT, socket(7)): it is not looked for.
 */
function receiversOf(host: HostReads, port: number): readonly Socket[] {
  const ownOf = (sockets: readonly Socket[]): readonly Socket[] =>
    sockets.filter(({ address }) => address === loopback);
  const first = socketsIn(host, ipv4, port);
  if (ownOf(first).length > 0) return ownOf(first);
  const all = [...first, ...socketsIn(host, ipv6, port)];
  const own = ownOf(all);
  return own.length > 0 ? own : all.filter(({ address }) => isWildcard(address));
}

function heldBy(host: HostReads, pid: string, sockets: readonly Socket[]): readonly Socket[] {
  const targets = new Set(
    (host.listSystem(`/proc/${pid}/fd`) ?? []).map((fd) => host.linkSystem(`/proc/${pid}/fd/${fd}`)),
  );
  return sockets.filter(({ inode }) => targets.has(`socket:[${inode}]`));
}

const nameOf = (host: HostReads, pid: string): string => {
  const comm = host.readSystem(`/proc/${pid}/comm`);
  return comm === null ? 'a process' : Buffer.from(comm).toString('utf8').trim();
};

export interface Listener {
  readonly pid: number;
  readonly name: string;
  readonly address: string;
}

function holdersOf(host: HostReads, sockets: readonly Socket[]): readonly Listener[] {
  if (sockets.length === 0) return [];
  return (host.listSystem('/proc') ?? [])
    .filter((name) => /^\d+$/u.test(name))
    .flatMap((pid) => {
      const [held] = heldBy(host, pid, sockets);
      return held === undefined ? [] : [{ pid: Number(pid), name: nameOf(host, pid), address: held.address }];
    });
}

/** Processes that keep anybody else from listening on the port of this address. */
export function listenersOn(
  host: HostReads,
  port: number,
  at: typeof loopback | typeof everywhere,
): readonly Listener[] {
  const sockets = [...socketsIn(host, ipv4, port), ...socketsIn(host, ipv6, port)];
  const inTheWay = sockets.filter(
    ({ address }) => at === everywhere || address === at || isWildcard(address),
  );
  return holdersOf(host, inTheWay);
}

/** Processes that get what is sent to the port on loopback. */
export const receiversOn = (host: HostReads, port: number): readonly Listener[] =>
  holdersOf(host, receiversOf(host, port));

/** Is what is sent to the port on loopback received by anybody, whoever that is? */
export const isReceived = (host: HostReads, port: number): boolean => receiversOf(host, port).length > 0;

/** Does the process hold every socket that receives what is sent to the port on loopback? */
export function isListenerOf(host: HostReads, port: number, pid: number): boolean {
  const sockets = receiversOf(host, port);
  return sockets.length > 0 && pid > 0 && heldBy(host, String(pid), sockets).length === sockets.length;
}
