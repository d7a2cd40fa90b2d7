/**
 * Settings of mcp-oauth-proxy. A value passes here or nowhere: what comes out is canonical and harmless in the env file,
 * in an nginx site and in a URL, so templates need no second opinion.
 */
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import type { SettingSpec, Settings, Validated } from '../product.ts';

const ok = (value: string): Validated => ({ ok: true, value });
const invalid = (why: string): Validated => ({ ok: false, why });

/** RFC 1035 label lengths with letters, digits and hyphens; what a certificate can name. */
const hostName =
  /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/u;

function validateDomain(value: string): Validated {
  // Anything a URL parser would drop or turn into something else is not a name that a person meant.
  const plain = /^[\p{L}\p{M}\p{N}.-]+$/u.test(value);
  const name = plain ? domainToASCII(value).toLowerCase().replace(/\.$/u, '') : '';
  if (isIP(value) !== 0)
    return invalid(`${show(value)} is an address; a host name is needed, such as mcp.example.org`);
  return hostName.test(name)
    ? ok(name)
    : invalid(`${show(value)} is not a host name, such as mcp.example.org`);
}

/** A value as it may stand in a sentence: short, on one line. */
function show(value: string): string {
  const line = value.replace(/[^\x20-\x7e]/gu, '?');
  return `"${line.length > 80 ? `${line.slice(0, 80)}…` : line}"`;
}

/** Upper end: the port above it is the one of the loopback site. */
const ports = { lowest: 1024, highest: 65_534 };

function validatePort(value: string): Validated {
  const port = /^\d{1,5}$/u.test(value) ? Number(value) : 0;
  return port >= ports.lowest && port <= ports.highest
    ? ok(String(port))
    : invalid(`${show(value)} is not a port between ${ports.lowest} and ${ports.highest}`);
}

/** Printable ASCII without what has a meaning in an env file or in nginx. */
const harmless = /^[\x21-\x7e]+$/u;
const harmful = /["'`\\${};<>|^]/u;

function parseUrl(value: string): URL | null {
  if (!harmless.test(value) || harmful.test(value)) return null;
  try {
    return new URL(value);
  } catch {
    return null;
  }
}

/** RFC 8252: what never leaves this machine. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'));

function validateBackend(value: string): Validated {
  // Before anything is shown: what stands before the @ is a password.
  const url = parseUrl(value);
  if (/^[^/?#]*\/\/[^/?#]*@/u.test(value)) {
    return invalid('user name and password do not belong into a URL; the backend gets MCP_TOKEN');
  }
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    return invalid(`${show(value)} is not an http or https URL, such as http://127.0.0.1:8000/mcp`);
  }
  if (url.hash !== '') return invalid('a URL of a backend has no fragment (#…)');
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    return invalid(`${show(value)} is not on this machine, so it must be https: MCP_TOKEN is sent to it`);
  }
  return ok(url.href);
}

function validatePublicUrl(value: string): Validated {
  const url = parseUrl(value);
  const plain =
    url !== null && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (!plain || url.pathname !== '/' || !['http:', 'https:'].includes(url.protocol)) {
    return invalid(
      'it must be an origin without path, user name, query and fragment, such as https://mcp.example.org',
    );
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    return invalid(`${show(value)} must be https: OAuth clients refuse anything else`);
  }
  return ok(url.origin);
}

/** An absolute path without blanks and quotes: nginx reads it from its configuration. */
export function validateFile(value: string): Validated {
  const plain =
    /^\/[A-Za-z0-9_@%+=:,./-]+$/u.test(value) && !value.split('/').includes('..') && !value.endsWith('/');
  return plain && value.length <= 4096
    ? ok(value.replace(/\/{2,}/gu, '/'))
    : invalid(`${show(value)} is not an absolute path of letters, digits and _@%+=:,.-/`);
}

function validateRedirectUris(value: string): Validated {
  const uris = value.split(',').map((uri) => uri.trim());
  for (const uri of uris) {
    const url = parseUrl(uri);
    const secure = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname));
    if (url === null || !secure || url.hash !== '' || url.username !== '' || url.password !== '') {
      return invalid('it must be https URLs (http on loopback only) without fragment, separated by commas');
    }
  }
  return ok([...new Set(uris)].join(','));
}

function validateFlag(value: string): Validated {
  if (['1', 'true', 'yes'].includes(value.toLowerCase())) return ok('1');
  if (['', '0', 'false', 'no'].includes(value.toLowerCase())) return ok('');
  return invalid(`${show(value)} is neither 1, true, yes nor 0, false, no`);
}

/** RFC 6750 section 2.1, `b64token`; shorter ones can be guessed. */
export function validateBearer(value: string): Validated {
  return /^[A-Za-z0-9._~+/-]{16,4096}=*$/u.test(value)
    ? ok(value)
    : invalid(
        'it must hold one line of at least 16 of the characters A-Z a-z 0-9 . _ ~ + / - and nothing else',
      );
}

/** What systemd and dotenv read alike, as a person would type it; of bytes that a shell or a URL needs no care for. */
export function validatePassword(value: string): Validated {
  return /^[A-Za-z0-9._~+/=:,@%!?*-]{12,128}$/u.test(value)
    ? ok(value)
    : invalid(
        'it must hold one line of 12 to 128 of the characters A-Z a-z 0-9 . _ ~ + / = : , @ % ! ? * - and nothing else',
      );
}

export const settings: readonly SettingSpec[] = [
  {
    key: 'DOMAIN',
    option: 'domain',
    kind: 'text',
    placeholder: 'HOST',
    description: 'public host name; nginx answers to it',
    validate: validateDomain,
  },
  {
    key: 'LISTEN_PORT',
    option: 'port',
    kind: 'text',
    placeholder: 'N',
    description: 'loopback port of the service',
    default: '8083',
    validate: validatePort,
  },
  {
    key: 'BACKEND_URL',
    option: 'backend-url',
    kind: 'text',
    placeholder: 'URL',
    description: 'the MCP server behind the proxy',
    default: 'http://127.0.0.1:8000/mcp',
    validate: validateBackend,
  },
  {
    key: 'PUBLIC_URL',
    option: 'public-url',
    kind: 'text',
    placeholder: 'URL',
    description: 'origin that clients use, where it is not https://DOMAIN',
    validate: validatePublicUrl,
  },
  {
    key: 'TLS_CERT',
    option: 'tls-cert',
    kind: 'file',
    placeholder: 'FILE',
    description: "certificate chain (PEM); default: the domain's Let's Encrypt files, if they are there",
    validate: validateFile,
  },
  {
    key: 'TLS_KEY',
    option: 'tls-key',
    kind: 'file',
    placeholder: 'FILE',
    description: 'key of the certificate (PEM)',
    validate: validateFile,
  },
  {
    key: 'REDIRECT_URIS',
    option: 'redirect-uris',
    kind: 'text',
    placeholder: 'URL,…',
    description: 'more OAuth redirect URIs than those of Claude',
    validate: validateRedirectUris,
  },
  {
    key: 'INSECURE_HTTP',
    option: 'insecure-http',
    kind: 'flag',
    placeholder: '',
    description: 'serve a domain without TLS all the same',
    validate: validateFlag,
  },
  {
    key: 'NO_NGINX',
    option: 'no-nginx',
    kind: 'flag',
    placeholder: '',
    description: 'TLS ends elsewhere (tunnel, other web server): leave nginx alone',
    validate: validateFlag,
  },
];

export const portOf = (values: Settings): number => Number(values['LISTEN_PORT'] ?? '8083');

/** The origin that clients type; the service derives the same one from the same settings. */
export function publicUrl(values: Settings): string {
  const given = values['PUBLIC_URL'];
  if (given !== undefined) return given;
  const domain = values['DOMAIN'];
  if (domain !== undefined) return `${values['INSECURE_HTTP'] === '1' ? 'http' : 'https'}://${domain}`;
  return `http://127.0.0.1:${portOf(values) + 1}`;
}
