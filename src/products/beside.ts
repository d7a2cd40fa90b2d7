/** The installations beside one: which there may be, by the names that stand on a host, and what each has taken. */
import { InstallerError } from '../errors.ts';
import { installationName, validateInstance, type Claims } from './instances.ts';
import { withoutComments } from './nginx-marker.ts';
import type { Product } from './product.ts';

/** Another installation of the same host. */
export interface Beside {
  /** Its own name, from which its places follow. */
  readonly name: string;
  /** Name of its product, as far as that is known: of another family's it is its own name. */
  readonly product: string;
  readonly instance: string | null;
  /** Do its units stand there? One that was uninstalled, and kept its secrets, has taken nothing. */
  readonly installed: boolean;
  /** What its settings and its files say that it has, or is about to have. */
  readonly claims: Claims;
}

/** @returns the installations of the same product that names of directories below /etc may stand for, without itself */
export function sameFamily(product: Product, names: readonly string[]): readonly Product[] {
  const { instances } = product;
  if (instances === undefined) return [];
  const prefix = installationName(instances.product, '');
  const made = (instance: string): readonly Product[] => {
    try {
      return [instances.make(instance)];
    } catch (error) {
      // One that could not be installed is none.
      if (error instanceof InstallerError) return [];
      throw error;
    }
  };
  return names.flatMap((name) => {
    if (name === product.name) return [];
    if (name === instances.product) return [instances.make(null)];
    const instance = name.slice(prefix.length);
    return name.startsWith(prefix) && validateInstance(instance).ok ? made(instance) : [];
  });
}

/** What a unit and a site of ours have taken, whatever the settings say by now: a person may have edited either. */
export function claimsOfFiles(socket: string | null, site: string | null): Claims {
  const text = withoutComments(site ?? '');
  const ports = [
    ...(socket ?? '').matchAll(/^\s*ListenStream=127\.0\.0\.1:(\d+)\s*$/gmu),
    ...text.matchAll(/\blisten\s+127\.0\.0\.1:(\d+)/gu),
  ].map(([, port]) => Number(port));
  const names = [...text.matchAll(/\bserver_name\s+([^;]+);/gu)].flatMap(([, list]) => list!.split(/\s+/u));
  return { ports, domains: names.filter((name) => name.includes('.')) };
}

/** Both together, each once. */
export const bothClaims = (one: Claims, other: Claims): Claims => ({
  ports: [...new Set([...one.ports, ...other.ports])],
  domains: [...new Set([...one.domains, ...other.domains])],
});

export interface Clash {
  readonly beside: Beside;
  readonly kind: 'port' | 'domain';
  readonly value: string;
}

/** The first thing that would be taken twice; null where there is none. */
export function clashOf(own: Claims, others: readonly Beside[]): Clash | null {
  for (const beside of others) {
    if (!beside.installed) continue;
    const port = own.ports.find((each) => beside.claims.ports.includes(each));
    if (port !== undefined) return { beside, kind: 'port', value: String(port) };
    const domain = own.domains.find((each) => beside.claims.domains.includes(each));
    if (domain !== undefined) return { beside, kind: 'domain', value: domain };
  }
  return null;
}
