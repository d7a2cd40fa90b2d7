/** What the environment says: settings, `DRY_RUN`, and what it may not say. */
import { readFileSync } from 'node:fs';
import type { Product, SettingSpec } from '../products/product.ts';
import { nearest, usage } from './usage.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const parse = (bytes: Buffer): Environment =>
  Object.fromEntries(
    bytes
      .toString('utf8')
      .split('\0')
      .filter((entry) => entry.includes('='))
      .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );

function parentOf(pid: number): { readonly name: string; readonly parent: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const end = stat.lastIndexOf(')');
  return { name: stat.slice(stat.indexOf('(') + 1, end), parent: Number(stat.slice(end + 2).split(' ')[1]) };
}

/**
 * sudo drops most variables; what its caller had set still stands in the environment of the sudo process itself, which
 * root may read. Empty where no sudo is among the ancestors.
 */
export function environmentOfSudo(): Environment {
  try {
    let pid = process.ppid;
    for (let depth = 0; pid > 1 && depth < 8; depth += 1) {
      const { name, parent } = parentOf(pid);
      if (name === 'sudo') return parse(readFileSync(`/proc/${pid}/environ`));
      pid = parent;
    }
  } catch {
    // Not ours to read: then there is nothing to honour.
  }
  return {};
}

const prefix = 'MCP_INSTALLER_';

const yes = ['1', 'true', 'yes'];

/** `DRY_RUN=1|true|yes`; any other value but the empty one is bad usage: a typing error must not install. */
export function dryRunOf(own: Environment, ofSudo: Environment): boolean {
  for (const value of [own['DRY_RUN'], ofSudo['DRY_RUN']]) {
    if (value === undefined || value === '') continue;
    if (yes.includes(value.toLowerCase())) return true;
    throw usage(
      `DRY_RUN=${JSON.stringify(value.slice(0, 40))} is not 1, true or yes.`,
      'Use --dry-run, or unset DRY_RUN.',
    );
  }
  return false;
}

/** Only settings come from the environment: what rotates is a flag or nothing. */
export function refuseRotationByEnvironment(own: Environment, ofSudo: Environment): void {
  for (const value of [own['FORCE_ROTATE_TOKENS'], ofSudo['FORCE_ROTATE_TOKENS']]) {
    if (value === undefined || value === '') continue;
    throw usage(
      'FORCE_ROTATE_TOKENS in the environment rotates nothing.',
      'Use the flag --force-rotate-tokens, or unset the variable.',
    );
  }
}

/** Which installation is meant is no setting: who forgets the variable would change, or take away, another one. */
export function refuseInstanceByEnvironment(own: Environment, ofSudo: Environment): void {
  const name = `${prefix}INSTANCE`;
  if ([own[name], ofSudo[name]].every((value) => value === undefined || value === '')) return;
  throw usage(
    `${name} in the environment does nothing: only settings come from there.`,
    'Use --instance, or unset the variable.',
  );
}

const upperSnake = (option: string): string => option.replaceAll('-', '_').toUpperCase();

/** `MCP_INSTALLER_` + option in upper snake case. */
export const variableOf = ({ option }: Pick<SettingSpec, 'option'>): string =>
  `${prefix}${upperSnake(option)}`;

/** Settings that the environment gives, by variable. */
export const settingsIn = (environment: Environment, product: Product): Readonly<Record<string, string>> =>
  Object.fromEntries(
    product.settings.flatMap((spec) => {
      const value = environment[variableOf(spec)] ?? '';
      return value === '' ? [] : [[variableOf(spec), value] as const];
    }),
  );

/**
 * A variable of ours that is written wrongly would be a setting that silently does not count; one that stands for what
 * only a flag may ask for, too. Others that begin like ours may be somebody else's and are left alone.
 */
export function refuseMistakenVariables(
  environment: Environment,
  product: Product,
  flags: readonly string[],
): void {
  const known = product.settings.map(variableOf);
  for (const name of Object.keys(environment)) {
    if (!name.startsWith(prefix) || known.includes(name) || environment[name] === '') continue;
    const flag = flags.find((each) => name === `${prefix}${upperSnake(each.replace(/^--/u, ''))}`);
    if (flag !== undefined) {
      throw usage(
        `${name} in the environment does nothing: only settings come from there.`,
        `Use ${flag}, or unset the variable.`,
      );
    }
    const own = name.slice(prefix.length);
    const meant = nearest(
      own,
      known.map((each) => each.slice(prefix.length)),
    );
    if (meant !== null) {
      throw usage(
        `There is no setting ${name.slice(0, 60)}. Did you mean ${prefix}${meant}?`,
        `Valid: ${known.join(', ')}.`,
      );
    }
  }
}
