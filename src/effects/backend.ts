/** Is the backend there? Asked without any credential, and never for long: whoever answers is told nothing. */
import { isIP } from 'node:net';
import type { HostReads, HttpAnswer } from './host/port.ts';
import { tools } from './tools.ts';
import { certificateIn } from './web.ts';

/** Whether what stands behind the service can be reached. */
export interface BackendStatus {
  readonly url: string;
  readonly reachable: boolean;
  /** Half a sentence where it is not. */
  readonly why: string | null;
}

/** As many of a name's addresses as are tried. */
const mostAddresses = 4;

/** By a program of its own: a name lookup inside of this process cannot be ended. */
async function addressesOf(host: HostReads, name: string, timeout: number): Promise<readonly string[]> {
  if (isIP(name) !== 0) return [name];
  if (name === 'localhost') return ['127.0.0.1', '::1'];
  const { stdout } = await host.query({ file: tools.getent, args: ['ahosts', name], timeout });
  const found = stdout.split('\n').map((line) => line.split(' ')[0] ?? '');
  return [...new Set(found)].filter((address) => isIP(address) !== 0).slice(0, mostAddresses);
}

/** What stands before a server that is down answers with one of these. */
const withoutServer: readonly number[] = [502, 503, 504];

/** The service judges the certificate by its name and its time as well; by whom it is signed, the host's own store says. */
function refusalOf(answer: HttpAnswer, name: string): string | null {
  if (!answer.ok) return answer.why;
  if (withoutServer.includes(answer.status)) return `it answers ${answer.status}`;
  const certificate = certificateIn(answer.certificateBytes);
  if (certificate === null) return null;
  if (Date.parse(certificate.validTo) <= Date.now()) return 'its certificate has expired';
  const named = isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name);
  return named === undefined ? `its certificate is not for ${name}` : null;
}

/** Any HTTP answer will do: what the MCP server says to a question without its token is its own affair. */
export async function askBackend(host: HostReads, address: string, timeout: number): Promise<BackendStatus> {
  const url = new URL(address);
  const deadline = Date.now() + timeout;
  const name = url.hostname.replace(/^\[|\]$/gu, '');
  const secure = url.protocol === 'https:';
  const addresses = await addressesOf(host, name, timeout);
  const asked = addresses.map(async (at) =>
    refusalOf(
      await host.http({
        address: at,
        port: Number(url.port === '' ? (secure ? 443 : 80) : url.port),
        path: `${url.pathname}${url.search}`,
        method: 'OPTIONS',
        headers: { host: url.host },
        ...(secure ? { tls: { serverName: isIP(name) === 0 ? name : '', judged: false } } : {}),
        timeout: Math.max(1, deadline - Date.now()),
      }),
      name,
    ),
  );
  const answers = await Promise.all(asked);
  const reachable = answers.includes(null);
  const why = reachable ? null : (answers[0] ?? 'its name leads to no address');
  return { url: address, reachable, why };
}
