/**
 * Makes what follows from the code: the reference pages, the picture of the machine, and its layout. `--check`: writes nothing, exits 1 where a page is stale.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { textModules } from './text-modules.mjs';

const root = new URL('..', import.meta.url).pathname;
// Below node_modules, where the bundle finds the packages that are not in it.
const cache = path.join(root, 'node_modules/.cache');
mkdirSync(cache, { recursive: true });
const directory = mkdtempSync(path.join(cache, 'docs-'));
let pages;
try {
  const outfile = path.join(directory, 'pages.mjs');
  await build({
    entryPoints: [path.join(root, 'scripts/reference-pages.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    loader: { '.py': 'text' },
    plugins: [textModules],
    external: ['typescript'],
    logLevel: 'error',
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
  ({ pages } = await import(outfile));
} finally {
  rmSync(directory, { recursive: true, force: true });
}

let stale = 0;
for (const [name, text] of Object.entries(await pages(root))) {
  const file = path.join(root, 'docs/reference', name);
  if (!process.argv.includes('--check')) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    continue;
  }
  let current = '';
  try {
    current = readFileSync(file, 'utf8');
  } catch {
    // A page that is missing is stale too.
  }
  if (current !== text) {
    stale += 1;
    process.stderr.write(`${path.relative(root, file)} is stale; run: npm run docs\n`);
  }
}
process.exitCode = stale === 0 ? 0 : 1;
