/** From what was typed to a validated request. Everything wrong is E_USAGE, before anything is looked at. */
import { lstatSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { Option } from 'commander';
import { parse as parseDotenv } from 'dotenv';
import { createRealHost } from '../effects/host/real.ts';
import { errnoOf } from '../errno.ts';
import { InstallerError } from '../errors.ts';
import type { Request } from '../machines/types.ts';
import type { Product } from '../products/product.ts';
import { unsettable } from '../request.ts';
import { variableOf, type Environment } from './environment.ts';
import { readInput } from './input-files.ts';
import { hint, shown, usage } from './usage.ts';

/** Options as commander hands them over. */
export type Options = Readonly<Record<string, unknown>>;

/** Where commander puts it; of `no-x` that is where x is. */
const attributeOf = (option: string): string => new Option(`--${option}`).attributeName();

const text = (options: Options, option: string): string | undefined => {
  const value = options[attributeOf(option)];
  return typeof value === 'string' ? value : undefined;
};

const isSet = (options: Options, option: string): boolean =>
  options[attributeOf(option)] === !option.startsWith('no-');

const list = (value: string): string[] =>
  value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

function knownName(name: string, known: readonly string[], option: string): string {
  if (known.includes(name)) return name;
  throw usage(
    `--${option}: there is no ${shown(name)}.${hint(name, known)}`,
    `Valid names: ${known.join(', ')}.`,
  );
}

function rotation(options: Options, product: Product): Request['rotate'] {
  const value = options['forceRotateTokens'];
  if (value === undefined) return 'none';
  const known = product.secrets.map(({ name }) => name);
  if (typeof value !== 'string') return 'all';
  const names = list(value).map((name) => knownName(name, known, 'force-rotate-tokens'));
  if (names.length === 0)
    throw usage(
      '--force-rotate-tokens names no secret.',
      `Valid names: ${known.join(', ')}; or none for all.`,
    );
  return [...new Set(names)];
}

/** A dotenv file of settings, line by line: what is no assignment would otherwise silently not count. */
function configured(file: string | undefined, product: Product): Readonly<Record<string, string>> {
  if (file === undefined) return {};
  const known = product.settings.map(({ key }) => key);
  const values: Record<string, string> = {};
  for (const [index, line] of readInput(file, 'config', true).toString('utf8').split(/\r?\n/u).entries()) {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) continue;
    const [pair] = Object.entries(parseDotenv(text));
    const where = `--config ${file}, line ${index + 1}`;
    if (pair === undefined || !/^(?:export\s+)?[\w.-]+\s*=/u.test(text)) {
      throw usage(`${where} is no assignment.`, 'A line is NAME=value, a comment, or empty.');
    }
    const [key, value] = pair;
    knownName(key, known, 'config');
    if ((values[key] ?? value) !== value)
      throw usage(`${where} gives ${key} a second value.`, 'Give it once.');
    values[key] = value;
  }
  return values;
}

/** Flag before environment before file; what none of them names is left to the installation. */
function givenSettings(
  options: Options,
  environment: Environment,
  product: Product,
  root: string,
): Record<string, string> {
  const file = configured(text(options, 'config'), product);
  const settings: Record<string, string> = {};
  for (const spec of product.settings) {
    const flag =
      spec.kind === 'flag' ? (isSet(options, spec.option) ? '1' : undefined) : text(options, spec.option);
    const variable = environment[variableOf(spec)];
    const [value, from] =
      flag !== undefined
        ? [flag, `--${spec.option}`]
        : variable !== undefined && variable !== ''
          ? [variable, variableOf(spec)]
          : [file[spec.key], `--config, ${spec.key}`];
    if (value === undefined) continue;
    const absolute = spec.kind === 'file' && root === '/' ? path.resolve(value) : value;
    const valid = spec.validate(absolute);
    if (!valid.ok) throw usage(`${from}: ${valid.why}.`);
    if (spec.kind === 'file') mustBeFile(root, valid.value, from);
    settings[spec.key] = valid.value;
  }
  return settings;
}

/** A file that the service's web server will read, below the root. */
function mustBeFile(root: string, file: string, from: string): void {
  if (createRealHost({ root }).isFile(file)) return;
  throw usage(`${from}: ${file} is not a file that can be read.`, 'Give a PEM file that exists.');
}

function suppliedSecrets(options: Options, product: Product): Map<string, string> {
  const supplied = new Map<string, string>();
  for (const { name, fileOption, validate } of product.secrets) {
    const file = fileOption === undefined ? undefined : text(options, fileOption);
    if (fileOption === undefined || file === undefined) continue;
    const value = readInput(file, fileOption)
      .toString('utf8')
      .replace(/\r?\n$/u, '');
    const valid = validate?.(value) ?? { ok: true, value };
    if (!valid.ok) throw usage(`--${fileOption} ${file}: ${valid.why}.`);
    supplied.set(name, valid.value);
  }
  return supplied;
}

/** Who comes second would find it empty. */
function mustReadStdinOnce(options: Options, product: Product): void {
  const names = [
    'config',
    'source',
    ...product.secrets.flatMap(({ fileOption }) => (fileOption === undefined ? [] : [fileOption])),
  ];
  const readers = names.filter((option) => text(options, option) === '-').map((option) => `--${option}`);
  if (readers.length > 1) throw usage(`${readers.join(' and ')} cannot all read stdin (-).`, 'Use a file.');
}

/** `--root`: an existing directory; its own name may be a link, nothing below it is trusted. */
export function rootOf(options: Options): string {
  const value = text(options, 'root');
  if (value === undefined) return '/';
  const invalid = (why: string): InstallerError =>
    new InstallerError('E_ROOT_INVALID', { path: JSON.stringify(value), why });
  if (value === '') throw invalid('it is empty');
  try {
    const real = realpathSync(value);
    if (!lstatSync(real).isDirectory()) throw invalid('it is not a directory');
    return real;
  } catch (error) {
    throw error instanceof InstallerError ? error : invalid(errnoOf(error));
  }
}

export interface Inputs {
  readonly root: string;
  readonly request: Request;
  readonly supplied: ReadonlyMap<string, string>;
  readonly source: Uint8Array | null;
}

/** @throws InstallerError E_USAGE, E_ROOT_INVALID */
export function inputsOf(options: Options, environment: Environment, product: Product, ask: boolean): Inputs {
  const root = rootOf(options);
  mustReadStdinOnce(options, product);
  const settings = givenSettings(options, environment, product, root);
  const keys = unsettable(product);
  const forgotten = text(options, 'unset');
  const unset = list(forgotten ?? '').map((name) => knownName(name, keys, 'unset'));
  if (forgotten !== undefined && unset.length === 0)
    throw usage('--unset names no setting.', `Valid names: ${keys.join(', ')}.`);
  const both = unset.find((key) => settings[key] !== undefined);
  if (both !== undefined) throw usage(`--unset ${both} contradicts the value given for it.`);
  if (options['keepEdited'] === true && options['forceConfig'] === true) {
    throw usage('--keep-edited and --force-config contradict each other.');
  }
  const sourceOption = text(options, 'source');
  const supplied = suppliedSecrets(options, product);
  const source =
    sourceOption === undefined || sourceOption === 'bundled' ? null : readInput(sourceOption, 'source');
  if (source?.length === 0) throw usage(`--source ${sourceOption ?? ''} is empty.`);
  return {
    root,
    supplied,
    source,
    request: {
      product: product.name,
      rotate: rotation(options, product),
      settings,
      unset,
      supplied: [...supplied.keys()],
      source: sourceOption === undefined ? 'kept' : sourceOption === 'bundled' ? 'bundled' : 'file',
      edits: options['keepEdited'] === true ? 'keep' : options['forceConfig'] === true ? 'replace' : 'refuse',
      ask,
      packages: options['packages'] !== false,
      start: options['start'] !== false,
      image: options['image'] === true,
      rollback: options['rollback'] !== false,
      checks: options['skipPreflight'] !== true,
      downgrade: options['allowDowngrade'] === true,
      undo: null,
    },
  };
}
