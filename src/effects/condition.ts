/** How an installation is doing: everything that is asked of it at once, and nothing that changes it. */
import type { X509Certificate } from 'node:crypto';
import { InstallerError, type PublicError } from '../errors.ts';
import type { Note } from '../machines/types.ts';
import type { WebProbe } from '../products/product.ts';
import { askBackend, type BackendStatus } from './backend.ts';
import type { HostReads } from './host/port.ts';
import { loopback } from './listener.ts';
import type { Scope } from './scope.ts';
import { verifyService, verifyWeb } from './verify.ts';
import { askThroughWeb, certificateIn, foreignBytes, isSiteKept } from './web.ts';

export interface Health {
  /** Address and port that were asked. */
  readonly address: string;
  /** null where a person's site is theirs to judge. */
  readonly ok: boolean | null;
  /** Half a sentence where it is not ok. */
  readonly why: string | null;
}

export interface CertificateDates {
  /** Day of its end, UTC. */
  readonly until: string;
  /** Whole days; negative where it has expired. */
  readonly daysLeft: number;
}

export interface CertificateStatus {
  /** What nginx shows to clients; null where it shows none. */
  readonly served: CertificateDates | null;
  /** What the site names; null where it cannot be read. */
  readonly file: (CertificateDates & { readonly path: string }) | null;
  /** Are both the same? null where one of them is not known. */
  readonly same: boolean | null;
}

export interface Condition {
  readonly loopback: Health;
  /** null where nginx is left alone. */
  readonly web: Health | null;
  /** null where nothing is served with TLS. */
  readonly certificate: CertificateStatus | null;
  readonly backend: BackendStatus | null;
  /** The first thing that makes the installation unhealthy. */
  readonly problem: PublicError | null;
  readonly notes: readonly Note[];
}

const day = 24 * 60 * 60 * 1000;

/** Let's Encrypt's client renews a month before the end: less than this is left where that has failed. */
const warnDays = 14;

const dayOf = (time: string): string => new Date(Date.parse(time)).toISOString().slice(0, 10);

const datesOf = ({ validTo }: X509Certificate): CertificateDates => ({
  until: dayOf(validTo),
  daysLeft: Math.floor((Date.parse(validTo) - Date.now()) / day),
});

interface Certificates {
  readonly status: CertificateStatus;
  readonly served: X509Certificate | null;
}

export function certificateOnDisk(host: HostReads, path: string): CertificateStatus['file'] {
  const certificate = certificateIn(foreignBytes(host, path));
  return certificate === null ? null : { path, ...datesOf(certificate) };
}

async function certificatesOf(host: HostReads, web: WebProbe, timeout: number): Promise<Certificates | null> {
  if (!web.tls) return null;
  const answer = await askThroughWeb(host, web, { path: web.markerPath, timeout });
  const served = certificateIn(answer.ok ? answer.certificateBytes : null);
  const onDisk = web.certificate === null ? null : certificateIn(foreignBytes(host, web.certificate));
  const file = onDisk === null ? null : { path: web.certificate ?? '', ...datesOf(onDisk) };
  const same = served === null || onDisk === null ? null : served.fingerprint256 === onDisk.fingerprint256;
  return { served, status: { served: served === null ? null : datesOf(served), file, same } };
}

/** Why clients refuse it; null where they have no reason to by the clock. */
function invalidity({ validFrom, validTo }: X509Certificate): string | null {
  if (Date.parse(validTo) <= Date.now()) return `it expired on ${dayOf(validTo)}`;
  return Date.parse(validFrom) > Date.now() ? `it is not valid before ${dayOf(validFrom)}` : null;
}

const warning = (code: string, text: string): Note => ({ code, level: 'warning', text });

/** @throws InstallerError E_CERTIFICATE_INVALID */
function judgeCertificate(scope: Scope, web: WebProbe, { served, status }: Certificates): readonly Note[] {
  const domain = web.serverName ?? '';
  if (served === null) return [];
  if (served.checkHost(domain) === undefined) {
    // Under a person's site it may be that of another one.
    const text = `The certificate that nginx serves is not for ${domain}: clients refuse it.`;
    return isSiteKept(scope) ? [] : [warning('certificate-name', text)];
  }
  const why = invalidity(served);
  if (why !== null) throw new InstallerError('E_CERTIFICATE_INVALID', { domain, why });
  const { until, daysLeft } = datesOf(served);
  if (daysLeft >= warnDays) return [];
  const { file, same } = status;
  const newer =
    same === false && file !== null && file.daysLeft > daysLeft
      ? `${file.path} holds one until ${file.until}: systemctl reload nginx`
      : 'renew it: certbot renew';
  const left = `${daysLeft} ${daysLeft === 1 ? 'day' : 'days'} left`;
  return [
    warning('certificate-expiring', `The certificate for ${domain} expires on ${until} (${left}); ${newer}`),
  ];
}

const unreachable = ({ url, reachable, why }: BackendStatus): readonly Note[] =>
  reachable
    ? []
    : [
        warning(
          'backend-unreachable',
          `The MCP server at ${url} cannot be reached (${why ?? ''}); clients connect, and get errors until it can.`,
        ),
      ];

type Tried<T> = { readonly value: T; readonly error: null } | { readonly error: InstallerError };

async function tried<T>(work: () => Promise<T> | T): Promise<Tried<T>> {
  try {
    return { value: await work(), error: null };
  } catch (error) {
    if (error instanceof InstallerError) return { error };
    throw error;
  }
}

/** The reason alone: where it was is told beside it. */
const half = (error: InstallerError): string =>
  error.message.replace(/^The service is not healthy: /u, '').replace(/\.$/u, '');

const healthOf = (address: string, error: InstallerError | null): Health => ({
  address,
  ok: error === null,
  why: error === null ? null : half(error),
});

/** @param timeout milliseconds for one answer; all are waited for at the same time */
export async function conditionOf(scope: Scope, timeout: number): Promise<Condition> {
  const { host, product, state } = scope;
  const web = state.desired?.web ?? null;
  const backendUrl = state.settings['BACKEND_URL'];
  const [service, site, certificates, backend] = await Promise.all([
    tried(() => verifyService(scope, timeout)),
    web === null ? null : tried(() => verifyWeb(scope, web, timeout)),
    web === null ? null : certificatesOf(host, web, timeout),
    backendUrl === undefined ? null : askBackend(host, backendUrl, timeout),
  ]);
  const judged =
    web === null || certificates === null
      ? null
      : await tried(() => judgeCertificate(scope, web, certificates));
  const problem = service.error ?? site?.error ?? judged?.error ?? null;
  const address = web === null ? '' : `${loopback}:${web.port}`;
  const unjudged = site?.error === null ? site.value.unjudged : null;
  return {
    loopback: healthOf(`${loopback}:${product.listenPort(state.settings)}`, service.error),
    web:
      site === null
        ? null
        : unjudged === null
          ? healthOf(address, site.error)
          : { address, ok: null, why: unjudged },
    certificate: certificates?.status ?? null,
    backend,
    problem: problem?.toJSON() ?? null,
    notes: [
      ...(site?.error === null ? site.value.notes : []),
      ...(judged?.error === null ? judged.value : []),
      ...(backend === null ? [] : unreachable(backend)),
    ],
  };
}
