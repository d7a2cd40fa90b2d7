/** Who may ask for what: judged from the request line and headers alone, before anything is answered. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

export interface Asked {
  readonly method: string;
  /** As it stands in the request line. */
  readonly target: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
}

export type Verdict =
  /** Path below the capability, without the slash before it. */
  | { readonly status: 200; readonly route: string }
  | { readonly status: 403 | 404 | 405; readonly why: string };

/**
 * Names of this machine's loopback, with any port, since `ssh -L` may end at another one. A name that somebody has made
 * resolve to 127.0.0.1 is none of them: without this a page from anywhere could read what is served here.
 */
const loopback = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/iu;

/** Other users of this machine can connect, but not guess this. */
export const newCapability = (): string => randomBytes(18).toString('base64url');

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * @param capability the first part of every path
 * @param stately origin of the one page from elsewhere that may ask
 */
export function judge({ method, target, host, origin }: Asked, capability: string, stately: string): Verdict {
  if (host === undefined || !loopback.test(host))
    return { status: 403, why: 'This host is not served here.' };
  if (origin !== undefined && origin !== `http://${host}` && origin !== stately)
    return { status: 403, why: 'This origin may not ask.' };
  if (method !== 'GET') return { status: 405, why: 'Only GET.' };
  const [, first = '', route] = /^\/([^/?]*)(?:\/([^?]*))?(?:\?.*)?$/u.exec(target) ?? [];
  const mayKnow = timingSafeEqual(digest(first), digest(capability));
  return !mayKnow || route === undefined ? { status: 404, why: 'Nothing is here.' } : { status: 200, route };
}
