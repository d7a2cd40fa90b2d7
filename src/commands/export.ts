/** `show RUN --export FILE`: the run as one file, written whole or not at all, and checked to hold no secret. */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, readFileSync, statSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { scan } from '../effects/env-grammar.ts';
import { InstallerError } from '../errors.ts';
import { encodeExport } from '../journal/exported.ts';
import { openNewFile, syncDirectory, writeAll } from '../journal/files.ts';
import { mcpOauthProxy } from '../products/mcp-oauth-proxy/index.ts';
import type { Product } from '../products/product.ts';
import { rootOf, type Options } from './inputs.ts';
import type { CommandOutput } from './output.ts';
import type { Recorded } from './recorded.ts';
import { heldBy } from './secret-search.ts';
import { standardOutput } from './streams.ts';
import { usage } from './usage.ts';

const product: Product = mcpOauthProxy;

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown';

const failed = (file: string, why: string, remedy?: string): InstallerError =>
  new InstallerError('E_EXPORT', { path: file, why, ...(remedy === undefined ? {} : { remedy }) });

/**
 * Everything in the env file that is no setting, by its name: other people's keys are secrets too, but what is a
 * setting's value is none.
 */
function secretsBelow(root: string, target: string): ReadonlyMap<string, string> {
  let text: string;
  try {
    const file = path.join(root, product.envFile);
    // A pipe would be waited for.
    if (!statSync(file).isFile()) throw failed(target, `${product.envFile} is no file to check it against`);
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof InstallerError) throw error;
    if (codeOf(error) === 'ENOENT') return new Map();
    throw failed(
      target,
      `${product.envFile} cannot be read (${codeOf(error)}), so the file cannot be checked`,
      'Run it with sudo.',
    );
  }
  const settings = product.settings.map(({ key }) => key);
  const all = scan(text).assignments;
  const known = new Set(all.filter(({ key }) => settings.includes(key)).map(({ value }) => value));
  return new Map(
    all
      .filter(({ key, value }) => !settings.includes(key) && !known.has(value))
      .map(({ key, value }) => [key, value]),
  );
}

/** Never over a file that is there, and never half: made beside under another name, which is then given its own. */
function writeWhole(file: string, bytes: Uint8Array): void {
  const [directory, name] = [path.dirname(file), path.basename(file)];
  const temporary = `.${name}.${randomBytes(8).toString('hex')}.mcp-installer-tmp`;
  const fd = openNewFile(directory, temporary);
  try {
    try {
      writeAll(fd, bytes);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    // Unlike a rename it fails where the name is taken.
    linkSync(path.join(directory, temporary), file);
  } finally {
    unlinkSync(path.join(directory, temporary));
  }
  syncDirectory(directory);
}

function write(file: string, bytes: Uint8Array): void {
  try {
    writeWhole(file, bytes);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST')
      throw usage(`--export ${file}: the file exists already.`, 'Name one that does not.');
    throw failed(file, code);
  }
}

/** @throws InstallerError E_USAGE, E_EXPORT, E_EXPORT_SECRET; then nothing was written */
export function exportRun(
  { run, home }: Recorded,
  target: string,
  options: Options,
  output: CommandOutput,
): void {
  if (home === null) throw usage('--export takes a run of this host, not a file.', 'Copy the file.');
  if (target === '')
    throw usage('--export needs a file.', 'Name one that does not exist yet, or - for stdout.');
  if (target === '-' && output.json)
    throw usage('--export - and --json both write to stdout.', 'Export into a file, or leave --json out.');
  const bytes = encodeExport(run.id, readFileSync(path.join(home, 'runs', run.id, 'journal.jsonl')));
  const name = heldBy(Buffer.from(bytes).toString('utf8'), secretsBelow(rootOf(options), target));
  if (name !== null) throw new InstallerError('E_EXPORT_SECRET', { run: run.id, name });
  if (target === '-') {
    standardOutput().write(Buffer.from(bytes).toString('utf8'));
    return;
  }
  write(target, bytes);
  const text = `Run ${run.id} was written to ${target}.`;
  output.emit({ v: 1, type: 'note', code: 'exported', level: 'info', text });
}
