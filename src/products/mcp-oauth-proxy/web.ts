/** How nginx serves the service: with which certificate, by which files, and how that is asked for. */
import type { Note } from '../../machines/types.ts';
import type {
  Desired,
  DesiredDirectory,
  DesiredResult,
  HostView,
  Product,
  Settings,
  WebProbe,
} from '../product.ts';
import { product } from './names.ts';
import {
  acmeRoot,
  certificateOf,
  definesZones,
  hasCertificate,
  includesSnippet,
  isSatisfiedBy,
  isWaiting,
  servesDomain,
  webFiles,
  type Certificate,
  type Variant,
} from './nginx.ts';
import { isRead, mainConfig } from './nginx-includes.ts';
import { markerOf, markerPath } from '../nginx-marker.ts';
import { validateFile } from '../validators.ts';
import { portOf } from './settings.ts';

export type Input = Parameters<Product['desired']>[0];

const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');

const letsEncrypt = (domain: string): Certificate => ({
  cert: `/etc/letsencrypt/live/${domain}/fullchain.pem`,
  key: `/etc/letsencrypt/live/${domain}/privkey.pem`,
});

export const refusal = (
  code: 'E_USAGE' | 'E_TLS_LOST' | 'E_TLS_UNREADABLE' | 'E_NOT_INCLUDED',
  values: Readonly<Record<string, string>>,
): DesiredResult => ({
  ok: false,
  code,
  values,
});

/** The certificate of the site as it is, where that is one that a new site could name as well. */
function certificateServed(site: string): readonly Certificate[] {
  const served = certificateOf(site);
  return served !== null && [served.cert, served.key].every((path) => validateFile(path).ok) ? [served] : [];
}

/**
 * Debian's nginx.conf reads both directories; one that a person or another packager wrote may not. A site that is read
 * by its own name is as good as its link.
 */
function notIncluded(view: HostView): DesiredResult | null {
  const lacks = (...paths: readonly string[]): boolean => paths.every((path) => isRead(view, path) === false);
  const missing = lacks(product.zones)
    ? '/etc/nginx/conf.d/*.conf'
    : lacks(product.siteLink, product.site)
      ? '/etc/nginx/sites-enabled/*'
      : null;
  return missing === null ? null : refusal('E_NOT_INCLUDED', { path: mainConfig, include: missing });
}

/** @returns how nginx serves, or E_NOT_INCLUDED, E_TLS_LOST, E_TLS_UNREADABLE: a rerun never takes TLS away */
export function variantFor({ settings: values, given, view }: Input): Variant | DesiredResult {
  const unread = notIncluded(view);
  if (unread !== null) return unread;
  const domain = values['DOMAIN'];
  if (domain === undefined) return { kind: 'local' };
  const { TLS_CERT: cert, TLS_KEY: key = '' } = values;
  const current = view.readText(product.site) ?? '';
  const served = servesDomain(current, domain);
  const hadTls = cert !== undefined || (served && hasCertificate(current));
  const givenUp = given['INSECURE_HTTP'] === '1';
  // certbot may have put another certificate into the site than the one that bears the domain's name.
  const own = served && !givenUp ? certificateServed(current) : [];
  const candidates = cert === undefined ? [letsEncrypt(domain), ...own] : [{ cert, key }];
  const looked = candidates.map((files) => ({
    files,
    found: [files.cert, files.key].map((path) => ({ path, is: view.fileAt(path) })),
  }));
  const whole = looked.find(({ found }) => found.every(({ is }) => is === 'file'));
  if (whole !== undefined) return { kind: 'tls', domain, ...whole.files };
  if (givenUp) return { kind: 'insecure', domain };
  const insecure = values['INSECURE_HTTP'] === '1' && !hadTls;
  if (insecure) return { kind: 'insecure', domain };
  for (const { path, is } of looked.flatMap(({ found }) => found)) {
    if (typeof is === 'object') return refusal('E_TLS_UNREADABLE', { path, why: is.why });
  }
  const gone = looked.at(-1)?.found.find(({ is }) => is === 'missing')?.path ?? letsEncrypt(domain).cert;
  return hadTls ? refusal('E_TLS_LOST', { path: gone }) : { kind: 'pending', domain };
}

const webDirectories: readonly DesiredDirectory[] = [
  '/etc/nginx',
  '/etc/nginx/conf.d',
  '/etc/nginx/sites-available',
  '/etc/nginx/sites-enabled',
  '/etc/nginx/snippets',
].map((path) => ({ path, mode: 0o755, shared: true, providedBy: 'nginx' }));

const pendingNote = (domain: string): Note => ({
  code: 'certificate-missing',
  level: 'warning',
  text:
    `There is no certificate for ${domain} yet, so nginx answers 503 there. ` +
    `Get one with: certbot certonly --webroot -w ${acmeRoot} -d ${domain} --deploy-hook "systemctl reload nginx" ; then run this again.`,
});

const siteLeftNote: Note = {
  code: 'site-left',
  level: 'warning',
  text:
    `nginx still serves ${product.site} of an earlier run, which is no longer kept up to date. ` +
    `To remove it: rm ${product.siteLink} ${product.zones} && systemctl reload nginx`,
};

const probe = (variant: Variant, port: number, marker: string): WebProbe => ({
  port: variant.kind === 'local' ? port + 1 : variant.kind === 'tls' ? 443 : 80,
  serverName: variant.kind === 'local' ? null : variant.domain,
  tls: variant.kind === 'tls',
  markerPath,
  marker,
  site: product.site,
  showsMarker: includesSnippet,
  certificate: variant.kind === 'tls' ? variant.cert : null,
  healthStatus: variant.kind === 'pending' ? 503 : 200,
});

/** The variant that a site is, as far as its text tells. */
function variantOnDisk(values: Settings, site: string, snippet: string): Variant | null {
  const domain = values['DOMAIN'];
  if (domain === undefined) return { kind: 'local' };
  if (!servesDomain(site, domain)) return null;
  if (hasCertificate(site)) {
    const certificate = certificateOf(site);
    return certificate === null ? null : { kind: 'tls', domain, ...certificate };
  }
  return { kind: isWaiting(snippet) ? 'pending' : 'insecure', domain };
}

export function webOnDisk(values: Settings, view: HostView): WebProbe | null {
  if (values['NO_NGINX'] === '1') return null;
  const [site, snippet] = [product.site, product.snippet].map((path) => view.readText(path) ?? '');
  const marker = markerOf(snippet!);
  if (marker === null || !includesSnippet(site!)) return null;
  const variant = variantOnDisk(values, site!, snippet!);
  return variant === null ? null : probe(variant, portOf(values), marker);
}

export type Web = Pick<Desired, 'files' | 'links' | 'leaves' | 'directories' | 'packages' | 'web' | 'notes'>;

export function webPart(values: Settings, view: HostView, variant: Variant): Web {
  const port = portOf(values);
  const made = webFiles({ variant, port, ipv6: view.ipv6 });
  const common = { mode: 0o644, affects: ['web'] } as const;
  return {
    directories: webDirectories,
    // In the order in which each needs the one before: whoever reloads nginx in between must not find a gap.
    files: [
      {
        ...common,
        path: product.zones,
        role: 'nginx rate limits',
        content: bytes(made.zones),
        // Somebody's own site may stand under this name.
        unknown: 'ask',
        satisfiedBy: definesZones,
        tunable: true,
      },
      {
        ...common,
        path: product.snippet,
        role: 'nginx snippet',
        content: bytes(made.snippet),
        unknown: 'adopt',
      },
      {
        ...common,
        path: product.site,
        role: 'nginx site',
        content: bytes(made.site),
        unknown: 'keep',
        satisfiedBy: (text) => isSatisfiedBy(text, variant),
        isOurs: includesSnippet,
      },
    ],
    links: [
      {
        path: product.siteLink,
        target: product.site,
        role: 'enablement of the nginx site',
        affects: ['web'],
        unknown: 'keep',
      },
    ],
    packages: ['nginx'],
    web: probe(variant, port, made.marker),
    notes: variant.kind === 'pending' ? [pendingNote(variant.domain)] : [],
  };
}

/** nginx is left alone; a site of ours that it serves all the same is named. */
export function withoutWeb(view: HostView): Web {
  const left = view.exists(product.siteLink) && includesSnippet(view.readText(product.site) ?? '');
  const notes = left ? [siteLeftNote] : [];
  const leaves = [product.zones, product.snippet, product.site, product.siteLink];
  return { directories: [], files: [], links: [], leaves, packages: [], web: null, notes };
}

const tlsNote = (domain: string): Note => ({
  code: 'insecure-http-forgotten',
  level: 'info',
  text: `There is a certificate for ${domain}, so it is served with TLS and INSECURE_HTTP is forgotten.`,
});

/** What is served with TLS is not remembered as served without: the service's own address follows from it too. */
export function withTls(values: Settings): { readonly settings: Settings; readonly notes: readonly Note[] } {
  const { INSECURE_HTTP: insecure, ...others } = values;
  return insecure === undefined
    ? { settings: values, notes: [] }
    : { settings: others, notes: [tlsNote(values['DOMAIN'] ?? '')] };
}
