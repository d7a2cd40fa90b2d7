/** Settings in force: given for this run, else remembered in the env file, else the default. */
import { InstallerError } from '../../errors.ts';
import type { Answers, Note, Request } from '../../machines/types.ts';
import type { SettingSpec, Settings } from '../../products/product.ts';
import { freePortFor } from '../beside.ts';
import type { Scope } from '../scope.ts';

/** What the installation uses so far, in canonical spelling: remembered, else the default. */
function settingsSoFar({ product, state }: Scope): Settings {
  return Object.fromEntries(
    product.settings.flatMap((spec) => {
      const value = state.settingsBefore[spec.key] ?? spec.default ?? '';
      if (value === '') return [];
      const valid = spec.validate(value);
      const used = valid.ok ? valid.value : value;
      return used === '' ? [] : [[spec.key, used] as const];
    }),
  );
}

/** What people have to be told of the settings that change; of a host that nobody knows yet nothing can be said. */
export function changeNotes(scope: Scope): readonly Note[] {
  const { product, state } = scope;
  const isKnown = scope.memory().installer !== null || Object.keys(state.settingsBefore).length > 0;
  return state.env !== null && isKnown ? product.settingsChanged(settingsSoFar(scope), state.settings) : [];
}

/** Of an instance the port follows from the installations beside it. */
function defaultOf(scope: Scope, { key, default: preset }: SettingSpec): string | undefined {
  const free = scope.product.instances?.freePorts;
  return free?.key === key ? freePortFor(scope, free) : preset;
}

/**
 * @returns canonical values by key; a key that has neither value nor default is left out
 * @throws E_SETTING_INVALID for a remembered value that nobody overrides
 */
export function settingsInForce(scope: Scope, request: Request, answers: Answers): Settings {
  const { product, state } = scope;
  const given: Settings = { ...request.settings, ...answers.settings };
  const settings: Record<string, string> = {};
  for (const spec of product.settings) {
    const forgotten = request.unset.includes(spec.key);
    const remembered = forgotten ? '' : (state.env?.file.get(spec.key) ?? '');
    const value = given[spec.key] ?? (remembered === '' ? defaultOf(scope, spec) : remembered);
    if (value === undefined) continue;
    const valid = spec.validate(value);
    if (!valid.ok) {
      throw new InstallerError('E_SETTING_INVALID', {
        key: spec.key,
        path: product.envFile,
        why: valid.why,
      });
    }
    // A flag that is given as off is a flag that is not set.
    if (valid.value !== '') settings[spec.key] = valid.value;
  }
  return settings;
}
