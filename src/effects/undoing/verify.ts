/** `verify` of a run that undoes: what ran then answers, and what later runs need to know is on record. */
import type { VerifyOutput } from '../../machines/types.ts';
import type { Scope, Target } from '../scope.ts';
import { verifyService } from '../verify.ts';

const startTimeout = 30_000;

function settle(scope: Scope, target: Target): void {
  for (const { path, baselines } of target.paths) scope.record({ fact: 'knownAs', path, baselines });
  if (target.to !== null) scope.record({ fact: 'undone', to: target.to });
}

/** @throws InstallerError E_UNHEALTHY, E_FOREIGN_LISTENER */
export async function verifyUndoing(scope: Scope): Promise<VerifyOutput> {
  const { state, product } = scope;
  const { target } = state;
  if (target === null) return { outcome: 'deferred', notes: [] };
  if (state.predicted) return { outcome: 'predicted', notes: [] };
  const live = state.services === 'live' && target.running?.includes(product.service) === true;
  if (live) {
    state.settings = target.settings ?? state.settings;
    await verifyService(scope, startTimeout);
  }
  settle(scope, target);
  return { outcome: live ? 'verified' : 'deferred', notes: [] };
}
