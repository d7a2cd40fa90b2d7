/** Asking nginx, on loopback, which configuration it serves and whether the service answers through it. */
import type { WebProbe } from '../products/product.ts';
import type { HostReads, HttpAnswer } from './host/port.ts';

function ask(host: HostReads, web: WebProbe, path: string): Promise<HttpAnswer> {
  return host.http({
    address: '127.0.0.1',
    port: web.port,
    path,
    headers: web.serverName === null ? { host: 'localhost' } : { host: web.serverName },
    ...(web.tls && web.serverName !== null ? { tls: { serverName: web.serverName, judged: false } } : {}),
    timeout: 5_000,
  });
}

/** What nginx tells as the marker of its configuration; null where it tells none. */
export async function askMarker(host: HostReads, web: WebProbe): Promise<string | null> {
  const answer = await ask(host, web, web.markerPath);
  return answer.ok && answer.status === 200 ? answer.body.trim() : null;
}

export const askThroughWeb = ask;

/** Only a site that includes the snippet can be asked; one that a person wrote need not. */
export function includesSnippet(host: HostReads, web: WebProbe): boolean {
  const bytes = host.readFile(web.site);
  return bytes !== null && Buffer.from(bytes).toString('utf8').includes(web.snippet);
}
