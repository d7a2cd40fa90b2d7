/**
 * Who listens on a loopback port? Asked before any credential is sent there: a user's process can take the port
 * while the service is down, and would receive what is meant for the service.
 */
import type { HostReads } from './host/port.ts';

const hexPort = (port: number): string => port.toString(16).toUpperCase().padStart(4, '0');

/** Inodes of the sockets that listen on the port, on any address that loopback reaches. */
function listeningInodes(host: HostReads, port: number): ReadonlySet<string> {
  const inodes = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const bytes = host.readSystem(table);
    for (const line of Buffer.from(bytes ?? [])
      .toString('latin1')
      .split('\n')
      .slice(1)) {
      const fields = line.trim().split(/\s+/u);
      // proc_net_tcp(5): local address, remote address, state (0A: listening), …, inode in the tenth column.
      const [, local = '', , state] = fields;
      const inode = fields[9];
      if (state === '0A' && local.endsWith(`:${hexPort(port)}`) && inode !== undefined) inodes.add(inode);
    }
  }
  return inodes;
}

const holds = (host: HostReads, pid: string, inodes: ReadonlySet<string>): boolean =>
  (host.listSystem(`/proc/${pid}/fd`) ?? []).some((fd) => {
    const target = host.linkSystem(`/proc/${pid}/fd/${fd}`);
    const inode = /^socket:\[(\d+)\]$/u.exec(target ?? '')?.[1];
    return inode !== undefined && inodes.has(inode);
  });

const nameOf = (host: HostReads, pid: string): string => {
  const comm = host.readSystem(`/proc/${pid}/comm`);
  return comm === null ? 'a process' : Buffer.from(comm).toString('utf8').trim();
};

export interface Listener {
  readonly pid: number;
  readonly name: string;
}

/** Processes that hold a socket listening on the port; empty where nobody listens. */
export function listenersOn(host: HostReads, port: number): readonly Listener[] {
  const inodes = listeningInodes(host, port);
  if (inodes.size === 0) return [];
  return (host.listSystem('/proc') ?? [])
    .filter((name) => /^\d+$/u.test(name) && holds(host, name, inodes))
    .map((pid) => ({ pid: Number(pid), name: nameOf(host, pid) }));
}

/** Is every socket that listens on the port also held by this process? */
export function isListenerOf(host: HostReads, port: number, pid: number): boolean {
  const inodes = listeningInodes(host, port);
  if (inodes.size === 0 || pid <= 0) return false;
  return [...inodes].every((inode) => holds(host, String(pid), new Set([inode])));
}
