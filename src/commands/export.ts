/** `show RUN --export FILE`: the run as one file, written whole or not at all, and checked to hold no secret. */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, readFileSync, statSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { scan } from '../effects/env-grammar.ts';
import { errnoOf } from '../errno.ts';
import { InstallerError } from '../errors.ts';
import { encodeExport } from '../journal/exported.ts';
import { openNewFile, syncDirectory, writeAll } from '../journal/files.ts';
import type { Run } from '../journal/reader.ts';
import type { ActorContract, Input } from '../machines/types.ts';
import { envFilesBelow, type EnvFile } from './env-files.ts';
import { rootOf, type Options } from './inputs.ts';
import type { CommandOutput } from './output.ts';
import type { Recorded } from './recorded.ts';
import { heldBy } from './secret-search.ts';
import { standardOutput } from './streams.ts';
import { usage } from './usage.ts';

type PlanOutput = Extract<ActorContract['plan']['output'], { kind: 'planned' }>;
type SecretsOutput = Extract<ActorContract['secrets']['output'], { kind: 'ready' }>;

const failed = (file: string, why: string, remedy?: string): InstallerError =>
  new InstallerError('E_EXPORT', { path: file, why, ...(remedy === undefined ? {} : { remedy }) });

/** Text of an env file; null where there is none. */
function textOf(root: string, envFile: string, target: string): string | null {
  try {
    const file = path.join(root, envFile);
    // A pipe would be waited for.
    if (!statSync(file).isFile())
      throw failed(
        target,
        `${envFile} is no file to check it against`,
        `Put the env file back at ${envFile}, then export again.`,
      );
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof InstallerError) throw error;
    if (errnoOf(error) === 'ENOENT') return null;
    throw failed(
      target,
      `${envFile} cannot be read (${errnoOf(error)}), so the file cannot be checked`,
      'Run it with sudo.',
    );
  }
}

/** What a run says of the settings of its product: those that it was given, and all that its plan was made for. */
function settingsIn({ records }: Run): readonly string[] {
  return records.flatMap((record) => {
    if (record.k === 'run.started')
      return Object.keys((record.input as Partial<Input> | null)?.request?.settings ?? {});
    const output =
      record.k === 'event' ? (record.event.output as Partial<PlanOutput> | undefined) : undefined;
    return output?.kind === 'planned' ? Object.keys(output.plan?.settings ?? {}) : [];
  });
}

/** Names of its product's secrets, as a run says them. */
const secretsIn = ({ records }: Run): readonly string[] =>
  records.flatMap((record) => {
    const output =
      record.k === 'event' ? (record.event.output as Partial<SecretsOutput> | undefined) : undefined;
    return (output?.secrets ?? []).map(({ name }) => name);
  });

/**
 * Everything in the env files that is no setting, by its name: other people's keys are secrets too, unless their value is
 * that of a setting.
 */
function secretsBelow(
  root: string,
  files: readonly EnvFile[],
  target: string,
): readonly (readonly [string, string])[] {
  return files.flatMap(({ path: envFile, settings, secrets }) => {
    const all = scan(textOf(root, envFile, target) ?? '').assignments;
    const known = new Set(all.filter(({ key }) => settings.includes(key)).map(({ value }) => value));
    return all
      .filter(({ key, value }) => secrets.includes(key) || (!settings.includes(key) && !known.has(value)))
      .map(({ key, value }) => [key, value] as const);
  });
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
    const code = errnoOf(error);
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
  const root = rootOf(options);
  const told = { settings: settingsIn(run), secrets: secretsIn(run) };
  const secrets = secretsBelow(root, envFilesBelow(root, told), target);
  const name = heldBy(Buffer.from(bytes).toString('utf8'), secrets);
  if (name !== null) throw new InstallerError('E_EXPORT_SECRET', { run: run.id, name });
  if (target === '-') {
    standardOutput().write(Buffer.from(bytes).toString('utf8'));
    return;
  }
  write(target, bytes);
  const text = `Run ${run.id} was written to ${target}.`;
  output.emit({ v: 1, type: 'note', code: 'exported', level: 'info', text });
}
