/** What several test files do to this machine, one after the other. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { repositoryRoot } from '../hosts/support/base.ts';

/** Runs a program in the repository while no other test file runs one so. */
export const alone = (...argv: readonly string[]): Buffer =>
  execFileSync('flock', [path.join(repositoryRoot, 'package.json'), ...argv], {
    cwd: repositoryRoot,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
