/** Who does the same job: a plain script, CFEngine, Ansible, Puppet; each as its users would write it (`bench/peers/`). */
import { checkout } from '../tests/hosts/support/form.ts';
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

const peers = `${checkout}/bench/peers`;

export const reset = ['sh', `${peers}/reset.sh`];
export const bashScript = ['bash', `${peers}/install.sh`, '/root/src'];

/** By their names in the table. */
export const engines: Readonly<Record<string, readonly string[]>> = {
  'cf-agent': ['cf-agent', '--no-lock', '--file', '/root/install.cf'],
  'puppet apply': ['puppet', 'apply', `${peers}/site.pp`],
  'ansible-playbook': ['ansible-playbook', '--inventory', 'localhost,', `${peers}/playbook.yml`],
};

/** Installs the peers on a host where the service is installed, and keeps its files for them. */
export async function preparePeers(host: Host): Promise<void> {
  await host.must('apt-get update -qq');
  const packages = 'cfengine3 ansible-core puppet-agent rsync';
  await host.must(
    `DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends ${packages}`,
  );
  await host.must('mkdir /root/src');
  for (const [name, path] of Object.entries(sources)) await host.must(`cp ${path} /root/src/${name}`);
  await host.must(`cp ${peers}/secrets.sh /root/src/`);
  // It runs no policy that somebody else may write.
  await host.must(`install -m 600 ${peers}/install.cf /root/install.cf`);
}

const state = `
  sha256sum /etc/mcp-oauth-proxy/.env ${Object.values(sources).join(' ')}
  systemctl show -p InvocationID mcp-oauth-proxy.service nginx.service`;

/** Each one has to do the whole job from nothing, and nothing the second time; else its times would say nothing. */
export async function mustWork(host: Host, name: string, argv: readonly string[]): Promise<void> {
  await host.must(reset.join(' '));
  const words = argv.join(' ');
  await host.must(words);
  await host.must(
    'curl --fail --silent --retry 50 --retry-delay 1 --retry-all-errors http://127.0.0.1:8084/healthz',
  );
  const first = await host.must(state);
  await host.must(words);
  if ((await host.must(state)) !== first) throw new Error(`${name} changes something the second time`);
}
