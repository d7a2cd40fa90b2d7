/** What is going on when a fault strikes: a host, what somebody asked for, and what they type afterwards. */
import { chmodSync, rmSync } from 'node:fs';
import { files, type HostTree } from '../support/host-tree.ts';

export interface Scenario {
  readonly name: string;
  /** Makes the host, below a root that is empty. */
  prepare(host: HostTree, step: (args: readonly string[]) => Promise<void>): Promise<void>;
  /** What the fault strikes, without `--root`. `runs` are those of the prepared host, oldest first. */
  command(host: HostTree, runs: readonly string[]): readonly string[];
  /** What the same person types afterwards. */
  next(host: HostTree, runs: readonly string[]): readonly string[];
  /** Secrets that the command replaces. */
  readonly rotates: readonly string[];
  /** Does it take the secrets away? */
  readonly purges: boolean;
}

export const secretNames = ['MCP_TOKEN', 'CLIENT_ID', 'CLIENT_SECRET', 'TOKEN_SECRET'] as const;

/** What an operator has written by hand, which has to survive everything. */
export const byHand = {
  env: '# token of the backup job, by hand\nBACKUP_API_KEY=f00dfeedc0ffee5566778899aabbccdd\n',
  envKey: 'BACKUP_API_KEY',
  site: '# by hand: this site is behind the office proxy\n',
} as const;

const source = (host: HostTree, version: number): string => {
  const file = `/tmp/mine-${version}.py`;
  host.write(file, `"""Service of the operator's own, version ${version}."""\napp = None\n`);
  return host.at(file);
};

const plain = () => ['install'];
const base = { rotates: [], purges: false, next: plain } as const;

/** An installation in service, with what people do to one. */
async function inService(host: HostTree, step: (args: readonly string[]) => Promise<void>): Promise<void> {
  host.write('/etc/nginx/sites-available/theirs.conf', 'server { listen 127.0.0.1:9999; }\n');
  await step(['install', '--domain', 'mcp.example.org', '--insecure-http']);
  host.write(files.env, `${host.read(files.env)}${byHand.env}`, 0o600);
  host.write(files.site, `${byHand.site}${host.read(files.site)}`);
}

export const scenarios: readonly Scenario[] = [
  { ...base, name: 'fresh', prepare: () => Promise.resolve(), command: plain },
  { ...base, name: 'rerun', prepare: inService, command: plain },
  {
    ...base,
    name: 'repair',
    // What a careless restore of a backup leaves.
    prepare: async (host, step) => {
      await inService(host, step);
      for (const file of [files.service, files.snippet, files.siteLink]) rmSync(host.at(file));
      host.write(files.socket, host.read(files.socket), 0o644);
      chmodSync(host.at(files.socket), 0o600);
      chmodSync(host.at(files.env), 0o644);
      chmodSync(host.at('/etc/mcp-oauth-proxy'), 0o755);
    },
    command: plain,
  },
  {
    ...base,
    name: 'upgrade',
    prepare: async (host, step) => {
      await inService(host, step);
      await step(['install', '--source', source(host, 1)]);
      source(host, 2);
    },
    command: (host) => ['install', '--source', host.at('/tmp/mine-2.py')],
  },
  {
    ...base,
    name: 'move',
    prepare: inService,
    command: () => ['install', '--port', '9000'],
  },
  {
    ...base,
    name: 'rotate-all',
    prepare: inService,
    command: () => ['install', '--force-rotate-tokens', '--yes'],
    rotates: secretNames,
  },
  {
    ...base,
    name: 'rotate-one',
    prepare: inService,
    command: () => ['install', '--force-rotate-tokens', 'CLIENT_SECRET', '--yes'],
    rotates: ['CLIENT_SECRET'],
  },
  {
    ...base,
    name: 'rollback',
    prepare: async (host, step) => {
      await inService(host, step);
      await step(['install', '--port', '9000']);
    },
    command: (_, runs) => ['rollback', runs.at(-1)!, '--yes'],
    next: (_, runs) => ['rollback', runs.at(-1)!, '--yes'],
  },
  {
    ...base,
    // Who was disturbed at taking a version back installs, as ever.
    name: 'rollback-install',
    prepare: async (host, step) => {
      await inService(host, step);
      for (const version of [1, 2]) await step(['install', '--source', source(host, version)]);
    },
    command: (_, runs) => ['rollback', runs.at(-1)!, '--yes'],
  },
  {
    ...base,
    name: 'uninstall',
    prepare: inService,
    command: () => ['uninstall', '--yes'],
    next: () => ['uninstall', '--yes'],
  },
  {
    ...base,
    name: 'purge',
    prepare: async (host, step) => {
      await inService(host, step);
      host.write('/var/lib/private/mcp-oauth-proxy/clients.db', 'clients\n', 0o600);
    },
    command: () => ['uninstall', '--purge', '--yes'],
    next: () => ['uninstall', '--purge', '--yes'],
    purges: true,
  },
];
