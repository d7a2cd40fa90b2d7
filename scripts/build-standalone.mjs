/**
 * Makes dist/mcp-installer-linux-x64 and dist/mcp-installer-linux-arm64: Node and the program in one file each. `--if-stale`:
 * only where `build.mjs` or a change of this took them away.
 *
 * Node is the one of `tools/pinned-node`, without its symbols. What V8 compiles of the program is inside for this machine's
 * own architecture; on the other one it is compiled at each start. Needs npm's registry the first time.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { buildProgram } from './bundling.mjs';
import { pin, pinnedNode } from './pinned-node.mjs';

process.chdir(new URL('..', import.meta.url).pathname);

const architectures = ['x64', 'arm64'];
const executable = (architecture) => `dist/mcp-installer-linux-${architecture}`;

/** What it says is only told where it fails: it is in the error. */
const run = (file, ...args) => execFileSync(file, args, { stdio: ['ignore', 'ignore', 'pipe'] });

/** eu-strip, which Debian's elfutils brings: installed where it is missing. */
function ensureStrip() {
  if (spawnSync('eu-strip', ['--version']).status === 0) return;
  run('apt-get', 'update', '-qq');
  run('apt-get', 'install', '-qq', '--yes', '--no-install-recommends', 'elfutils');
}

/** The program as one expression: a function of `module` and `require`. */
async function bundle(scratch) {
  const program = path.join(scratch, 'program.js');
  const target = `node${pinnedNode(process.arch).version}`;
  await buildProgram({
    format: 'cjs',
    target,
    banner: { js: '(function (module, require, __CODE_CACHE__) {' },
    footer: { js: '})' },
    entryPoints: ['src/commands/start.ts'],
    outfile: program,
  });
  await buildProgram({
    format: 'cjs',
    target,
    entryPoints: ['src/standalone.ts'],
    outfile: path.join(scratch, 'main.js'),
  });
  // It is read as Latin-1, which is quicker than UTF-8 and for ASCII the same.
  if (/[^\0-\x7f]/u.test(readFileSync(program, 'utf8'))) throw new Error(`${program} is not all ASCII`);
}

function make(architecture, scratch) {
  const { executable: node } = pinnedNode(architecture);
  const own = architecture === process.arch;
  const at = (name) => path.join(scratch, `${architecture}-${name}`);
  const cache = at('program.cache');
  mkdirSync(at('root'));
  if (own) run(node, 'scripts/warm-up.mjs', path.join(scratch, 'program.js'), cache, at('root'));
  else writeFileSync(cache, '');
  // Paths without the scratch directory's name: the blob has them inside, and is to be the same each time.
  const config = {
    main: 'main.js',
    output: `${architecture}-blob`,
    disableExperimentalSEAWarning: true,
    // What a process finds in its environment must not change what it is.
    execArgvExtension: 'none',
    assets: { 'program.js': 'program.js', 'program.cache': `${architecture}-program.cache` },
  };
  writeFileSync(at('config.json'), JSON.stringify(config));
  // The blob is the same for every architecture, without code cache.
  execFileSync(
    path.resolve(pinnedNode(process.arch).executable),
    ['--experimental-sea-config', at('config.json')],
    {
      cwd: scratch,
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const made = executable(architecture);
  const beside = `${made}.${process.pid}`;
  try {
    copyFileSync(node, beside);
    chmodSync(beside, 0o755);
    run('eu-strip', beside);
    // The fuse is Node's own mark: what says that a program is inside.
    const fuse = ['--sentinel-fuse', 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'];
    run('node_modules/.bin/postject', beside, 'NODE_SEA_BLOB', at('blob'), ...fuse);
    renameSync(beside, made);
  } finally {
    rmSync(beside, { force: true });
  }
}

const all = architectures.map(executable);
const time = (file) => statSync(file).mtimeMs;
// A build of dist/ takes these away, so what is newer than it can only be older than what they are made with.
const fresh = () =>
  all.every(existsSync) &&
  ['scripts/build-standalone.mjs', 'scripts/warm-up.mjs', pin].every((file) => time(file) < time(all[0]));
if (process.argv.includes('--if-stale') && fresh()) process.exit(0);

mkdirSync('dist', { recursive: true });
const scratch = mkdtempSync(path.join(tmpdir(), 'mcp-installer-standalone-'));
try {
  ensureStrip();
  await bundle(scratch);
  for (const architecture of architectures) make(architecture, scratch);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
