/**
 * What is imported with `?text`, for the build and the tests alike: a script is bundled for the browser, a style sheet
 * is put together and made small, anything else comes as it is.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** @param file by its path; its kind is told by its extension */
export async function textOf(file) {
  if (!/\.(?:ts|css)$/u.test(file)) return readFileSync(file, 'utf8');
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    write: false,
    minify: true,
    platform: 'browser',
    format: 'iife',
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'error',
  });
  return outputFiles[0].text;
}

/** For esbuild. */
export const textModules = {
  name: 'text-modules',
  setup(bundler) {
    bundler.onResolve({ filter: /\?text$/ }, ({ path: name, resolveDir }) => ({
      // From the repository's root: the name stands in the bundle, which is the same wherever it is built.
      path: path.relative(root, path.resolve(resolveDir, name.slice(0, -'?text'.length))),
      namespace: 'text',
    }));
    bundler.onLoad({ filter: /.*/, namespace: 'text' }, async ({ path: file }) => ({
      contents: await textOf(path.join(root, file)),
      loader: 'text',
    }));
  },
};
