/** What several of the generated pages tell: exit codes, and the files that an installation is made of. */
import { mcpOauthProxy } from '../src/products/mcp-oauth-proxy/index.ts';
import type { HostView } from '../src/products/product.ts';

export const exits: readonly (readonly [number | string, string])[] = [
  [0, 'done, or nothing to do'],
  [2, 'only with `--detailed-exitcode`: something changed, or would change'],
  [
    3,
    '`status`: installed, but drifted or unhealthy (a tolerated edit alone is not drift, and a backend that cannot be reached is a warning)',
  ],
  [4, '`status`: not installed'],
  [10, 'preflight failed, refused, not root, or declined at a question; nothing changed'],
  [11, 'another run is under way; nothing changed, and `status` does not judge what is half done'],
  [12, 'failed, and the host was put back'],
  [
    13,
    'failed, and not put back; what to do is printed. Also a run that changed something and whose report could not be written to stdout (`E_OUTPUT`; a command that changed nothing then ends with 10, one that failed keeps its code)',
  ],
  [64, 'bad usage or an invalid value; nothing changed'],
  [65, 'a damaged or foreign journal where one was to be read'],
  [70, 'a bug in the installer; the trace is printed'],
  ['130, 143, 129', 'ended by SIGINT, SIGTERM, SIGHUP after putting things back'],
];

export interface ManagedFile {
  readonly path: string;
  /** In octal, or what it is instead. */
  readonly mode: string;
  readonly what: string;
}

/** Of an installation with a domain and a certificate, as the product describes it. */
export function managedFiles(): readonly ManagedFile[] {
  const view: HostView = {
    fileAt: () => 'file',
    exists: () => false,
    readText: () => null,
    foreignText: () => null,
    list: () => null,
    ipv6: true,
  };
  const wanted = mcpOauthProxy.desired({
    settings: { LISTEN_PORT: '8083', BACKEND_URL: 'http://127.0.0.1:8000/mcp', DOMAIN: 'mcp.example.org' },
    given: {},
    view,
    code: mcpOauthProxy.bundledCode,
  });
  if (!wanted.ok) throw new Error(wanted.code);
  const { directories, files: own, links } = wanted.desired;
  const octal = (mode: number): string => mode.toString(8).padStart(4, '0');
  return [
    ...directories
      .filter(({ shared }) => !shared)
      .map(({ path, mode }) => ({ path: `${path}/`, mode: octal(mode), what: 'directory' })),
    { path: mcpOauthProxy.envFile, mode: '0600', what: 'the secrets, then the settings' },
    ...own.map(({ path, mode, role }) => ({ path, mode: octal(mode), what: role })),
    ...links.map(({ path, target, role }) => ({ path, mode: 'link', what: `${role}: to \`${target}\`` })),
    {
      path: '/var/lib/mcp-installer/',
      mode: '0700',
      what: 'one folder a run: its journal, and what it replaced; the key of the fingerprints',
    },
    { path: '/var/lib/private/mcp-oauth-proxy', mode: 'by systemd', what: "the service's own state" },
  ];
}
