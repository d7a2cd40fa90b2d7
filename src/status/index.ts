/** What is installed, whether it is healthy, and what differs from what was written. Changes nothing. */
import type { Host } from '../effects/host/port.ts';
import { createRealHost } from '../effects/host/real.ts';
import { mustBeStatusOptions } from '../judge-options.ts';
import { installerMachine, machineVersion } from '../machines/installer.ts';
import type { Request } from '../machines/types.ts';
import { mcpOauthProxy } from '../products/mcp-oauth-proxy/index.ts';
import type { Product } from '../products/product.ts';
import { plainRequest } from '../request.ts';
import { Session } from '../session.ts';
import { version } from '../version.ts';
import { look } from './look.ts';
import type { Status } from './types.ts';

export type { InstallationBeside, SecretStatus, Status } from './types.ts';

/** What to look at. */
export interface StatusOptions {
  /** What to look for; `mcpOauthProxy` without this. */
  readonly product?: Product;
  /** `/`, or an existing directory that stands for it. */
  readonly root?: string;
  /** Instead of the host below `root`. */
  readonly host?: Host;
}

/** @throws InstallerError E_USAGE for options that are unknown or of a wrong type; E_ROOT_INVALID, E_PATH_UNSAFE, E_JOURNAL_UNREAD */
export async function status(options: StatusOptions = {}): Promise<Status> {
  mustBeStatusOptions(options);
  const product = options.product ?? mcpOauthProxy;
  const root = options.root ?? '/';
  const real = options.host ?? createRealHost({ root });
  // Missing packages and downgrades are an installation's concern; an edit is kept, since nobody asks for a change.
  const request: Request = { ...plainRequest, product: product.name, edits: 'keep', downgrade: true };
  const session = new Session({
    trust: { root, owner: real.owner },
    journal: options.host === undefined ? 'read' : 'none',
    machine: { id: installerMachine.id, version: machineVersion },
    installer: version,
    command: 'status',
    keepsKey: false,
    founds: false,
    input: { request },
    product,
  });
  try {
    return await look(session, product, real, request);
  } finally {
    session.close();
  }
}
