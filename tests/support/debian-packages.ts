/** Debian packages that a test needs on this machine. */
import { spawnSync } from 'node:child_process';
import { alone } from './alone.ts';

const isInstalled = (name: string): boolean =>
  spawnSync('dpkg-query', ['--show', '--showformat=${db:Status-Status}', name], { encoding: 'utf8' })
    .stdout === 'installed';

/** Installs those that are missing. */
export function ensurePackages(...names: readonly string[]): void {
  const missing = names.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  alone('apt-get', '-qq', 'update');
  alone('apt-get', '-qq', 'install', '--yes', '--no-install-recommends', ...missing);
}
