/**
 * The nginx site, which a person or certbot may edit; the snippet that it includes, which is the installer's own; and the
 * zones of the snippet's rate limits, which nginx takes outside of a site only. They stand in a file of their own, under
 * names of our own, since a site that is kept would lack them.
 *
 * Only values that passed the settings' validators stand in them: host names, port numbers, paths without blanks.
 * Left out on purpose: an `http2` directive, which other sites of the host may set differently.
 */
import { createHash } from 'node:crypto';
import { marking, withoutComments } from '../nginx-marker.ts';
import type { Names } from './names.ts';

export type Variant =
  /** No domain: loopback only, on the port above the service's. */
  | { readonly kind: 'local' }
  | { readonly kind: 'tls'; readonly domain: string; readonly cert: string; readonly key: string }
  /** A domain whose certificate is still to come: ACME challenges are answered, the rest is 503. */
  | { readonly kind: 'pending'; readonly domain: string }
  | { readonly kind: 'insecure'; readonly domain: string };

export interface WebOptions {
  readonly names: Names;
  readonly variant: Variant;
  /** Loopback port of the service. */
  readonly port: number;
  readonly ipv6: boolean;
}

/** Where Debian's nginx serves its default page, and where `certbot --webroot` is told to put challenges. */
export const acmeRoot = '/var/www/html';

const header = (words: string): string => `# Written by mcp-installer. ${words}\n`;

const listen = (port: number, ipv6: boolean, words = ''): string =>
  [`    listen ${port}${words};`, ...(ipv6 ? [`    listen [::]:${port}${words};`] : [])].join('\n');

const acme = `    location ^~ /.well-known/acme-challenge/ {
        root ${acmeRoot};
        default_type text/plain;
    }`;

function servers({ names, variant, port, ipv6 }: WebOptions): string {
  const include = `    include ${names.snippet};`;
  switch (variant.kind) {
    case 'local':
      return `server {
    listen 127.0.0.1:${port + 1};
    server_name localhost;
${include}
}
`;
    case 'pending':
    case 'insecure':
      return `server {
${listen(80, ipv6)}
    server_name ${variant.domain};
${acme}
${include}
}
`;
    case 'tls':
      return `server {
${listen(80, ipv6)}
    server_name ${variant.domain};
${acme}
    location / {
        return 308 https://${variant.domain}$request_uri;
    }
}

server {
${listen(443, ipv6, ' ssl')}
    server_name ${variant.domain};
    ssl_certificate ${variant.cert};
    ssl_certificate_key ${variant.key};
    ssl_protocols TLSv1.2 TLSv1.3;
${include}
}
`;
  }
}

const site = (options: WebOptions): string =>
  `${header('Edit it if you like (certbot does): an edit is noticed and kept.')}${servers(options)}`;

/** A person may tune the rates; the snippet relies on the names. */
const zones = ({
  zonePrefix,
  clientVariable,
}: Names): string => `# Tries a second for each client; of IPv6 a whole network (/64) is one. An edit is noticed and kept.
map $binary_remote_addr $${clientVariable} {
    default $binary_remote_addr;
    "~(?s)^(.{8}).{8}$" $1;
}
limit_req_zone $${clientVariable} zone=${zonePrefix}_token:1m rate=2r/s;
limit_req_zone $${clientVariable} zone=${zonePrefix}_authorize:1m rate=1r/s;
`;

/** Both zones, whatever their rates are. */
export const definesZones = (text: string, { zonePrefix }: Names): boolean =>
  ['token', 'authorize'].every((name) =>
    new RegExp(`\\blimit_req_zone\\s[^;]*\\szone=${zonePrefix}_${name}:`, 'u').test(withoutComments(text)),
  );

/** RFC 6749 section 5.2. */
const oauthError = (error: string, description: string): string =>
  JSON.stringify({ error, error_description: description });

/** JSON-RPC 2.0 section 5.1; -32000 and below are an implementation's own. */
const rpcError = (message: string): string =>
  JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32000, message } });

/** What nginx answers by itself. The status is the one that led here, whatever `return` says. */
const answer = (name: string, body: string, headers = ''): string => `location @mcp_oauth_proxy_${name} {
    types { }
    default_type application/json;
    add_header Cache-Control no-store always;
${headers}    return 200 '${body}';
}
`;

const tooLarge = 'The request is larger than 4 MiB.';
const unavailable = 'The service does not answer.';

const answers = [
  answer(
    'limited',
    oauthError('temporarily_unavailable', 'Too many requests. Try again in a few seconds.'),
    '    add_header Retry-After 5 always;\n',
  ),
  answer('too_large', oauthError('invalid_request', tooLarge)),
  answer('unavailable', oauthError('temporarily_unavailable', unavailable)),
  answer('rpc_too_large', rpcError(tooLarge)),
  answer('rpc_unavailable', rpcError(unavailable)),
].join('\n');

const limited = (
  zone: string,
  name: string,
  burst: number,
  port: number,
): string => `    location = /${name} {
        limit_req zone=${zone}_${name} burst=${burst} nodelay;
        proxy_pass http://127.0.0.1:${port};
    }`;

/**
 * The locations inside of the first one inherit what it says, but for `proxy_pass`. Nothing more than before stands
 * outside of it: what a person's site says there itself must not be said twice.
 *
 * `proxy_pass` without a path hands on what the client sent, byte for byte.
 */
const forwarding = (port: number, { zonePrefix: zone }: Names): string => `client_max_body_size 4m;
# The service is less patient, and says so.
client_body_timeout 70s;

location / {
    proxy_pass http://127.0.0.1:${port};
    proxy_http_version 1.1;
    proxy_set_header Host $host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header Connection "";
    proxy_connect_timeout 5s;
    # Streams stay open and are passed on as they come.
    proxy_read_timeout 1h;
    proxy_send_timeout 1h;
    proxy_buffering off;
    proxy_request_buffering off;
    proxy_redirect off;

    # What the service answers passes unchanged; what nginx answers by itself is JSON as well.
    proxy_intercept_errors off;
    limit_req_status 429;
    error_page 429 @mcp_oauth_proxy_limited;
    error_page 413 @mcp_oauth_proxy_too_large;
    error_page 502 504 @mcp_oauth_proxy_unavailable;

${limited(zone, 'token', 20, port)}

${limited(zone, 'authorize', 10, port)}

    location = /mcp {
        error_page 413 @mcp_oauth_proxy_rpc_too_large;
        error_page 502 504 @mcp_oauth_proxy_rpc_unavailable;
        proxy_pass http://127.0.0.1:${port};
    }
}

${answers}`;

const waiting = `location / {
    default_type text/plain;
    return 503 "The certificate of this site is still to come.\\n";
}
`;

/** Does it wait for a certificate, and forward nothing? */
export const isWaiting = (snippet: string): boolean => !/\sproxy_pass\s/u.test(withoutComments(snippet));

export interface WebFiles {
  readonly zones: string;
  readonly site: string;
  readonly snippet: string;
  /** First 16 hex digits of a sha256 over the files: another configuration has another marker. */
  readonly marker: string;
}

export function webFiles(options: WebOptions): WebFiles {
  const { names } = options;
  const text = site(options);
  const body = options.variant.kind === 'pending' ? waiting : forwarding(options.port, names);
  const limits = zones(names);
  const marker = createHash('sha256').update(limits).update(text).update(body).digest('hex').slice(0, 16);
  const words = 'It is replaced by the installer: edit the site that includes it instead.';
  return {
    zones: `${header(`The zones of the rate limits in ${names.snippet}.`)}${limits}`,
    site: text,
    snippet: `${header(words)}${marking(marker)}\n${body}`,
    marker,
  };
}

export const servesDomain = (text: string, domain: string): boolean =>
  [...withoutComments(text).matchAll(/\bserver_name\s+([^;]+);/gu)].some(([, names]) =>
    names!.split(/\s+/u).includes(domain),
  );

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

const fileOf = (text: string, directive: string): string | null =>
  new RegExp(`(?:^|[\\s;{])${directive}\\s+["']?(/[^\\s"';]+)["']?\\s*;`, 'u').exec(text)?.[1] ?? null;

/** The first certificate that a site serves; null where it names none by its path. */
export function certificateOf(site: string): Certificate | null {
  const text = withoutComments(site);
  const [cert, key] = [fileOf(text, 'ssl_certificate'), fileOf(text, 'ssl_certificate_key')];
  return cert === null || key === null ? null : { cert, key };
}

export const hasCertificate = (text: string): boolean =>
  /(?:^|[\s;{])ssl_certificate\s/u.test(withoutComments(text));

/** By its whole path, or by the one below nginx's own directory. */
export function includesSnippet(text: string, { snippet }: Names): boolean {
  const path = snippet.replace('/etc/nginx/', '').replaceAll('.', '\\.');
  return new RegExp(`(?:^|[\\s;{])include\\s+["']?(?:/etc/nginx/)?${path}["']?\\s*;`, 'u').test(
    withoutComments(text),
  );
}

/** Does a site that a person edited already do what a new one would: same names, same TLS, our snippet? */
export function isSatisfiedBy(text: string, variant: Variant, names: Names): boolean {
  if (!includesSnippet(text, names)) return false;
  if (variant.kind === 'local') return false;
  return servesDomain(text, variant.domain) && (variant.kind !== 'tls' || hasCertificate(text));
}
