/** The installations beside the one that a run is about, and what must not be taken from them. */
import { InstallerError } from '../errors.ts';
import type { ProductMemory } from '../memory.ts';
import { bothClaims, claimsOfFiles, clashOf, sameFamily, type Beside } from '../products/beside.ts';
import type { Claims, FreePorts } from '../products/instances.ts';
import type { Product, Settings } from '../products/product.ts';
import { placesOf } from '../products/service/places.ts';
import { scan } from './env-grammar.ts';
import { listenersOn, loopback } from './listener.ts';
import type { Scope } from './scope.ts';

const nothing: Claims = { ports: [], domains: [] };

/** Somebody who is not root is told so; whatever else keeps a neighbour's file from being read is the neighbour's trouble. */
function textAt({ host }: Scope, path: string): string | null {
  try {
    const bytes = host.readFile(path);
    return bytes === null ? null : Buffer.from(bytes).toString('utf8');
  } catch (error) {
    if (error instanceof InstallerError && error.code !== 'E_NOT_ROOT') return null;
    throw error;
  }
}

/** Valid settings in a neighbour's env file, defaults included; null where it is none of this product. */
function settingsOf(scope: Scope, { envFile, secrets, settings }: Product): Settings | null {
  const text = textAt(scope, envFile);
  if (text === null) return null;
  const values = new Map(scan(text).assignments.map(({ key, value }) => [key, value]));
  if (!secrets.some(({ name, optional }) => optional !== true && values.has(name))) return null;
  return Object.fromEntries(
    settings.flatMap((spec) => {
      const written = values.get(spec.key) ?? '';
      const valid = spec.validate(written === '' ? (spec.default ?? '') : written);
      return valid.ok && valid.value !== '' ? [[spec.key, valid.value] as const] : [];
    }),
  );
}

function claimsOnDisk(scope: Scope, name: string): Claims {
  const { socketFile, site, siteLink } = placesOf(name);
  const isServed = scope.host.lstat(siteLink) !== null;
  return claimsOfFiles(textAt(scope, socketFile), isServed ? textAt(scope, site) : null);
}

const isInstalled = ({ host }: Scope, name: string): boolean =>
  host.lstat(placesOf(name).serviceFile) !== null;

/** Has something of it been written, or do its secrets stand? What a purge has left is nothing. */
const isKnown = ({ baselines, secretsMade }: ProductMemory): boolean =>
  secretsMade ||
  Object.values(baselines)
    .flat()
    .some((hash) => hash !== '');

/** Names that journals know of, and of which instance each journal is. */
function inJournals(scope: Scope): readonly { readonly name: string; readonly instance: string | null }[] {
  const { product } = scope;
  const own = product.instances?.instance ?? null;
  const journals = [{ instance: own, memory: scope.memory() }, ...(scope.journalsBeside?.() ?? [])];
  return journals.flatMap(({ instance, memory }) => {
    const all: readonly (readonly [string, ProductMemory])[] = [
      ...(memory.product === null ? [] : [[memory.product, memory] as const]),
      ...Object.entries(memory.others),
    ];
    return all.flatMap(([name, known]) => (isKnown(known) ? [{ name, instance }] : []));
  });
}

/**
 * @returns the other installations of this host: those of the same product by their env files, all others by what the
 *   journals say of them
 * @throws InstallerError E_NOT_ROOT where this user may not look
 */
export function installationsBeside(scope: Scope): readonly Beside[] {
  const { host, product } = scope;
  const family = sameFamily(product, host.list('/etc') ?? []).flatMap((other): readonly Beside[] => {
    const { instances, name } = other;
    const settings = settingsOf(scope, other);
    const remembered = settings === null ? nothing : (instances?.claims(settings) ?? nothing);
    const installed = isInstalled(scope, name);
    if (settings === null && !installed) return [];
    const claims = bothClaims(remembered, claimsOnDisk(scope, name));
    return [
      { name, product: instances?.product ?? name, instance: instances?.instance ?? null, installed, claims },
    ];
  });
  const known = new Set([product.name, ...family.map(({ name }) => name)]);
  const others = inJournals(scope).flatMap(({ name, instance }): readonly Beside[] => {
    if (known.has(name)) return [];
    known.add(name);
    const suffix = `-${instance ?? ''}`;
    const family = instance !== null && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
    return [
      {
        name,
        product: family,
        instance,
        installed: isInstalled(scope, name),
        claims: claimsOnDisk(scope, name),
      },
    ];
  });
  return [...family, ...others];
}

const wordsOf = ({ name, instance }: Beside): string =>
  instance === null ? name : `${name} (--instance ${instance})`;

/** E_INSTANCE_CLASH where another installation has what these settings would take. */
export function mustNotClash(scope: Scope, settings: Settings): void {
  const { product } = scope;
  const { instances } = product;
  if (instances === undefined) return;
  const clash = clashOf(instances.claims(settings), installationsBeside(scope));
  if (clash === null) return;
  const { kind, value, beside } = clash;
  const values = kind === 'port' ? [value, String(Number(value) - 1)] : [value];
  const option = product.settings.find(({ key }) => values.includes(settings[key] ?? ''))?.option;
  const what = `${kind === 'port' ? 'Port' : 'The domain'} ${value} is taken by ${wordsOf(beside)}, which is installed on this host too`;
  const remedy = `Give another one${option === undefined ? '' : ` with --${option}`}; nothing was changed.`;
  throw new InstallerError('E_INSTANCE_CLASH', { what, remedy });
}

/**
 * A product `a-b` and the instance `b` of a product `a` have the same name, and so the same places, and journals that know
 * nothing of each other. E_INSTANCE_CLASH where the other one is there.
 */
export function mustBeOnlyOne(scope: Scope): void {
  const { product } = scope;
  const own = product.instances?.instance ?? null;
  const other = inJournals(scope).find(({ name, instance }) => name === product.name && instance !== own);
  if (other === undefined) return;
  const how = other.instance === null ? 'without --instance' : `with --instance ${other.instance}`;
  throw new InstallerError('E_INSTANCE_CLASH', {
    what: `${product.name} is installed on this host ${how}, so its places are taken`,
    remedy: `Run this ${how}, or give another name; nothing was changed.`,
  });
}

/** Which port an installation takes where nobody says so: the first that no other one has, and nobody listens on. */
export function freePortFor(scope: Scope, { key, from, count }: FreePorts): string {
  const taken = new Set(installationsBeside(scope).flatMap(({ claims }) => claims.ports));
  const isLive = scope.state.services === 'live';
  const isFree = (port: number): boolean =>
    !taken.has(port) && (!isLive || listenersOn(scope.host, port, loopback).length === 0);
  const last = 65_535;
  for (let first = from; first + count - 1 <= last; first += count) {
    if (Array.from({ length: count }, (_, at) => first + at).every(isFree)) return String(first);
  }
  throw new InstallerError('E_INSTANCE_CLASH', {
    what: `No port from ${from} upwards is free for ${key}`,
    remedy: 'Uninstall what is not needed any more; nothing was changed.',
  });
}
