/** What the bundles have in common: how sources become one file, and what is in it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { textModules } from './text-modules.mjs';

/**
 * Node's own modules are loaded by the module that needs them when it is first needed, not all of them at the start:
 * `--version` needs none, and every run pays for what it loads.
 */
const lazyBuiltins = {
  name: 'lazy-builtins',
  setup(bundler) {
    bundler.onResolve({ filter: /^node:/ }, ({ path: name }) => ({ path: name, namespace: 'builtin' }));
    bundler.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path: name }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(name)});`,
    }));
  },
};

/**
 * execa's clean-up at the process's end is not used, so what it would hook into the process and put on the global object
 * is left out: both belong to whoever embeds this.
 */
export const noExitHooks = {
  name: 'no-exit-hooks',
  setup(bundler) {
    bundler.onResolve({ filter: /^signal-exit$/ }, () => ({ path: 'signal-exit', namespace: 'left-out' }));
    bundler.onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({
      contents: `export const onExit = () => { throw new Error('left out'); };`,
    }));
  },
};

const root = fileURLToPath(new URL('..', import.meta.url));

/** Of every bundle. */
export const common = {
  // esbuild remembers where it was loaded from, not where we are.
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  loader: { '.py': 'text' },
  // Its own form for ES modules: of the other one, in a chunk of its own, only `default` can be imported.
  alias: { yaml: './node_modules/yaml/browser/index.js' },
  plugins: [textModules],
  legalComments: 'none',
};

/** Names and versions of the packages whose code is in a bundle, for `--version --json`. */
function librariesIn(metafile) {
  const [bundle] = Object.values(metafile.outputs);
  const inside = Object.entries(bundle.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  const names = inside.flatMap(([file]) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//u.exec(file)?.[1] ?? []);
  return Object.fromEntries(
    [...new Set(names)].sort().map((name) => {
      const { version } = JSON.parse(readFileSync(`${root}node_modules/${name}/package.json`, 'utf8'));
      return [name, version];
    }),
  );
}

/** Of one file of a program that is run as it is. */
export const programOptions = (options) => ({
  ...common,
  minifySyntax: true,
  minifyWhitespace: true,
  plugins: [textModules, lazyBuiltins, noExitHooks],
  ...options,
});

/** esbuild's own function, through which an ES module sees one of Node's: it copies all the names each time. */
const copiedEachTime =
  /__toESM=\(mod,isNodeMode,target\)=>\((target=mod!=null\?[^;]*?,__copyProps\([^;]*?,mod\))\)/u;

/** The same, made once for each of Node's modules: some two hundred importing modules share twenty. */
function copiedOnce(text) {
  if (!copiedEachTime.test(text)) throw new Error('esbuild writes __toESM otherwise than is known here');
  return text.replace(
    copiedEachTime,
    (_, copied) =>
      `__seen=new Map,__toESM=(mod,isNodeMode,target)=>isNodeMode&&__seen.get(mod)||(${copied},isNodeMode&&__seen.set(mod,target),target)`,
  );
}

/** Makes it, with the names and versions of the packages inside it. */
export async function buildProgram(options) {
  const program = programOptions(options);
  const { metafile } = await build({ ...program, write: false, metafile: true });
  const define = { __LIBRARIES__: JSON.stringify(librariesIn(metafile)) };
  await build({ ...program, define });
  const text = readFileSync(program.outfile, 'utf8');
  if (text.includes('__toESM')) writeFileSync(program.outfile, copiedOnce(text));
}
