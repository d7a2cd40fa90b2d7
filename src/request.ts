/** What is asked of a run: the plain request, and the one judge of what a program or the command line asks for. */
import { InstallerError } from './errors.ts';
import { defaultRequest } from './machines/request.ts';
import type { Request } from './machines/types.ts';
import { mcpOauthProxy } from './products/mcp-oauth-proxy/index.ts';
import type { Product } from './products/product.ts';

/** What `install` without any option asks for. */
export const plainRequest: Request = defaultRequest(mcpOauthProxy.name);

/**
 * What a program asks for: the request, and the secrets and the code that it brings along, which stay out of the
 * request.
 */
export interface Asked {
  /** What is asked for; what is left out is as in `plainRequest`. */
  readonly request?: Partial<Request>;
  /** Values of secrets that the user supplies, by name. */
  readonly supplied?: ReadonlyMap<string, string>;
  /** Code to install instead of the bundled one. */
  readonly source?: Uint8Array;
}

const wrong = (what: string): InstallerError => new InstallerError('E_USAGE', { what });

/** What `unset` may name: settings and optional secrets. */
export const unsettable = ({ settings, secrets }: Product): readonly string[] => [
  ...settings.map(({ key }) => key),
  ...secrets.filter(({ optional }) => optional === true).map(({ name }) => name),
];

function mustBeKnown(names: readonly string[], known: readonly string[], where: string): void {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw wrong(`${where} names ${JSON.stringify(unknown)}; valid: ${known.join(', ')}.`);
}

function validSettings(settings: Request['settings'], product: Product): Request['settings'] {
  mustBeKnown(
    Object.keys(settings),
    product.settings.map(({ key }) => key),
    'request.settings',
  );
  return Object.fromEntries(
    product.settings.flatMap((spec) => {
      const value = settings[spec.key];
      if (value === undefined) return [];
      const valid = spec.validate(value);
      if (!valid.ok) throw wrong(`${spec.key}: ${valid.why}.`);
      return [[spec.key, valid.value] as const];
    }),
  );
}

function mustBeValid(supplied: ReadonlyMap<string, string>, product: Product): void {
  for (const [name, value] of supplied) {
    const valid = product.secrets.find((secret) => secret.name === name)?.validate?.(value);
    if (valid?.ok === false) throw wrong(`The supplied ${name}: ${valid.why}.`);
  }
}

/** Optional secrets: what is never generated is only replaced by what is brought along, and not removed at once. */
function mustNotContradict(
  { rotate, unset }: Request,
  supplied: ReadonlyMap<string, string>,
  product: Product,
): void {
  for (const secret of product.secrets) {
    const { name } = secret;
    if (secret.optional !== true) continue;
    const forgotten = unset.includes(name);
    if (forgotten && supplied.has(name)) throw wrong(`--unset ${name} contradicts the value given for it.`);
    if (typeof rotate === 'string' || !rotate.includes(name)) continue;
    if (forgotten) throw wrong(`--unset ${name} contradicts its rotation.`);
    if (supplied.has(name)) continue;
    throw new InstallerError('E_USAGE', {
      what: `${name} is never generated, so to rotate it needs a new value.`,
      remedy: `Add --${secret.fileOption} FILE; or, to have none any more, --unset ${name} instead.`,
    });
  }
}

/** What an image must not hold cannot be asked for: its secrets are made by the hosts that come of it. */
function mustBeImageable({ image, rotate, undo }: Request, supplied: ReadonlyMap<string, string>): void {
  if (!image) return;
  const [name] = supplied.keys();
  if (name !== undefined)
    throw new InstallerError('E_USAGE', {
      what: `An image holds no secrets, so ${name} cannot be given for it.`,
      remedy: 'Give it to each host: run the installer there with that file, after its first boot.',
    });
  if (rotate !== 'none') throw wrong('An image holds no secrets, so there are none to rotate.');
  if (undo !== null) throw wrong('request.image is for an installation; it cannot be undone as an image.');
}

/**
 * @returns the whole request, settings in their canonical spelling
 * @throws InstallerError E_USAGE for a name that the product does not have, an invalid value, or a contradiction
 */
export function requestOf(asked: Asked, product: Product): Request {
  const supplied = asked.supplied ?? new Map<string, string>();
  const names = product.secrets.map(({ name }) => name);
  const source = asked.source === undefined ? 'kept' : 'file';
  // One that is given as undefined is one that is not given.
  const named = Object.entries<unknown>(asked.request ?? {}).filter(([, value]) => value !== undefined);
  const given: Request = { ...plainRequest, source, ...(Object.fromEntries(named) as Partial<Request>) };
  if (typeof given.rotate !== 'string') {
    mustBeKnown(given.rotate, names, 'request.rotate');
    if (given.rotate.length === 0) throw wrong("request.rotate names no secret; 'none' rotates none.");
  }
  mustBeKnown(given.unset, unsettable(product), 'request.unset');
  mustBeKnown([...supplied.keys()], names, 'supplied');
  mustBeValid(supplied, product);
  mustNotContradict(given, supplied, product);
  mustBeImageable(given, supplied);
  if (given.source !== 'kept' && product.codeFile === null)
    throw wrong(`${product.name} has no code that another one could be installed instead of.`);
  if ((given.source === 'file') !== (asked.source !== undefined))
    throw wrong("source and request.source 'file' belong together; one of them is missing.");
  return {
    ...given,
    product: product.name,
    settings: validSettings(given.settings, product),
    supplied: [...supplied.keys()],
  };
}
