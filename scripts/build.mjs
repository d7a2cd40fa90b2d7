/**
 * Makes dist/: the one-file command line, the library, and its types.
 *
 * The command line holds everything, so it can be copied to a host as it is. The library leaves xstate to whoever
 * embeds it, since two copies of it would not know each other's actors.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

process.chdir(new URL('..', import.meta.url).pathname);
rmSync('dist', { recursive: true, force: true });

const common = {
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  loader: { '.py': 'text' },
  legalComments: 'none',
  // Dependencies written for CommonJS ask for these.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
};

await build({
  ...common,
  entryPoints: ['src/cli.ts'],
  outfile: 'dist/mcp-installer.mjs',
  minifySyntax: true,
  minifyWhitespace: true,
  // Traces of bugs are read by people.
  minifyIdentifiers: false,
});
chmodSync('dist/mcp-installer.mjs', 0o755);

await build({ ...common, entryPoints: ['src/index.ts'], outfile: 'dist/index.js', external: ['xstate'] });

execFileSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });
