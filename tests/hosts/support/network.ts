/**
 * A network of hosts' own: one of them has a bridge, and each has a name, an address and a network namespace. This machine is
 * not on it.
 */
import { execFileSync } from 'node:child_process';
import type { Host } from './host.ts';

export interface Neighbour {
  readonly host: Host;
  readonly name: string;
  readonly address: string;
}

const bridge = 'neighbours';

const within = (host: Host, ...argv: readonly string[]): void => {
  const [file = '', ...args] = host.inNetwork(argv);
  execFileSync(file, args, { stdio: 'pipe' });
};

/** Gives a host the bridge, and an address on it. What was connected to it before it booted has to be connected again. */
export function makeBridge(host: Host, address: string): void {
  within(host, 'ip', 'link', 'add', bridge, 'type', 'bridge');
  within(host, 'ip', 'address', 'add', `${address}/24`, 'dev', bridge);
  within(host, 'ip', 'link', 'set', bridge, 'up');
}

/** Connects a host to the bridge of another one. */
export function connect(to: Host, { host, address }: Neighbour): void {
  const port = `port-${address.split('.').at(-1)}`;
  within(to, 'ip', 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'host0', 'netns', `${host.init}`);
  within(to, 'ip', 'link', 'set', port, 'master', bridge, 'up');
  within(host, 'ip', 'address', 'add', `${address}/24`, 'dev', 'host0');
  within(host, 'ip', 'link', 'set', 'host0', 'up');
}
