/** How an installation is doing: everything that is asked of it at once, and nothing that changes it. */
import { InstallerError, type PublicError } from '../errors.ts';
import type { Note } from '../machines/types.ts';
import type { WebProbe } from '../products/product.ts';
import { askBackend, type BackendStatus } from './backend.ts';
import { certificatesOf, judgeCertificate, type CertificateStatus } from './certificate.ts';
import { loopback } from './listener.ts';
import type { Scope } from './scope.ts';
import { verifyService, verifyWeb } from './verify.ts';

/** What was asked for, and how it was answered. */
export interface Health {
  /** Address and port that were asked; of a service that listens nowhere, its unit. */
  readonly address: string;
  /** null where a person's site is theirs to judge. */
  readonly ok: boolean | null;
  /** Half a sentence where it is not ok. */
  readonly why: string | null;
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

const unreachable = (name: string, { url, reachable, why }: BackendStatus): readonly Note[] =>
  reachable
    ? []
    : [
        {
          code: 'backend-unreachable',
          level: 'warning',
          text: `The ${name} at ${url} cannot be reached (${why ?? ''}); clients connect, and get errors until it can.`,
        },
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

/**
 * @param web how nginx is asked; null where it is left alone
 * @param timeout milliseconds for one answer; all are waited for at the same time
 */
export async function conditionOf(scope: Scope, web: WebProbe | null, timeout: number): Promise<Condition> {
  const { host, product, state } = scope;
  const backendUrl = product.backend(state.settings);
  const [service, site, certificates, backend] = await Promise.all([
    tried(() => verifyService(scope, timeout)),
    web === null ? null : tried(() => verifyWeb(scope, web, timeout)),
    web === null ? null : certificatesOf(host, web, timeout),
    backendUrl === null ? null : askBackend(host, backendUrl, timeout),
  ]);
  const judged =
    web === null || certificates === null
      ? null
      : await tried(() => judgeCertificate(scope, web, certificates));
  const problem = service.error ?? site?.error ?? judged?.error ?? null;
  const port = product.listenPort(state.settings);
  const address = web === null ? '' : `${loopback}:${web.port}`;
  const unjudged = site?.error === null ? site.value.unjudged : null;
  return {
    loopback: healthOf(port === null ? product.service : `${loopback}:${port}`, service.error),
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
      ...(backend === null ? [] : unreachable(product.words.backend, backend)),
    ],
  };
}
