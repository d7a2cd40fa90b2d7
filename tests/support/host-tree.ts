/** A directory that stands for `/`: the command line in it, and looks at what it made. */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run, type Ran, type RunOptions } from './installer.ts';
import { treeOf } from './tree.ts';

export const files = {
  env: '/etc/mcp-oauth-proxy/.env',
  code: '/usr/local/lib/mcp-oauth-proxy/oauth_proxy.py',
  service: '/etc/systemd/system/mcp-oauth-proxy.service',
  socket: '/etc/systemd/system/mcp-oauth-proxy.socket',
  site: '/etc/nginx/sites-available/mcp-oauth-proxy.conf',
  siteLink: '/etc/nginx/sites-enabled/mcp-oauth-proxy.conf',
  zones: '/etc/nginx/conf.d/mcp-oauth-proxy.conf',
  snippet: '/etc/nginx/snippets/mcp-oauth-proxy.conf',
  journal: '/var/lib/mcp-installer',
} as const;

export interface HostTree {
  readonly path: string;
  at(file: string): string;
  run(command: string, args?: readonly string[]): Promise<Ran>;
  install(args?: readonly string[], options?: RunOptions): Promise<Ran>;
  read(file: string): string;
  write(file: string, text: string, mode?: number): void;
  secrets(): Readonly<Record<string, string>>;
  runs(): readonly string[];
  /** Path of the journal of a run, counted from the last one: 0. */
  journal(back?: number): string;
  /** Everything but the journal. */
  look(): ReadonlyMap<string, string>;
  /** The journal alone. */
  journalTree(): ReadonlyMap<string, string>;
}

/** @param root an existing directory */
export function hostTree(root: string): HostTree {
  const at = (file: string): string => path.join(root, file);
  const runs = (): readonly string[] => readdirSync(at(`${files.journal}/runs`)).sort();
  return {
    path: root,
    at,
    run: (command, args = []) => run([command, ...args, '--root', root]),
    install: (args = [], options = {}) => run([...args, '--root', root], options),
    read: (file) => readFileSync(at(file), 'utf8'),
    write: (file, text, mode = 0o644) => {
      mkdirSync(path.dirname(at(file)), { recursive: true, mode: 0o755 });
      writeFileSync(at(file), text, { mode });
    },
    secrets: () =>
      Object.fromEntries(
        readFileSync(at(files.env), 'utf8')
          .split('\n')
          .filter((line) => /^(MCP_TOKEN|CLIENT_ID|CLIENT_SECRET|TOKEN_SECRET)=/u.test(line))
          .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
      ),
    runs,
    journal: (back = 0) => `${files.journal}/runs/${runs().at(-1 - back) ?? 'none'}/journal.jsonl`,
    look: () => treeOf(root, [files.journal]),
    journalTree: () => treeOf(at(files.journal)),
  };
}
