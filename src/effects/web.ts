/** Asking nginx, on loopback, which configuration it serves and whether the service answers through it. */
import { X509Certificate } from 'node:crypto';
import { posix } from 'node:path';
import { InstallerError } from '../errors.ts';
import type { HostView, WebProbe } from '../products/product.ts';
import type { HostReads, HttpAnswer } from './host/port.ts';
import type { Scope } from './scope.ts';

/** As many as the kernel follows. */
const maxLinks = 40;

/** Where links lead to, inside the root; null where nothing is. E_PATH_UNSAFE where the way cannot be trusted. */
function followed(host: HostReads, path: string): string | null {
  let at = path;
  for (let links = 0; links <= maxLinks; links += 1) {
    const status = host.lstat(at);
    const target = status?.type === 'link' ? host.readLink(at) : null;
    if (target === null) return status === null ? null : at;
    at = posix.resolve(posix.dirname(at), target);
  }
  return null;
}

/** Files that only nginx reads: there, not there, or why that cannot be told. */
export function fileAt(host: HostReads, path: string): ReturnType<HostView['fileAt']> {
  if (host.isFile(path)) return 'file';
  try {
    return followed(host, path) === null ? 'missing' : { why: 'it is not a regular file' };
  } catch (error) {
    if (error instanceof InstallerError) return { why: error.message.replace(/\.$/u, '') };
    throw error;
  }
}

/** Bytes of other software's file, links followed inside the root; null where there is none to read. */
export function foreignBytes(host: HostReads, path: string): Uint8Array | null {
  try {
    const file = followed(host, path);
    return file === null ? null : host.readFile(file);
  } catch {
    return null;
  }
}

/** The first certificate in these bytes, PEM or DER; null where there is none to read. */
export function certificateIn(bytes: Uint8Array | null | undefined): X509Certificate | null {
  try {
    return bytes == null ? null : new X509Certificate(bytes);
  } catch {
    return null;
  }
}

const fingerprintOf = (host: HostReads, path: string): string | null =>
  certificateIn(foreignBytes(host, path))?.fingerprint256 ?? null;

export interface WebQuestion {
  readonly path: string;
  readonly address?: string;
  readonly timeout?: number;
}

export function askThroughWeb(
  host: HostReads,
  web: WebProbe,
  { path, address = '127.0.0.1', timeout = 5_000 }: WebQuestion,
): Promise<HttpAnswer> {
  return host.http({
    address,
    port: web.port,
    path,
    headers: web.serverName === null ? { host: 'localhost' } : { host: web.serverName },
    ...(web.tls && web.serverName !== null ? { tls: { serverName: web.serverName, judged: false } } : {}),
    timeout,
  });
}

/** IPv4 addresses of this host besides loopback, as the kernel lists them in its routing tables. */
function ownAddresses(host: HostReads): readonly string[] {
  const tables = Buffer.from(host.readSystem('/proc/net/fib_trie') ?? []).toString('latin1');
  const found = [...tables.matchAll(/\|-- ([\d.]+)\n\s*\/32 host LOCAL/gu)].map(([, address]) => address!);
  return [...new Set(found)].filter((address) => !address.startsWith('127.'));
}

/**
 * Addresses of this host on which something else answers for the domain: a `listen` with an address of its own takes
 * precedence over one without. Where nothing answers, nothing is known.
 */
export async function addressesTaken(
  host: HostReads,
  web: WebProbe,
  timeout?: number,
): Promise<readonly string[]> {
  if (web.serverName === null) return [];
  const asked = ownAddresses(host).map(async (address) => {
    const answer = await askThroughWeb(host, web, {
      path: web.markerPath,
      address,
      ...(timeout === undefined ? {} : { timeout }),
    });
    const ours = !answer.ok || (answer.status === 200 && answer.body.trim() === web.marker);
    return ours ? [] : [address];
  });
  return (await Promise.all(asked)).flat();
}

/** What nginx serves, measured by what is on disk. */
export type Served = 'current' | 'older certificate' | 'older' | 'nothing';

export async function servedBy(host: HostReads, web: WebProbe, timeout?: number): Promise<Served> {
  const answer = await askThroughWeb(host, web, {
    path: web.markerPath,
    ...(timeout === undefined ? {} : { timeout }),
  });
  if (!answer.ok || answer.status !== 200) return 'nothing';
  if (answer.body.trim() !== web.marker) return 'older';
  const onDisk = web.certificate === null ? null : fingerprintOf(host, web.certificate);
  const unknown = onDisk === null || answer.certificate === undefined;
  return unknown || answer.certificate === onDisk ? 'current' : 'older certificate';
}

/** Why nginx has to be told although no file of ours changed. */
export const renewed = (web: WebProbe): string => `${web.certificate ?? ''} is newer than what is served`;

/** Is the site, its snippet or what stands in place of its link a person's? Then it is theirs to answer for. */
export function isSiteKept({ state }: Scope): boolean {
  const files = (state.desired?.files ?? []).filter(({ tunable }) => tunable !== true);
  const managed = [...files, ...(state.desired?.links ?? [])];
  const places = managed.filter(({ affects }) => affects.includes('web')).map(({ path }) => path);
  return state.kept.some(({ path }) => places.includes(path));
}

/** A person's site can be asked for the marker where it includes the snippet. */
export function showsMarker(host: HostReads, web: WebProbe): boolean {
  const bytes = host.readFile(web.site);
  return bytes !== null && web.showsMarker(Buffer.from(bytes).toString('utf8'));
}
