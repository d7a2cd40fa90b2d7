/**
 * `{{NAME}}` in texts of a service. A value is written for what reads it; one that could mean something else there has no
 * place in it. Secrets have none in any: they are in the env file alone.
 */
import type { SettingDefinition } from './definition.ts';

/**
 * systemd: units. plain: nginx, and whatever takes a value as it is. json: a JSON literal, quotes included, which YAML
 * and TOML read too. words: for people.
 */
export type Target = 'systemd' | 'plain' | 'json' | 'words';

const placeholder = /\{\{([^{}]*)\}\}/gu;

/** Names that stand between the braces, in order. */
export const namesIn = (text: string): readonly string[] =>
  [...text.matchAll(placeholder)].map(([, name]) => name!);

/** Is there a brace pair that is no placeholder? What was meant is not guessed. */
export const isUnbalanced = (text: string): boolean => /\{\{|\}\}/u.test(text.replace(placeholder, ''));

/** Words with blanks and signs have no place where a blank or a sign means something. */
export const fits = ({ type }: SettingDefinition, target: Target): boolean =>
  type !== 'text' || target === 'json' || target === 'words';

function literal({ type }: SettingDefinition, value: string): string {
  if (type === 'port' || type === 'integer') return value;
  if (type === 'flag') return value === '1' ? 'true' : 'false';
  return JSON.stringify(value);
}

function written(setting: SettingDefinition, value: string, target: Target): string {
  if (target === 'json') return literal(setting, value);
  if (setting.type === 'flag') return value === '1' ? '1' : '0';
  // systemd.unit(5): % begins a specifier. Nothing else that a setting may hold means anything to systemd.
  return target === 'systemd' ? value.replaceAll('%', '%%') : value;
}

export interface Values {
  /** Names of our own: paths, the marker. They are written as they are. */
  readonly own: Readonly<Record<string, string>>;
  readonly settings: readonly SettingDefinition[];
  readonly values: Readonly<Record<string, string>>;
}

/** The text with its values; every name in it is known, and has a value (checks.ts, `missing`). */
export function render(text: string, target: Target, { own, settings, values }: Values): string {
  return text.replace(placeholder, (whole, name: string) => {
    const known = own[name];
    if (known !== undefined) return known;
    const setting = settings.find(({ key }) => key === name);
    return setting === undefined ? whole : written(setting, values[name] ?? '', target);
  });
}

/** Settings that a text needs and that have no value; a flag that is not set is off. */
export const missing = (text: string, { settings, values }: Values): readonly SettingDefinition[] =>
  settings.filter(
    ({ key, type }) => type !== 'flag' && (values[key] ?? '') === '' && namesIn(text).includes(key),
  );
