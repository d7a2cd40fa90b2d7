/** What `status` tells. */
import type { BackendStatus } from '../effects/backend.ts';
import type { CertificateStatus } from '../effects/certificate.ts';
import type { Health } from '../effects/condition.ts';
import type { FileDiff } from '../diffs.ts';
import type { PublicError } from '../errors.ts';
import type { Note } from '../machines/types.ts';
import type { Settings } from '../products/product.ts';

/** A secret of the product, and whether it is there. */
export interface SecretStatus {
  readonly name: string;
  /** null where it is missing, as in an image it is until the first boot of a host. */
  readonly fingerprint: string | null;
}

/** Another installation of the same host. */
export interface InstallationBeside {
  readonly name: string;
  readonly product: string;
  /** null for the plain one. */
  readonly instance: string | null;
  /** On loopback. */
  readonly ports: readonly number[];
  readonly domains: readonly string[];
}

/** What is installed, whether it is healthy, and what differs from what would be installed now. */
export interface Status {
  /** Is it there? `unknown`: a run is under way, or it cannot be looked at. */
  readonly kind: 'installed' | 'absent' | 'unknown';
  /** null where the service does not run here (another root, no systemd). */
  readonly healthy: boolean | null;
  /** What makes it unhealthy, or why an installation would be refused. */
  readonly problem: PublicError | null;
  /** What clients are given to connect to; null where nothing is installed. */
  readonly url: string | null;
  /** Asked directly, and as clients do; null where the service does not run here. */
  readonly health: { readonly loopback: Health; readonly web: Health | null } | null;
  /** null where nginx serves nothing with TLS. */
  readonly certificate: CertificateStatus | null;
  /** null where the service does not run here. Whether it can be reached says nothing of the installation's health. */
  readonly backend: BackendStatus | null;
  /** What an installation would change now; a tolerated edit alone is none. */
  readonly drift: readonly string[];
  /** Each file that an installation would change, from what it is to what it would be; secrets and comments hidden. */
  readonly diffs: readonly FileDiff[];
  /** Edits of a person's that an installation keeps, from what it would write to what they wrote. */
  readonly edits: readonly FileDiff[];
  /** By name and fingerprint, never the value. */
  readonly secrets: readonly SecretStatus[];
  /** Those in force. */
  readonly settings: Settings;
  readonly notes: readonly Note[];
  /** The run that is under way: what it has half done is no drift. With kind `unknown`. */
  readonly underWay: string | null;
  /** Why it cannot be told, with kind `unknown`; why its drift cannot, with kind `installed`. */
  readonly error: PublicError | null;
  /** The other installations of this host; with kind `unknown` none is looked for. */
  readonly besides: readonly InstallationBeside[];
}

/** What is told of a host where nothing is installed. */
export const nothing: Status = {
  kind: 'absent',
  healthy: null,
  problem: null,
  url: null,
  health: null,
  certificate: null,
  backend: null,
  drift: [],
  diffs: [],
  edits: [],
  secrets: [],
  settings: {},
  notes: [],
  underWay: null,
  error: null,
  besides: [],
};
