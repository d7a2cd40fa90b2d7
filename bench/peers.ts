/** Who does the same job: a plain script, CFEngine, Ansible, Puppet; each as its users would write it (`bench/peers/`). */
import { checkout } from '../tests/hosts/support/form.ts';
import type { Ran } from '../tests/support/installer.ts';
import type { Host } from '../tests/hosts/support/host.ts';

/** What they all install, by the names that their definitions have for it: taken from an installation. */
const sources = {
  'oauth_proxy.py': '/usr/local/lib/mcp-oauth-proxy/oauth_proxy.py',
  'mcp-oauth-proxy.service': '/etc/systemd/system/mcp-oauth-proxy.service',
  'mcp-oauth-proxy.socket': '/etc/systemd/system/mcp-oauth-proxy.socket',
  'snippet.conf': '/etc/nginx/snippets/mcp-oauth-proxy.conf',
  'http.conf': '/etc/nginx/conf.d/mcp-oauth-proxy.conf',
  'site.conf': '/etc/nginx/sites-available/mcp-oauth-proxy.conf',
};

export const peers = `${checkout}/bench/peers`;

export const reset = ['sh', `${peers}/reset.sh`];
export const bashScript = ['bash', `${peers}/install.sh`, '/root/src'];

interface Engine {
  readonly argv: readonly string[];
  /** What its exit code or its last lines are where it found nothing to do. */
  readonly idle: (ran: Ran) => boolean;
}

/** By their names in the table. */
export const engines: Readonly<Record<string, Engine>> = {
  'cf-agent': {
    argv: ['cf-agent', '--no-lock', '--file', '/root/install.cf'],
    // It says what it repaired with --inform alone, and ends with 0 whatever it did: what it did is looked at below.
    idle: ({ exitCode, output }) => exitCode === 0 && !/error/iu.test(output),
  },
  'puppet apply': {
    argv: ['puppet', 'apply', '--detailed-exitcodes', `${peers}/site.pp`],
    idle: ({ exitCode }) => exitCode === 0,
  },
  'ansible-playbook': {
    argv: ['ansible-playbook', '--connection', 'local', '--inventory', 'localhost,', `${peers}/playbook.yml`],
    idle: ({ exitCode, output }) => exitCode === 0 && /changed=0 .*failed=0/u.test(output),
  },
};

/** Keeps an installation's files on a host, as what the peers install. */
export async function keepSources(host: Host, from = host): Promise<void> {
  await host.must('mkdir /root/src');
  for (const [name, path] of Object.entries(sources)) await host.write(`/root/src/${name}`, from.read(path));
  await host.must(`install ${peers}/secrets.sh /root/src/`);
}

/** Installs the peers on a host where the service is installed, and keeps its files for them. */
export async function preparePeers(host: Host): Promise<void> {
  await host.must('apt-get update -qq');
  const packages = 'cfengine3 ansible-core puppet-agent rsync';
  await host.must(
    `DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends ${packages}`,
  );
  await keepSources(host);
  // It runs no policy that somebody else may write.
  await host.must(`install -m 600 ${peers}/install.cf /root/install.cf`);
}

/** Contents, and what a restart of the service or the socket, or a reload of the web server, would change. */
const state = `
  sha256sum /etc/mcp-oauth-proxy/.env ${Object.values(sources).join(' ')}
  systemctl show -p InvocationID mcp-oauth-proxy.service mcp-oauth-proxy.socket nginx.service
  pgrep nginx | sort`;

/** Each one has to do the whole job from nothing, and nothing the second time; else its times would say nothing. */
export async function mustWork(host: Host, name: string, { argv, idle }: Engine): Promise<void> {
  await host.must(reset.join(' '));
  const first = await host.run(argv);
  await host.must(
    'curl --fail --silent --retry 50 --retry-delay 1 --retry-all-errors http://127.0.0.1:8084/healthz',
  );
  const before = await host.must(state);
  const second = await host.run(argv);
  if (!idle(second)) throw new Error(`${name} finds something to do: ${first.output}${second.output}`);
  if ((await host.must(state)) !== before) throw new Error(`${name} changes something the second time`);
}
