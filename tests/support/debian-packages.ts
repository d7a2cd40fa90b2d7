/** Debian packages that a test needs on this machine. */
import { execFileSync, spawnSync } from 'node:child_process';

const isInstalled = (name: string): boolean =>
  spawnSync('dpkg-query', ['--show', '--showformat=${db:Status-Status}', name], { encoding: 'utf8' })
    .stdout === 'installed';

/** Installs those that are missing. */
export function ensurePackages(...names: readonly string[]): void {
  const missing = names.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  execFileSync('apt-get', ['-qq', 'update']);
  execFileSync('apt-get', ['-qq', 'install', '--yes', '--no-install-recommends', ...missing]);
}
