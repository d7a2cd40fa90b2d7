/**
 * Where host trees live, and the base trees that hosts are laid over.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export type Suite = 'bookworm' | 'trixie';
export type Flavour = 'full' | 'bare';

export const suites: readonly Suite[] = ['bookworm', 'trixie'];

export const repositoryRoot = fileURLToPath(new URL('../../../', import.meta.url)).replace(/\/$/, '');

export const cacheDir = process.env['MCP_INSTALLER_HOST_CACHE'] ?? '/var/cache/mcp-installer-test-hosts';

const script = fileURLToPath(new URL('../base/build-base.sh', import.meta.url));
const built = new Map<string, Promise<string>>();

async function build(suite: Suite, flavour: Flavour): Promise<string> {
  const { stdout } = await promisify(execFile)(script, [suite, flavour], {
    env: { ...process.env, MCP_INSTALLER_HOST_CACHE: cacheDir },
    maxBuffer: 64 * 1024 * 1024,
  });
  const tree = stdout.trim().split('\n').at(-1);
  if (tree === undefined || tree === '') throw new Error(`${script} ${suite} ${flavour} printed no path`);
  return tree;
}

/** The path of a base tree, built when it is not there yet: a minute once, milliseconds afterwards. */
export function baseTree(suite: Suite, flavour: Flavour): Promise<string> {
  const key = `${suite}-${flavour}`;
  const known = built.get(key);
  if (known !== undefined) return known;
  const fresh = build(suite, flavour);
  built.set(key, fresh);
  // A failed build is not remembered, so that the next host may try again.
  fresh.catch(() => built.delete(key));
  return fresh;
}
