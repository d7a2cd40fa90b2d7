/**
 * The first script of the standalone executable: argv in, exit code out, as `cli.ts`, on the Node that is inside.
 *
 * The program itself lies beside it in the executable as text, and where the build could run it, what V8 had compiled of
 * it by the end of some runs (`scripts/build-standalone.mjs`): that is loaded instead of compiled again.
 */
import { Script } from 'node:vm';
import { getRawAsset } from 'node:sea';
import { isBareVersion, tellBareVersion } from './commands/bare-version.ts';

type Program = typeof import('./commands/start.ts');
type Wrapped = (
  module: { exports: Partial<Program> },
  require: NodeJS.Require,
  codeCache: 'used' | 'rejected' | 'none',
) => void;

/** Not copied: Node says `ArrayBuffer`, and its types `string` besides. */
const bytesOf = (asset: string): Buffer => Buffer.from(getRawAsset(asset) as ArrayBuffer);

function load(): Program {
  const cachedData = bytesOf('program.cache');
  // ASCII, which the build makes sure of: taken as it is.
  const script = new Script(bytesOf('program.js').toString('latin1'), {
    filename: 'mcp-installer.js',
    ...(cachedData.length === 0 ? {} : { cachedData }),
  });
  const program = { exports: {} };
  const codeCache =
    script.cachedDataRejected === undefined ? 'none' : script.cachedDataRejected ? 'rejected' : 'used';
  (script.runInThisContext() as Wrapped)(program, require, codeCache);
  return program.exports as Program;
}

const argv = process.argv.slice(2);
void (isBareVersion(argv) ? tellBareVersion() : load().start(argv)).then((exitCode) => {
  process.exitCode = exitCode;
});
