/**
 * Makes dist/: the one-file command line, the library, and its types. `--if-stale`: only where a source is newer.
 *
 * The command line holds everything, so it can be copied to a host as it is. The library leaves xstate to whoever
 * embeds it, since two copies of it would not know each other's actors.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { build } from 'esbuild';
import { common, buildProgram, noExitHooks } from './bundling.mjs';

process.chdir(new URL('..', import.meta.url).pathname);

const sources = [
  'src',
  'scripts/build.mjs',
  'scripts/bundling.mjs',
  'scripts/text-modules.mjs',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
];

const newest = (file) =>
  statSync(file).isDirectory()
    ? Math.max(...readdirSync(file).map((name) => newest(path.join(file, name))))
    : statSync(file).mtimeMs;

const made = 'dist/mcp-installer.mjs';
// The time of the build is when it began: what was edited meanwhile is newer.
const began = new Date();
if (process.argv.includes('--if-stale') && existsSync(made)) {
  if (Math.max(...sources.map(newest)) < statSync(made).mtimeMs) process.exit(0);
}

/** Dependencies written for CommonJS `require` Node's modules, which a module cannot. */
const requiredBuiltins = {
  name: 'required-builtins',
  setup(bundler) {
    bundler.onResolve({ filter: /^[a-z:_]+$/ }, ({ path: name, kind }) =>
      kind === 'require-call' && isBuiltin(name) ? { path: name, namespace: 'required' } : undefined,
    );
    bundler.onLoad({ filter: /.*/, namespace: 'required' }, ({ path: name }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(name)});`,
    }));
  },
};

/**
 * The library's entry points share what they have in common, so that an error of one is an error of the other, and load
 * what is heavy when it is first needed.
 */
function buildLibrary() {
  return build({
    ...common,
    target: 'node20.19',
    format: 'esm',
    entryPoints: ['src/index.ts', 'src/machine.ts', 'src/testing.ts'],
    outdir: out,
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    external: ['xstate'],
    plugins: [...common.plugins, requiredBuiltins, noExitHooks],
  });
}

// Made beside and renamed in, so that whoever runs dist/ meanwhile finds it whole.
const out = `.dist-${process.pid}`;
const old = `${out}-old`;
mkdirSync(out);
try {
  await buildProgram({
    format: 'esm',
    // Dependencies written for CommonJS ask for it.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    // Older than what it needs: on an old Node it must at least be able to say so.
    target: 'node14.8',
    entryPoints: ['src/cli.ts'],
    outfile: `${out}/mcp-installer.mjs`,
  });
  chmodSync(`${out}/mcp-installer.mjs`, 0o755);
  await buildLibrary();
  execFileSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json', '--outDir', `${out}/types`], {
    stdio: 'inherit',
  });
  utimesSync(`${out}/mcp-installer.mjs`, began, began);
  if (existsSync('dist')) renameSync('dist', old);
  renameSync(out, 'dist');
} finally {
  rmSync(out, { recursive: true, force: true });
  rmSync(old, { recursive: true, force: true });
}
