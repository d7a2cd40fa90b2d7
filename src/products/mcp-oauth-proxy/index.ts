/** mcp-oauth-proxy as data: what stands where, made from settings. */
import type { DesiredDirectory, DesiredResult, Product, SecretSpec, Settings } from '../product.ts';
import { product, traces } from './names.ts';
import bundledCode from './oauth_proxy.py';
import { nextSteps, settingsChanged } from './people.ts';
import { proveRotation } from './rotation.ts';
import { serviceFiles, serviceLinks } from './service-files.ts';
import { portOf, publicUrl, settings, validateBearer, validatePassword } from './settings.ts';
import { refusal, variantFor, webOnDisk, webPart, withTls, withoutWeb, type Input, type Web } from './web.ts';

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
  {
    name: 'OWNER_PASSWORD',
    optional: true,
    purpose: 'password that the consent page asks for',
    afterRotation: 'Who connects a client has to type the new one; clients that are connected stay so.',
    fileOption: 'owner-password-file',
    validate: validatePassword,
  },
];

const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');

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

const ownDirectories: readonly DesiredDirectory[] = [
  { path: product.directory, mode: 0o700, shared: false },
  { path: product.codeDirectory, mode: 0o755, shared: false },
];

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
      ...(web.leaves === undefined ? {} : { leaves: web.leaves }),
      packages: ['python3-fastapi', 'python3-uvicorn', 'python3-httpx', 'python3-jwt', ...web.packages],
      web: web.web,
      notes: [...served.notes, ...web.notes],
    },
  };
}

/** The product that ships: an OAuth proxy before an MCP server, as a systemd service behind nginx. */
export const mcpOauthProxy: Product = {
  name: product.name,
  description: 'Installs mcp-oauth-proxy; rerun it as often as you like, secrets stay.',
  directory: product.directory,
  envFile: product.envFile,
  codeFile: product.codeFile,
  service: product.service,
  socket: product.socket,
  state: [product.name],
  webUnit: 'nginx.service',
  traces,
  secrets,
  settings,
  bundledCode: bytes(bundledCode),
  healthPaths: ['/healthz', '/.well-known/oauth-authorization-server'],
  listenPort: portOf,
  endpoint: (values) => `${publicUrl(values)}/mcp`,
  backend: (values) => values['BACKEND_URL'] ?? null,
  words: { endpoint: 'MCP URL', backend: 'MCP server' },
  askFor: ['DOMAIN', 'BACKEND_URL'],
  desired,
  settingsChanged,
  webOnDisk,
  proveRotation,
  nextSteps,
};
