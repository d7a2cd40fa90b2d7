/** What the inspector serves below its capability, and the headers that it is served with. */
import { statelyCss, statelyHtml, statelyJs } from './stately-page.ts';

export interface Page {
  readonly type: string;
  readonly body: string;
  /** Content-Security-Policy. */
  readonly policy: string;
}

const policyWith = (...more: readonly string[]): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    ...more,
  ].join('; ');

const strict = policyWith();

const html = 'text/html; charset=utf-8';
const css = 'text/css; charset=utf-8';
const javascript = 'text/javascript; charset=utf-8';

/** @returns null where there is no such page */
export async function pageOf(route: string, stately: URL): Promise<Page | null> {
  switch (route) {
    case 'stately':
      return { type: html, body: statelyHtml(stately), policy: policyWith(`frame-src ${stately.origin}`) };
    case 'stately.js':
      return { type: javascript, body: statelyJs, policy: strict };
    case 'stately.css':
      return { type: css, body: statelyCss, policy: strict };
    case '':
    case 'viewer.js':
    case 'viewer.css': {
      const { viewerAssets } = await import('../viewer/assets.ts');
      const assets = viewerAssets();
      if (route === '') return { type: html, body: assets.html, policy: strict };
      return route === 'viewer.js'
        ? { type: javascript, body: assets.js, policy: strict }
        : { type: css, body: assets.css, policy: strict };
    }
    default:
      return null;
  }
}

/** Of everything that is served. The address holds the capability, so it goes nowhere. */
export const commonHeaders = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
} as const;
