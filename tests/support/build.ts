/** Tests run the built command line: it is built once before them. */
import { execFileSync } from 'node:child_process';
import { repositoryRoot } from '../hosts/support/base.ts';
import { needsStandalone } from '../hosts/support/form.ts';

export default function setup(): void {
  const build = (script: string): void =>
    void execFileSync('node', [script, '--if-stale'], { cwd: repositoryRoot, stdio: 'inherit' });
  build('scripts/build.mjs');
  if (needsStandalone) build('scripts/build-standalone.mjs');
}
