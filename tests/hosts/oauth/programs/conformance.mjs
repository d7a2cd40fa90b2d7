/**
 * The official conformance suite's command line: `conformance.mjs ARGUMENT …`.
 *
 * It is built for Node 22: of `fs` it imports globSync, for a command that is not used here, and so it does not even
 * start on Node 20, which has none.
 */
import fs from 'node:fs';
import { register } from 'node:module';

const dataUrl = (code) => `data:text/javascript,${encodeURIComponent(code)}`;

if (!('globSync' in fs)) {
  const withGlob = dataUrl(
    `export * from 'node:fs'; export const globSync = () => { throw new Error('Node 22 is needed'); };`,
  );
  const hooks = `export const resolve = (name, context, next) =>
    name === 'fs' && context.parentURL?.includes('/@modelcontextprotocol/conformance/')
      ? { url: ${JSON.stringify(withGlob)}, shortCircuit: true }
      : next(name, context);`;
  register(dataUrl(hooks));
}

await import('@modelcontextprotocol/conformance/dist/index.js');
