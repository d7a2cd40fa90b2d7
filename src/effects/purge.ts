/** `purge`: deletes what a service has kept. No copy is made, so this is the last thing that a run does. */
import type { PurgeOutput } from '../machines/types.ts';
import type { Scope } from './scope.ts';

/** @throws InstallerError E_WRITE_FAILED: what was deleted until then is gone */
export async function purge(scope: Scope, paths: readonly string[]): Promise<PurgeOutput> {
  const { host, state } = scope;
  for (const path of paths) {
    scope.notify({ type: 'activity', text: `remove ${path}` });
    if ((await host.removeTree(path)) === 'predicted') state.predicted = true;
  }
  return { outcome: state.predicted ? 'predicted' : 'done', removed: paths };
}
