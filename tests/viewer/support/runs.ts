/** Runs to look at: each made by a real installation on a host in memory. */
import { createMemoryHost, type MemoryHost } from '../../../src/effects/host/memory.ts';
import { InstallerError } from '../../../src/errors.ts';
import { recorded, type Recorded } from './frames.ts';

/** Writing this file fails, after others have been written. */
export const unwritable = '/etc/nginx/conf.d/mcp-oauth-proxy.conf';

const full = (host: MemoryHost): MemoryHost => ({
  ...host,
  writeFile: (path, bytes, options) =>
    path === unwritable
      ? Promise.reject(new InstallerError('E_WRITE_FAILED', { path, why: 'ENOSPC: no space left on device' }))
      : host.writeFile(path, bytes, options),
});

export interface Runs {
  readonly fresh: Recorded;
  readonly existing: Recorded;
  readonly rotate: Recorded;
  /** Fails in the middle, and is put back. */
  readonly failing: Recorded;
  readonly dryRun: Recorded;
}

export async function makeRuns(): Promise<Runs> {
  const host = createMemoryHost();
  return {
    dryRun: await recorded({ host, dryRun: true }),
    fresh: await recorded({ host }),
    existing: await recorded({ host }),
    rotate: await recorded({ host, request: { rotate: 'all' } }),
    failing: await recorded({ host: full(createMemoryHost()) }),
  };
}
