/**
 * Runs a TypeScript program that uses the test hosts: `run-on-hosts.mjs FILE.ts [ARG …]`, by the scripts of package.json.
 *
 * Bundled first, since the Node that the project supports runs no TypeScript.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { build } from 'esbuild';

const [entry, ...args] = process.argv.slice(2);
if (entry === undefined) throw new Error('usage: run-on-hosts.mjs FILE.ts [ARG …]');
process.chdir(new URL('..', import.meta.url).pathname);
execFileSync('node', ['scripts/build.mjs', '--if-stale'], { stdio: 'inherit' });
// Beside the support files, since these find the repository by their own place.
const outfile = `tests/hosts/support/.run-${process.pid}.mjs`;
// Ctrl-C is for the program: it has a host to take away, and we have its bundle to remove after that.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
let status = 1;
try {
  await build({
    entryPoints: [entry],
    outfile,
    absWorkingDir: process.cwd(),
    bundle: true,
    target: 'node20.19',
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  });
  ({ status } = spawnSync(process.execPath, [outfile, ...args], { stdio: 'inherit' }));
} finally {
  rmSync(outfile, { force: true });
}
process.exitCode = status ?? 1;
