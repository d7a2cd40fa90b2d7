/** `--instance`: which installation a command is about. */
import { InstallerError } from '../errors.ts';
import { instanceOf, validateInstance } from '../products/instances.ts';
import type { Product } from '../products/product.ts';
import { environmentOfSudo, refuseInstanceByEnvironment } from './environment.ts';
import type { Options } from './inputs.ts';

/**
 * @returns its name; null for the plain installation
 * @throws InstallerError E_USAGE for one that is none, and where the environment names one
 */
export function instanceIn(options: Options): string | null {
  refuseInstanceByEnvironment(process.env, environmentOfSudo());
  const value = options['instance'];
  if (typeof value !== 'string') return null;
  const valid = validateInstance(value);
  if (!valid.ok) throw new InstallerError('E_USAGE', { what: `--instance: ${valid.why}.` });
  return valid.value;
}

/** @throws InstallerError as {@link instanceIn}, and E_PRODUCT_INVALID where the product cannot be installed twice */
export function installationOf(options: Options, product: Product): Product {
  const instance = instanceIn(options);
  return instance === null ? product : instanceOf(product, instance);
}
