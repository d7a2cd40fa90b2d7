/** What the env file shall be: every byte that need not change stays. */
import type { Mode } from '../../machines/types.ts';
import type { Settings } from '../../products/product.ts';
import { EnvFile, maskedText, renderEnvFile } from '../env-file.ts';
import { parsedEnv } from '../env-parsed.ts';
import type { Scope } from '../scope.ts';

const settingsToRemember = (scope: Scope, settings: Settings): readonly (readonly [string, string])[] =>
  scope.product.settings
    .map(({ key }) => [key, settings[key] ?? ''] as const)
    .filter(([, value]) => value !== '');

/** Of an image each name stands there without its value. */
function freshEnv(scope: Scope, settings: Settings): Uint8Array {
  const { after, secrets } = scope.state;
  const deferred = secrets.filter(({ origin }) => origin === 'deferred').map(({ name }) => name);
  const lines = scope.product.secrets
    .map(({ name }) => [name, after.get(name) ?? ''] as const)
    .filter(([name, value]) => value !== '' || deferred.includes(name));
  return renderEnvFile([...lines, ...settingsToRemember(scope, settings)]);
}

/** A remembered setting is only written where what is there, default included, differs from what is in force. */
function withSettings(scope: Scope, file: EnvFile, settings: Settings): EnvFile {
  let next = file;
  for (const { key, default: preset } of scope.product.settings) {
    const current = next.get(key) ?? '';
    const wanted = settings[key] ?? '';
    if (wanted === current || (current === '' && wanted === preset)) continue;
    next = wanted === '' ? next.without(key) : next.with(key, wanted);
  }
  return next;
}

/**
 * @throws E_ENV_INVALID where other people's lines would make dotenv misread a value that is to stand among them: a file
 *   that the next run would refuse is not written
 */
export function desiredEnv(scope: Scope, mode: Mode, settings: Settings): Uint8Array {
  const { env, after, secrets } = scope.state;
  if (mode === 'fresh' || env === null) return freshEnv(scope, settings);
  let file = env.file;
  for (const { name, origin } of secrets) {
    const value = after.get(name) ?? '';
    if (origin === 'removed') file = file.without(name);
    else if (value !== (file.get(name) ?? '')) file = file.with(name, value);
  }
  return parsedEnv(scope.product, withSettings(scope, file, settings).toBytes()).toBytes();
}

/**
 * The env file for a diff: every value hidden, a changed one visible as changed by where it comes from.
 * The same text for a prediction and for the run after it, so plans can be hashed over it.
 */
export function maskedEnv(scope: Scope, bytes: Uint8Array | null, which: 'before' | 'after'): string {
  if (bytes === null) return '';
  const origins = new Map(
    scope.state.secrets
      .filter(({ origin }) => origin !== 'preserved' && origin !== 'removed')
      .map(({ name, origin }) => [scope.state.after.get(name), origin]),
  );
  const settings = scope.state.desired?.settings ?? {};
  const shown = new Set(Object.values(settings));
  return maskedText(bytes, (value) => {
    const origin = which === 'after' ? origins.get(value) : undefined;
    if (origin !== undefined) return `<${origin}>`;
    // Settings are public words, but a value is only told by its fingerprint all the same: any line may be a secret.
    return shown.has(value) ? '<setting in force>' : '<hidden>';
  });
}
