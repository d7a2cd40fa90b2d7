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
import type { Names } from './names.ts';
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
function notIncluded(names: Names, view: HostView): DesiredResult | null {
  const lacks = (...paths: readonly string[]): boolean => paths.every((path) => isRead(view, path) === false);
  const missing = lacks(names.zones)
    ? '/etc/nginx/conf.d/*.conf'
    : lacks(names.siteLink, names.site)
      ? '/etc/nginx/sites-enabled/*'
      : null;
  return missing === null ? null : refusal('E_NOT_INCLUDED', { path: mainConfig, include: missing });
}

/** @returns how nginx serves, or E_NOT_INCLUDED, E_TLS_LOST, E_TLS_UNREADABLE: a rerun never takes TLS away */
export function variantFor(names: Names, { settings: values, given, view }: Input): Variant | DesiredResult {
  const unread = notIncluded(names, view);
  if (unread !== null) return unread;
  const domain = values['DOMAIN'];
  if (domain === undefined) return { kind: 'local' };
  const { TLS_CERT: cert, TLS_KEY: key = '' } = values;
  const current = view.readText(names.site) ?? '';
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

const siteLeftNote = (names: Names): Note => ({
  code: 'site-left',
  level: 'warning',
  text:
    `nginx still serves ${names.site} of an earlier run, which is no longer kept up to date. ` +
    `To remove it: rm ${names.siteLink} ${names.zones} && systemctl reload nginx`,
});

const probe = (names: Names, variant: Variant, port: number, marker: string): WebProbe => ({
  port: variant.kind === 'local' ? port + 1 : variant.kind === 'tls' ? 443 : 80,
  serverName: variant.kind === 'local' ? null : variant.domain,
  tls: variant.kind === 'tls',
  markerPath,
  marker,
  site: names.site,
  showsMarker: (text) => includesSnippet(text, names),
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

export function webOnDisk(names: Names, values: Settings, view: HostView): WebProbe | null {
  if (values['NO_NGINX'] === '1') return null;
  const [site, snippet] = [names.site, names.snippet].map((path) => view.readText(path) ?? '');
  const marker = markerOf(snippet!);
  if (marker === null || !includesSnippet(site!, names)) return null;
  const variant = variantOnDisk(values, site!, snippet!);
  return variant === null ? null : probe(names, variant, portOf(values), marker);
}

export type Web = Pick<Desired, 'files' | 'links' | 'leaves' | 'directories' | 'packages' | 'web' | 'notes'>;

export function webPart(names: Names, values: Settings, view: HostView, variant: Variant): Web {
  const port = portOf(values);
  const made = webFiles({ names, variant, port, ipv6: view.ipv6 });
  const common = { mode: 0o644, affects: ['web'] } as const;
  return {
    directories: webDirectories,
    // In the order in which each needs the one before: whoever reloads nginx in between must not find a gap.
    files: [
      {
        ...common,
        path: names.zones,
        role: 'nginx rate limits',
        content: bytes(made.zones),
        // Somebody's own site may stand under this name.
        unknown: 'ask',
        satisfiedBy: (text) => definesZones(text, names),
        tunable: true,
      },
      {
        ...common,
        path: names.snippet,
        role: 'nginx snippet',
        content: bytes(made.snippet),
        unknown: 'adopt',
      },
      {
        ...common,
        path: names.site,
        role: 'nginx site',
        content: bytes(made.site),
        unknown: 'keep',
        satisfiedBy: (text) => isSatisfiedBy(text, variant, names),
        isOurs: (text) => includesSnippet(text, names),
      },
    ],
    links: [
      {
        path: names.siteLink,
        target: names.site,
        role: 'enablement of the nginx site',
        affects: ['web'],
        unknown: 'keep',
      },
    ],
    packages: ['nginx'],
    web: probe(names, variant, port, made.marker),
    notes: variant.kind === 'pending' ? [pendingNote(variant.domain)] : [],
  };
}

/** nginx is left alone; a site of ours that it serves all the same is named. */
export function withoutWeb(names: Names, view: HostView): Web {
  const left = view.exists(names.siteLink) && includesSnippet(view.readText(names.site) ?? '', names);
  const notes = left ? [siteLeftNote(names)] : [];
  const leaves = [names.zones, names.snippet, names.site, names.siteLink];
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
