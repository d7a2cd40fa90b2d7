/**
 * Run by the Node of the standalone executable, in its build: installs below a scratch directory, runs again, looks, and
 * keeps what V8 has compiled by then, so that the executable need not.
 *
 *     node warm-up.mjs PROGRAM CACHE SCRATCH
 *
 * Two builds are to be the same byte for byte. What V8 writes is in the order of its hashes, and with marks of what it has
 * thrown away or optimized by then, so it runs with a given seed and without doing either. Options change the mark by which
 * V8 knows what a cache was made with: the mark of none is put in its place, since none of these decides what the code is.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import process from 'node:process';
import { Script } from 'node:vm';

const options = [
  '--hash-seed=1',
  '--single-threaded',
  '--no-flush-bytecode',
  '--no-sparkplug',
  '--no-maglev',
  '--no-opt',
];
const [text, cache, scratch] = process.argv.splice(2);

/** As src/standalone.ts has it: what was compiled is for this text under this name. */
const load = (cachedData) =>
  new Script(readFileSync(text, 'latin1'), { filename: 'mcp-installer.js', cachedData });

/** As somebody types them. */
const lines = [
  ['install', '--root', scratch],
  ['install', '--root', scratch],
  ['install', '--root', scratch, '--dry-run', '--json'],
  ['status', '--root', scratch],
];

async function warmUp() {
  const script = load();
  const program = { exports: {} };
  script.runInThisContext()(program, createRequire(import.meta.url));
  for (const line of lines) {
    process.argv.splice(2, Infinity, ...line);
    const exitCode = await program.exports.start(line);
    if (exitCode !== 0) throw new Error(`${line.join(' ')}: exit ${exitCode}`);
  }
  writeFileSync(cache, script.createCachedData());
}

/** Four bytes after V8's magic number, its version and the source's length (SerializedCodeData in its code-serializer.h). */
function markAsWithoutOptions() {
  const data = readFileSync(cache);
  new Script('').createCachedData().copy(data, 12, 12, 16);
  if (load(data).cachedDataRejected !== false) throw new Error('V8 does not take its own code cache back');
  writeFileSync(cache, data);
}

if (process.execArgv.includes(options[0])) await warmUp();
else {
  execFileSync(process.execPath, [...options, process.argv[1], text, cache, scratch], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  markAsWithoutOptions();
}
