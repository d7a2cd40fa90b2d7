/**
 * Makes what follows from the code: the reference pages, the picture of the machine, and its layout. `--check`: writes nothing, exits 1 where a page is stale.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { textModules } from './text-modules.mjs';

const root = new URL('..', import.meta.url).pathname;
const directory = mkdtempSync(path.join(tmpdir(), 'mcp-installer-docs-'));
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
for (const [name, text] of Object.entries(await pages())) {
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
