/**
 * An example as its reader has it: a copy of its own, with the packed package installed from the registry's client, and
 * started by `npm start`, which type-checks it first.
 */
import { execFile, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { repositoryRoot } from '../../hosts/support/base.ts';
import { resultOf, type Ran } from '../../support/installer.ts';

const call = promisify(execFile);
const cache = path.join(repositoryRoot, 'node_modules/.cache/mcp-installer');

/** The package of the build that there is, packed once for it by whoever asks first: `npm pack`. */
async function tarball(): Promise<string> {
  const { mtimeMs } = statSync(path.join(repositoryRoot, 'dist/mcp-installer.mjs'));
  const packed = path.join(cache, `mcp-installer-${Math.floor(mtimeMs)}.tgz`);
  if (existsSync(packed)) return packed;
  mkdirSync(cache, { recursive: true });
  // Made beside and renamed in: other test files may ask at the same time.
  const own = mkdtempSync(path.join(cache, 'pack-'));
  try {
    const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', own];
    const { stdout } = await call('npm', args, { cwd: repositoryRoot });
    const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
    renameSync(path.join(own, filename), packed);
  } finally {
    rmSync(own, { recursive: true });
  }
  return packed;
}

export interface Example extends Disposable {
  /** The copy, with its node_modules. */
  readonly directory: string;
  /** Runs a program in it to its end. */
  run(file: string, args?: readonly string[]): Promise<Ran>;
}

const source = (name: string): string => path.join(repositoryRoot, 'examples', name);

/** A copy of `examples/NAME` with the packed package and the example's own dependencies; removed afterwards. */
export async function installExample(name: string): Promise<Example> {
  const directory = mkdtempSync(path.join(tmpdir(), `mcp-installer-example-${name}-`));
  const run = (file: string, args: readonly string[] = []): Promise<Ran> =>
    resultOf(spawn(file, args, { cwd: directory, stdio: 'pipe' }));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  try {
    // What somebody who tried the example left in it is not part of it.
    const own = (file: string): boolean => !['node_modules', 'dist'].includes(path.basename(file));
    cpSync(source(name), directory, { recursive: true, filter: own });
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
    const installed = await run('npm', ['install', ...quiet, await tarball()]);
    if (installed.exitCode !== 0) throw new Error(`npm install in examples/${name}: ${installed.output}`);
  } catch (error) {
    remove();
    throw error;
  }
  return { directory, run, [Symbol.dispose]: remove };
}

/** What differs from one run to the next: ids, fingerprints, times, temporary directories. */
export const withoutChance = (text: string): string =>
  text
    .replaceAll(/\d{8}T\d{6}Z-[0-9a-f]{4}/gu, 'RUN')
    .replaceAll(/\b[0-9a-f]{12}\b/gu, 'FINGERPRINT')
    .replaceAll(/\b[0-9a-f]{8}\b/gu, 'HASH')
    .replaceAll(/\/tmp\/[\w.-]+/gu, 'DIRECTORY')
    .replaceAll(/\b\d+(?:\.\d+)? m?s\b/gu, 'TIME')
    .trim();

/** What the README of an example promises that `npm start` prints: its first block of kind `text`. */
export function promisedOutput(name: string): string {
  const readme = readFileSync(path.join(source(name), 'README.md'), 'utf8');
  const [, block] = /```text\n(.*?)```/su.exec(readme) ?? [];
  if (block === undefined) throw new Error(`examples/${name}/README.md shows no output`);
  return block;
}
