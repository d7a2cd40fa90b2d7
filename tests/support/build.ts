/** Tests run the built command line: it is built once before them. */
import { execFileSync } from 'node:child_process';
import { repositoryRoot } from '../hosts/support/base.ts';

export default function setup(): void {
  execFileSync('node', ['scripts/build.mjs', '--if-stale'], { cwd: repositoryRoot, stdio: 'inherit' });
}
