/** The Node of `tools/pinned-node`: what the executables are made of. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

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
    // Beside it first: one that was cut off on its way is not taken for the whole.
    const beside = `${place}.${process.pid}`;
    mkdirSync(beside, { recursive: true });
    for (const file of ['package.json', 'package-lock.json'])
      copyFileSync(path.join(pin, file), path.join(beside, file));
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-progress'];
    const words = ['ci', ...quiet, '--os=linux', `--cpu=${architecture}`, '--prefix', beside];
    execFileSync('npm', words, { stdio: ['ignore', 'ignore', 'pipe'] });
    rmSync(place, { recursive: true, force: true });
    renameSync(beside, place);
  }
  return { version, directory, executable };
}
