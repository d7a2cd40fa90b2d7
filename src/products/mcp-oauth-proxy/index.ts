/** mcp-oauth-proxy as data: what stands where, made from settings. */
import { InstallerError } from '../../errors.ts';
import { validateInstance, type Claims, type Instances } from '../instances.ts';
import type { DesiredDirectory, DesiredResult, Product, SecretSpec, Settings } from '../product.ts';
import { namesOf, productName, type Names } from './names.ts';
import bundledCode from './oauth_proxy.py';
import { nextSteps, settingsChanged } from './people.ts';
import { proveRotation } from './rotation.ts';
import { serviceFiles, serviceLinks } from './service-files.ts';
import {
  portOf,
  publicUrl,
  settings,
  settingsOfInstance,
  validateBearer,
  validatePassword,
} from './settings.ts';
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

const ownDirectories = ({ directory, codeDirectory }: Names): readonly DesiredDirectory[] => [
  { path: directory, mode: 0o700, shared: false },
  { path: codeDirectory, mode: 0o755, shared: false },
];

function desired(names: Names, input: Input): DesiredResult {
  const { settings: values, view, code } = input;
  const wrong = contradiction(values);
  if (wrong !== null) return wrong;
  let web: Web;
  let served: ReturnType<typeof withTls> = { settings: values, notes: [] };
  if (values['NO_NGINX'] === '1') {
    web = withoutWeb(names, view);
  } else {
    const variant = variantFor(names, input);
    if ('ok' in variant) return variant;
    web = webPart(names, values, view, variant);
    if (variant.kind === 'tls') served = withTls(values);
  }
  return {
    ok: true,
    desired: {
      settings: served.settings,
      directories: [...sharedDirectories, ...web.directories, ...ownDirectories(names)],
      files: [...serviceFiles(names, values, code), ...web.files],
      links: [...serviceLinks(names), ...web.links],
      ...(web.leaves === undefined ? {} : { leaves: web.leaves }),
      packages: ['python3-fastapi', 'python3-uvicorn', 'python3-httpx', 'python3-jwt', ...web.packages],
      web: web.web,
      notes: [...served.notes, ...web.notes],
    },
  };
}

/**
 * Of nginx a domain is taken, or, where there is none, the port of the loopback site. What nginx is not asked for is
 * nobody's claim, but for the name that clients type.
 */
function claims(port: number | null, values: Settings): Claims {
  const domain = values['DOMAIN'];
  const isLocal = domain === undefined && values['NO_NGINX'] !== '1';
  const ports = port === null ? [] : isLocal ? [port, port + 1] : [port];
  return { ports, domains: domain === undefined ? [] : [domain] };
}

/** That of an instance is free to choose, and known once it is chosen. */
const listenPort = (instance: string | null, values: Settings): number | null =>
  instance !== null && values['LISTEN_PORT'] === undefined ? null : portOf(values);

const instancesOf = (instance: string | null): Instances => ({
  product: productName,
  instance,
  // The plain one has 8083 and 8084.
  freePorts: instance === null ? null : { key: 'LISTEN_PORT', from: 8085, count: 2 },
  claims: (values) => claims(listenPort(instance, values), values),
  make: (other) => (other === null ? createMcpOauthProxy() : createMcpOauthProxy(other)),
});

/**
 * mcp-oauth-proxy: an OAuth proxy before an MCP server, as a systemd service behind nginx.
 *
 * @param instance name of an installation beside the plain one, which every path, unit and site of it carries; without
 *   it, the plain one
 * @throws InstallerError E_USAGE for a name that is none
 */
export function createMcpOauthProxy(instance?: string): Product {
  const valid = instance === undefined ? null : validateInstance(instance);
  if (valid?.ok === false) throw new InstallerError('E_USAGE', { what: `${valid.why}.` });
  const own = instance ?? null;
  const names = namesOf(own);
  return {
    name: names.name,
    instances: instancesOf(own),
    description: 'Installs mcp-oauth-proxy; rerun it as often as you like, secrets stay.',
    directory: names.directory,
    envFile: names.envFile,
    codeFile: names.codeFile,
    service: names.service,
    socket: names.socket,
    state: [names.name],
    webUnit: 'nginx.service',
    traces: names.traces,
    secrets,
    settings: own === null ? settings : settingsOfInstance,
    bundledCode: bytes(bundledCode),
    healthPaths: ['/healthz', '/.well-known/oauth-authorization-server'],
    listenPort: (values) => listenPort(own, values),
    endpoint: (values) => `${publicUrl(values)}/mcp`,
    backend: (values) => values['BACKEND_URL'] ?? null,
    words: { endpoint: 'MCP URL', backend: 'MCP server' },
    askFor: ['DOMAIN', 'BACKEND_URL'],
    desired: (input) => desired(names, input),
    settingsChanged,
    webOnDisk: (values, view) => webOnDisk(names, values, view),
    proveRotation,
    nextSteps: (finished) => nextSteps(names, finished),
  };
}

/** The product that ships, as the plain installation. */
export const mcpOauthProxy: Product = createMcpOauthProxy();
