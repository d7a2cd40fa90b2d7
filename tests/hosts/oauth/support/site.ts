/** The service on a host, served to clients as on the internet: with a domain, a certificate, and who vouches for it. */
import type { Host } from '../../support/host.ts';
import type { Ran } from '../../../support/installer.ts';
import { expectExit } from '../../support/observe.ts';

export const domain = 'mcp.test';
const origin = `https://${domain}`;
export const mcpUrl = `${origin}/mcp`;

const directory = '/root/tls';

/** The certificate of the test's own authority: for Node `NODE_EXTRA_CA_CERTS`, for curl `--cacert`. */
export const authority = `${directory}/ca.pem`;

/** The installer's options for the site; a rerun without them keeps it. */
const siteOptions: readonly string[] = [
  '--domain',
  domain,
  '--tls-cert',
  `${directory}/cert.pem`,
  '--tls-key',
  `${directory}/key.pem`,
];

/** An authority of the test's own, a certificate by it for the domain, and the domain in /etc/hosts. */
async function certify(host: Host): Promise<void> {
  const key = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes';
  await host.must(`mkdir -p ${directory} && cd ${directory} && exec 2>&1 &&
    openssl req -x509 ${key} -keyout ca.key -out ca.pem -subj '/CN=Authority of a test' -days 2 &&
    openssl req -new ${key} -keyout key.pem -out request.pem -subj /CN=${domain} &&
    echo subjectAltName=DNS:${domain} >extensions &&
    openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out cert.pem &&
    echo 127.0.0.1 ${domain} >>/etc/hosts`);
}

/** From a bare host to the service at {@link mcpUrl}, by one run of the installer. */
export async function installWithTls(host: Host, args: readonly string[] = []): Promise<Ran> {
  await certify(host);
  return expectExit(await host.installer([...siteOptions, ...args]), 0);
}
