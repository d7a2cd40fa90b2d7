/** Nothing of the inspector is loaded before somebody asks for it, in the sources as in the bundle. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { beforeAll, expect, test } from 'vitest';
import { textModules } from '../../scripts/text-modules.mjs';
import { repositoryRoot } from '../hosts/support/base.ts';
import { run, temporaryRoot } from '../support/installer.ts';

type Imports = Readonly<
  Record<string, { readonly imports: readonly { readonly path: string; readonly kind: string }[] }>
>;
let inputs: Imports = {};

beforeAll(async () => {
  const { metafile } = await build({
    entryPoints: ['src/cli.ts'],
    absWorkingDir: repositoryRoot,
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    outdir: 'nowhere',
    loader: { '.py': 'text' },
    plugins: [textModules],
  });
  ({ inputs } = metafile);
});

/** Everything that comes with a module: without what it imports later, if it does. */
function loadedWith(entry: string): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (file: string): void => {
    if (found.has(file)) return;
    found.add(file);
    for (const { path, kind } of inputs[file]?.imports ?? []) if (kind !== 'dynamic-import') visit(path);
  };
  visit(entry);
  return found;
}

const watching =
  /^(?:text:.*)?(?:.*\/)?src\/(?:inspector|viewer)\/|src\/commands\/(?:inspect|export)\.ts$|node_modules\/(?:ws|@statelyai|isomorphic-ws|partysocket|superjson)\//u;

const watchingIn = (entry: string): string[] =>
  [...loadedWith(entry)].filter((file) => watching.test(file)).sort();

test.each([
  'src/cli.ts',
  'src/commands/main.ts',
  'src/commands/install.ts',
  'src/commands/history.ts',
  'src/commands/journal.ts',
  'src/commands/status.ts',
])('%s comes without it', (entry) => {
  expect(Object.keys(inputs)).toContain(entry);
  expect(watchingIn(entry)).toEqual([]);
});

test('it is there where it is asked for, the Stately inspector and the page only with the first who opens them', () => {
  const own = watchingIn('src/commands/inspect.ts');
  expect(own).toContain('src/inspector/server.ts');
  expect(own).not.toContain('src/inspector/answers.ts');
  expect(own.filter((file) => file.includes('node_modules') || file.includes('viewer'))).toEqual([]);
  expect(own).not.toContain('src/inspector/stately.ts');
  expect(watchingIn('src/inspector/stately.ts')).toContain('node_modules/@statelyai/inspect/dist/index.mjs');
});

/** Node's own modules that the bundle asked for: what a package needs is seen from outside when its code runs. */
async function nodeModulesOf(args: readonly string[]): Promise<readonly string[]> {
  using place = temporaryRoot();
  const hook = path.join(place.path, 'hook.cjs');
  const list = path.join(place.path, 'list');
  writeFileSync(
    hook,
    `const Module = require('node:module'); const fs = require('node:fs');
const tell = (name) => fs.appendFileSync(${JSON.stringify(list)}, name.replace(/^node:/u, '') + '\\n');
const { getBuiltinModule } = process; const { _load } = Module;
process.getBuiltinModule = (name) => (tell(name), getBuiltinModule(name));
Module._load = (...args) => (tell(args[0]), _load(...args));`,
  );
  const ran = await run([...args], { env: { NODE_OPTIONS: `--require=${hook}` } });
  expect(ran.exitCode, ran.output).toBe(0);
  return [...new Set(readFileSync(list, 'utf8').trim().split('\n'))];
}

/** What answers pages needs the first, the library for WebSockets the second. */
const telling = (modules: readonly string[]) => ({
  http: modules.includes('http'),
  ws: modules.includes('https'),
});

test.each([['--help'], ['history'], ['graph']])(
  'the bundle with %s runs none of its code',
  async (...args) => {
    expect(telling(await nodeModulesOf(args))).toEqual({ http: false, ws: false });
  },
);

test('an installation runs none of it; with --inspect a port, and what answers only for who connects', async () => {
  using root = temporaryRoot();
  const plain = telling(await nodeModulesOf(['--root', root.path]));
  const watched = telling(await nodeModulesOf(['--root', root.path, '--inspect', '0']));
  expect({ plain, watched }).toEqual({
    plain: { http: false, ws: false },
    watched: { http: false, ws: false },
  });
});
