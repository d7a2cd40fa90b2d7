/** The Node of `tools/pinned-node`: what the executables are made of. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export const pin = 'tools/pinned-node';

/**
 * For an architecture, as Node names it; fetched where it is not there yet, whatever this machine is. npm checks it against
 * the lock file. Paths are from the repository's root.
 */
export function pinnedNode(architecture) {
  const { packages } = JSON.parse(readFileSync(`${pin}/package-lock.json`, 'utf8'));
  const name = `node_modules/node-linux-${architecture}`;
  const { version } = packages[name];
  const place = path.join('node_modules/.cache/standalone', `${architecture}-${version}`);
  const directory = path.join(place, name);
  const executable = path.join(directory, 'bin/node');
  if (!existsSync(executable)) {
    mkdirSync(place, { recursive: true });
    for (const file of ['package.json', 'package-lock.json'])
      copyFileSync(path.join(pin, file), path.join(place, file));
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-progress'];
    const words = ['ci', ...quiet, '--os=linux', `--cpu=${architecture}`, '--prefix', place];
    execFileSync('npm', words, { stdio: ['ignore', 'ignore', 'pipe'] });
  }
  return { version, directory, executable };
}
