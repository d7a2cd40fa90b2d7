/** Settings in force: given for this run, else remembered in the env file, else the default. */
import { InstallerError } from '../../errors.ts';
import type { Answers, Request } from '../../machines/types.ts';
import type { Settings } from '../../products/product.ts';
import type { Scope } from '../scope.ts';

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
    const value = given[spec.key] ?? (remembered === '' ? spec.default : remembered);
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
