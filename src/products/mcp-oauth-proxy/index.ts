/** mcp-oauth-proxy as data: what stands where, made from settings. */
import type { Note } from '../../machines/types.ts';
import type {
  Desired,
  DesiredDirectory,
  DesiredFile,
  DesiredLink,
  DesiredResult,
  HostView,
  Product,
  SecretSpec,
  Settings,
} from '../product.ts';
import { product, traces } from './names.ts';
import {
  acmeRoot,
  certificateOf,
  hasCertificate,
  includesSnippet,
  isSatisfiedBy,
  markerPath,
  servesDomain,
  webFiles,
  type Certificate,
  type Variant,
} from './nginx.ts';
import bundledCode from './oauth_proxy.py';
import { proveRotation } from './rotation.ts';
import { isLoopback, portOf, publicUrl, settings, validateBearer, validateFile } from './settings.ts';
import { serviceUnit, socketUnit } from './units.ts';

const reconnect = 'Every client has to be given the new value and to reconnect.';

const secrets: readonly SecretSpec[] = [
  {
    name: 'MCP_TOKEN',
    bytes: 32,
    purpose: 'bearer that the proxy shows to the MCP server behind it',
    afterRotation: 'The MCP server behind the proxy has to be given the new value.',
    fileOption: 'mcp-token-file',
    validate: validateBearer,
  },
  {
    name: 'CLIENT_ID',
    bytes: 16,
    purpose: 'client id of Claude and other clients',
    afterRotation: reconnect,
  },
  {
    name: 'CLIENT_SECRET',
    bytes: 32,
    purpose: 'client secret of the same clients',
    afterRotation: reconnect,
  },
  {
    name: 'TOKEN_SECRET',
    bytes: 32,
    purpose: 'signs the access tokens',
    afterRotation: 'Every access token ends; clients have to reconnect.',
  },
];

const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');

const letsEncrypt = (domain: string): Certificate => ({
  cert: `/etc/letsencrypt/live/${domain}/fullchain.pem`,
  key: `/etc/letsencrypt/live/${domain}/privkey.pem`,
});

const refusal = (
  code: 'E_USAGE' | 'E_TLS_LOST' | 'E_TLS_UNREADABLE',
  values: Readonly<Record<string, string>>,
): DesiredResult => ({
  ok: false,
  code,
  values,
});

/** Settings that contradict each other; null where they do not. */
function contradiction(values: Settings): DesiredResult | null {
  const { DOMAIN: domain, TLS_CERT: cert, TLS_KEY: key, PUBLIC_URL: url, NO_NGINX: noNginx } = values;
  if ((cert === undefined) !== (key === undefined)) {
    return refusal('E_USAGE', {
      what: '--tls-cert and --tls-key belong together; one of them is missing.',
      remedy: 'Give both, or --unset TLS_CERT,TLS_KEY.',
    });
  }
  if (cert !== undefined && domain === undefined) {
    return refusal('E_USAGE', {
      what: '--tls-cert needs a domain that it is for.',
      remedy: 'Add --domain HOST.',
    });
  }
  if (noNginx === '1' && url === undefined && domain === undefined) {
    return refusal('E_USAGE', {
      what: '--no-nginx needs to know the address that clients use.',
      remedy: 'Add --public-url URL.',
    });
  }
  return null;
}

type Input = Parameters<Product['desired']>[0];

/** The certificate of the site as it is, where that is one that a new site could name as well. */
function certificateServed(site: string): readonly Certificate[] {
  const served = certificateOf(site);
  return served !== null && [served.cert, served.key].every((path) => validateFile(path).ok) ? [served] : [];
}

/** @returns how nginx serves, or E_TLS_LOST, E_TLS_UNREADABLE: a rerun never takes TLS away */
function variantFor({ settings: values, given, view }: Input): Variant | DesiredResult {
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

const sharedDirectories: readonly DesiredDirectory[] = [
  '/etc',
  '/etc/systemd',
  '/etc/systemd/system',
  '/etc/systemd/system/sockets.target.wants',
  '/etc/systemd/system/multi-user.target.wants',
  '/usr',
  '/usr/local',
  '/usr/local/lib',
].map((path) => ({ path, mode: 0o755, shared: true }));

const webDirectories: readonly DesiredDirectory[] = [
  '/etc/nginx',
  '/etc/nginx/sites-available',
  '/etc/nginx/sites-enabled',
  '/etc/nginx/snippets',
].map((path) => ({ path, mode: 0o755, shared: true, providedBy: 'nginx' }));

const ownDirectories: readonly DesiredDirectory[] = [
  { path: product.directory, mode: 0o700, shared: false },
  { path: product.codeDirectory, mode: 0o755, shared: false },
];

function serviceFiles(values: Settings, code: Uint8Array): readonly DesiredFile[] {
  const backend = new URL(values['BACKEND_URL'] ?? 'http://127.0.0.1');
  const common = { mode: 0o644, unknown: 'adopt' } as const;
  return [
    { ...common, path: product.codeFile, role: 'service', content: code, affects: ['service'] },
    {
      ...common,
      path: product.socketFile,
      role: 'socket unit',
      content: bytes(socketUnit(portOf(values))),
      affects: ['unit', 'socket'],
    },
    {
      ...common,
      path: product.serviceFile,
      role: 'systemd unit',
      content: bytes(serviceUnit({ remoteBackend: !isLoopback(backend.hostname) })),
      affects: ['unit', 'service'],
    },
  ];
}

const serviceLinks: readonly DesiredLink[] = [
  {
    path: product.socketLink,
    target: product.socketFile,
    role: 'enablement of the socket',
    affects: ['unit'],
    unknown: 'adopt',
  },
  {
    path: product.serviceLink,
    target: product.serviceFile,
    role: 'enablement of the service',
    affects: ['unit'],
    unknown: 'adopt',
  },
];

const pendingNote = (domain: string): Note => ({
  code: 'certificate-missing',
  level: 'warning',
  text:
    `There is no certificate for ${domain} yet, so nginx answers 503 there. ` +
    `Get one with: certbot certonly --webroot -w ${acmeRoot} -d ${domain} --deploy-hook "systemctl reload nginx" ; then run this again.`,
});

const tlsNote = (domain: string): Note => ({
  code: 'insecure-http-forgotten',
  level: 'info',
  text: `There is a certificate for ${domain}, so it is served with TLS and INSECURE_HTTP is forgotten.`,
});

const siteLeftNote: Note = {
  code: 'site-left',
  level: 'warning',
  text:
    `nginx still serves ${product.site} of an earlier run, which is no longer kept up to date. ` +
    `To remove it: rm ${product.siteLink} && systemctl reload nginx`,
};

type Web = Pick<Desired, 'files' | 'links' | 'directories' | 'packages' | 'web' | 'notes'>;

function webPart(values: Settings, view: HostView, variant: Variant): Web {
  const port = portOf(values);
  const made = webFiles({ variant, port, ipv6: view.ipv6 });
  const common = { mode: 0o644, affects: ['web'] } as const;
  const domain = variant.kind === 'local' ? null : variant.domain;
  return {
    directories: webDirectories,
    files: [
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
    web: {
      port: variant.kind === 'local' ? port + 1 : variant.kind === 'tls' ? 443 : 80,
      serverName: domain,
      tls: variant.kind === 'tls',
      markerPath,
      marker: made.marker,
      site: product.site,
      showsMarker: includesSnippet,
      certificate: variant.kind === 'tls' ? variant.cert : null,
      healthStatus: variant.kind === 'pending' ? 503 : 200,
    },
    notes: variant.kind === 'pending' ? [pendingNote(variant.domain)] : [],
  };
}

/** nginx is left alone; a site of ours that it serves all the same is named. */
function withoutWeb(view: HostView): Web {
  const left = view.exists(product.siteLink) && includesSnippet(view.readText(product.site) ?? '');
  const notes = left ? [siteLeftNote] : [];
  return { directories: [], files: [], links: [], packages: [], web: null, notes };
}

/** What is served with TLS is not remembered as served without: the service's own address follows from it too. */
function withTls(values: Settings): { readonly settings: Settings; readonly notes: readonly Note[] } {
  const { INSECURE_HTTP: insecure, ...others } = values;
  return insecure === undefined
    ? { settings: values, notes: [] }
    : { settings: others, notes: [tlsNote(values['DOMAIN'] ?? '')] };
}

function desired(input: Input): DesiredResult {
  const { settings: values, view, code } = input;
  const wrong = contradiction(values);
  if (wrong !== null) return wrong;
  let web: Web;
  let served: ReturnType<typeof withTls> = { settings: values, notes: [] };
  if (values['NO_NGINX'] === '1') {
    web = withoutWeb(view);
  } else {
    const variant = variantFor(input);
    if ('ok' in variant) return variant;
    web = webPart(values, view, variant);
    if (variant.kind === 'tls') served = withTls(values);
  }
  return {
    ok: true,
    desired: {
      settings: served.settings,
      directories: [...sharedDirectories, ...web.directories, ...ownDirectories],
      files: [...serviceFiles(values, code), ...web.files],
      links: [...serviceLinks, ...web.links],
      packages: ['python3-fastapi', 'python3-uvicorn', 'python3-httpx', 'python3-jwt', ...web.packages],
      web: web.web,
      notes: [...served.notes, ...web.notes],
    },
  };
}

function nextSteps(values: Settings): readonly string[] {
  const origin = publicUrl(values);
  return [
    `In Claude: Settings, Connectors, Add custom connector; URL ${origin}/mcp; under Advanced settings type`,
    `CLIENT_ID and CLIENT_SECRET as they stand in ${product.envFile} (the one place to read a secret).`,
    `The MCP server at ${values['BACKEND_URL'] ?? 'the backend'} is shown MCP_TOKEN of the same file as its bearer.`,
  ];
}

export const mcpOauthProxy: Product = {
  name: product.name,
  directory: product.directory,
  envFile: product.envFile,
  codeFile: product.codeFile,
  service: product.service,
  socket: product.socket,
  webUnit: 'nginx.service',
  traces,
  secrets,
  settings,
  bundledCode: bytes(bundledCode),
  healthPaths: ['/healthz', '/.well-known/oauth-authorization-server'],
  listenPort: portOf,
  askFor: ['DOMAIN', 'BACKEND_URL'],
  desired,
  proveRotation,
  nextSteps,
};
