/**
 * What values of settings may be, whichever product they belong to: what passes here is canonical, and harmless in an env
 * file, in a unit, in an nginx site and in a URL.
 */
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import type { Validated } from './product.ts';

export const ok = (value: string): Validated => ({ ok: true, value });
export const invalid = (why: string): Validated => ({ ok: false, why });

/** RFC 1035 label lengths with letters, digits and hyphens; what a certificate can name. */
const hostName =
  /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/u;

export function validateDomain(value: string): Validated {
  // Anything a URL parser would drop or turn into something else is not a name that a person meant.
  const plain = /^[\p{L}\p{M}\p{N}.-]+$/u.test(value);
  const name = domainToASCII(value).toLowerCase().replace(/\.$/u, '');
  if (plain && hostName.test(name)) return ok(name);
  // Asked of what is refused anyway: an address is no host name, and the first one asked about takes milliseconds.
  const problem = isIP(value) === 0 ? 'is not a host name' : 'is an address; a host name is needed';
  return invalid(`${show(value)} ${problem}, such as mcp.example.org`);
}

/** A value as it may stand in a sentence: short, on one line. */
export function show(value: string): string {
  const line = value.replace(/[^\x20-\x7e]/gu, '?');
  return `"${line.length > 80 ? `${line.slice(0, 80)}…` : line}"`;
}

/** Printable ASCII without what has a meaning in an env file or in nginx. */
const harmless = /^[\x21-\x7e]+$/u;
const harmful = /["'`\\${};<>|^]/u;

export function parseUrl(value: string): URL | null {
  if (!harmless.test(value) || harmful.test(value)) return null;
  try {
    const url = new URL(value);
    // A host name is decoded: what was harmless as it was written may have a quote in it now.
    return harmful.test(url.href) ? null : url;
  } catch {
    return null;
  }
}

/** RFC 8252: what never leaves this machine. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'));

/** An absolute path without blanks and quotes: nginx reads it from its configuration. */
export function validateFile(value: string): Validated {
  const plain =
    /^\/[A-Za-z0-9_@%+=:,./-]+$/u.test(value) && !value.split('/').includes('..') && !value.endsWith('/');
  return plain && value.length <= 4096
    ? ok(value.replace(/\/{2,}/gu, '/'))
    : invalid(`${show(value)} is not an absolute path of letters, digits and _@%+=:,.-/`);
}

export function validateFlag(value: string): Validated {
  if (['1', 'true', 'yes'].includes(value.toLowerCase())) return ok('1');
  if (['', '0', 'false', 'no'].includes(value.toLowerCase())) return ok('');
  return invalid(`${show(value)} is neither 1, true, yes nor 0, false, no`);
}
