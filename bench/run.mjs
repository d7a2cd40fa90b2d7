/** `npm run bench`: bundles the benchmark, which is TypeScript like the hosts that it uses, and runs it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { build } from 'esbuild';

process.chdir(new URL('..', import.meta.url).pathname);
execFileSync('node', ['scripts/build.mjs', '--if-stale'], { stdio: 'inherit' });
// Beside the support files, since these find the repository by their own place.
const outfile = 'tests/hosts/support/.bench.mjs';
let status = 1;
try {
  await build({
    entryPoints: ['bench/bench.ts'],
    outfile,
    absWorkingDir: process.cwd(),
    bundle: true,
    target: 'node20.19',
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  });
  ({ status } = spawnSync(process.execPath, [outfile], { stdio: 'inherit' }));
} finally {
  rmSync(outfile, { force: true });
}
process.exitCode = status ?? 1;
