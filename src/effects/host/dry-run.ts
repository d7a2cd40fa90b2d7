/**
 * The dry run: the same effects over a host that reads for real and only reports changes. What follows from a change
 * (a configuration test, a reload, a verification) then comes back as predicted, never as a made-up success.
 */
import type { Change, Host, HostReads } from './port.ts';

/** A host that reads for real, and reports every change as `predicted` instead of making it. */
export function createDryRunHost(reads: HostReads): Host {
  const predicted = (): Promise<Change & 'predicted'> => Promise.resolve('predicted');
  return {
    ...reads,
    makeDirectory: predicted,
    writeFile: predicted,
    makeLink: predicted,
    remove: predicted,
    removeTree: predicted,
    setMode: predicted,
    change: () => Promise.resolve('predicted'),
  };
}
