/**
 * Several installations of one product on one host: what each is called, where its journal stands, and what it takes for
 * itself alone. The one way in which a product says that there can be more than one of it.
 */
import { InstallerError } from '../errors.ts';
import type { Product, Settings, Validated } from './product.ts';
import { invalid, ok, show } from './validators.ts';

/** What an installation takes for itself alone on its host. */
export interface Claims {
  /** Ports on loopback. */
  readonly ports: readonly number[];
  /** Names that its site answers to. */
  readonly domains: readonly string[];
}

/** Ports that an installation takes where nobody says which: the first so many in a row that are free. */
export interface FreePorts {
  /** The setting that holds the first of them. */
  readonly key: string;
  readonly from: number;
  readonly count: number;
}

/** What makes a product one of which a host can have several. */
export interface Instances {
  /** Name of the product itself, whichever installation of it this one is. */
  readonly product: string;
  /** null: the plain installation, which has no name of its own. */
  readonly instance: string | null;
  /** null where the default of the port's setting is taken, as by the plain installation. */
  readonly freePorts: FreePorts | null;
  claims(settings: Settings): Claims;
  /**
   * The same product as another installation of it; null: the plain one. E_PRODUCT_INVALID where it would share something
   * with others.
   */
  make(instance: string | null): Product;
}

/** A name of an installation: what is good in a path, a unit and an nginx zone, and no longer than their readers take. */
export const validateInstance = (value: string): Validated =>
  /^[a-z0-9]+(?:-+[a-z0-9]+)*$/u.test(value) && value.length <= 32
    ? ok(value)
    : invalid(
        `${show(value)} is no name of an installation: 1 to 32 of a-z, 0-9 and hyphens between them are valid, such as team-b`,
      );

/** Name of an installation, from which every path, unit, site and state directory of it follows. */
export const installationName = (product: string, instance: string | null): string =>
  instance === null ? product : `${product}-${instance}`;

/**
 * @returns the product as an installation of that name, beside the plain one
 * @throws InstallerError E_USAGE for a name that is none, or a product of which a host has one alone
 */
export function instanceOf(product: Product, instance: string): Product {
  const valid = validateInstance(instance);
  if (!valid.ok) throw new InstallerError('E_USAGE', { what: `--instance: ${valid.why}.` });
  if (product.instances === undefined)
    throw new InstallerError('E_USAGE', {
      what: `--instance ${show(instance)}: a host has one ${product.name} alone.`,
      remedy: 'Leave --instance out.',
    });
  return product.instances.make(instance);
}
