/**
 * Settings of mcp-oauth-proxy. A value passes here or nowhere: what comes out is canonical and harmless in the env file,
 * in an nginx site and in a URL, so templates need no second opinion.
 */
import type { SettingSpec, Settings, Validated } from '../product.ts';
import {
  invalid,
  isLoopback,
  ok,
  parseUrl,
  show,
  validateDomain,
  validateFile,
  validateFlag,
} from '../validators.ts';

/** Upper end: the port above it is the one of the loopback site. */
const ports = { lowest: 1024, highest: 65_534 };

function validatePort(value: string): Validated {
  const port = /^\d{1,5}$/u.test(value) ? Number(value) : 0;
  return port >= ports.lowest && port <= ports.highest
    ? ok(String(port))
    : invalid(`${show(value)} is not a port between ${ports.lowest} and ${ports.highest}`);
}

function validateBackend(value: string): Validated {
  // Before anything is shown: what stands before the @ is a password.
  const url = parseUrl(value);
  const named = url !== null && (url.username !== '' || url.password !== '');
  // Parsers also find a user behind more slashes than two, or fewer; and none in `//@`, which is no address either.
  if (named || /^[^/?#]*\/\/[^/?#]*@/u.test(value)) {
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

function validateRedirectUris(value: string): Validated {
  const uris = value.split(',').map((uri) => uri.trim());
  for (const uri of uris) {
    const url = parseUrl(uri);
    const secure = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname));
    const plain = url?.hash === '' && url.username === '' && url.password === '';
    if (!secure || !plain) {
      return invalid('it must be https URLs (http on loopback only) without fragment, separated by commas');
    }
  }
  return ok([...new Set(uris)].join(','));
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

const plainPort = '8083';

const port: SettingSpec = {
  key: 'LISTEN_PORT',
  option: 'port',
  kind: 'text',
  placeholder: 'N',
  description: 'loopback port of the service',
  validate: validatePort,
};

export const settings: readonly SettingSpec[] = [
  {
    key: 'DOMAIN',
    option: 'domain',
    kind: 'text',
    placeholder: 'HOST',
    description: 'public host name; nginx answers to it',
    validate: validateDomain,
  },
  { ...port, default: plainPort },
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

/** Those of an instance: its port has no default, since the plain installation has taken that one. */
export const settingsOfInstance: readonly SettingSpec[] = settings.map((spec) =>
  spec.key === port.key ? port : spec,
);

export const portOf = (values: Settings): number => Number(values['LISTEN_PORT'] ?? plainPort);

/** The origin that clients type; the service derives the same one from the same settings. */
export function publicUrl(values: Settings): string {
  const given = values['PUBLIC_URL'];
  if (given !== undefined) return given;
  const domain = values['DOMAIN'];
  if (domain !== undefined) return `${values['INSECURE_HTTP'] === '1' ? 'http' : 'https'}://${domain}`;
  return `http://127.0.0.1:${portOf(values) + 1}`;
}
