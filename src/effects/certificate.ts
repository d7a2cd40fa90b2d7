/** The certificate that nginx shows to clients: until when it is good, and for whom. */
import type { X509Certificate } from 'node:crypto';
import { InstallerError } from '../errors.ts';
import type { Note } from '../machines/types.ts';
import type { WebProbe } from '../products/product.ts';
import type { HostReads } from './host/port.ts';
import type { Scope } from './scope.ts';
import { askThroughWeb, certificateIn, foreignBytes, isSiteKept } from './web.ts';

/** How long a certificate is valid. */
export interface CertificateDates {
  /** Day of its end, UTC. */
  readonly until: string;
  /** Whole days; negative where it has expired. */
  readonly daysLeft: number;
}

/** The certificate that the web server shows, and the one that its file holds. */
export interface CertificateStatus {
  /** What nginx shows to clients; null where it shows none. */
  readonly served: CertificateDates | null;
  /** What the site names; null where it cannot be read. */
  readonly file: (CertificateDates & { readonly path: string }) | null;
  /** Are both the same? null where one of them is not known. */
  readonly same: boolean | null;
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

export async function certificatesOf(
  host: HostReads,
  web: WebProbe,
  timeout: number,
): Promise<Certificates | null> {
  if (!web.tls) return null;
  const answer = await askThroughWeb(host, web, { path: web.markerPath, timeout });
  const served = certificateIn(answer.ok ? answer.certificateBytes : null);
  const onDisk = web.certificate === null ? null : certificateIn(foreignBytes(host, web.certificate));
  const file = onDisk === null ? null : { path: web.certificate ?? '', ...datesOf(onDisk) };
  const same = served === null || onDisk === null ? null : served.fingerprint256 === onDisk.fingerprint256;
  return { served, status: { served: served === null ? null : datesOf(served), file, same } };
}

const warning = (code: string, text: string): Note => ({ code, level: 'warning', text });

/** Why clients refuse it; null where they have no reason to by the clock. */
function invalidity({ validFrom, validTo }: X509Certificate): string | null {
  if (Date.parse(validTo) <= Date.now()) return `it expired on ${dayOf(validTo)}`;
  return Date.parse(validFrom) > Date.now() ? `it is not valid before ${dayOf(validFrom)}` : null;
}

/** @throws InstallerError E_CERTIFICATE_INVALID */
export function judgeCertificate(
  scope: Scope,
  web: WebProbe,
  { served, status }: Certificates,
): readonly Note[] {
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

/**
 * For a run: what clients refuse is told, and no failure. Putting the host back would not bring a good one, and a rerun
 * must not be lost over a certificate that ended meanwhile.
 */
export async function certificateNotes(
  scope: Scope,
  web: WebProbe,
  timeout = 5_000,
): Promise<readonly Note[]> {
  const certificates = await certificatesOf(scope.host, web, timeout);
  if (certificates === null) return [];
  try {
    return judgeCertificate(scope, web, certificates);
  } catch (error) {
    if (!(error instanceof InstallerError)) throw error;
    return [warning('certificate-invalid', `${error.message} ${error.remedy}`)];
  }
}
