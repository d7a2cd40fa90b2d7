/** `verify` of a run that undoes: what ran then answers, and what later runs need to know is on record. */
import type { VerifyOutput } from '../../machines/types.ts';
import { lookAt } from '../identity.ts';
import type { Scope, Target } from '../scope.ts';
import { unitsOf } from '../units.ts';
import { verifyService, verifyWeb } from '../verify.ts';
import { webOnDisk } from '../view.ts';

const startTimeout = 30_000;

/** Code that was the user's own then is so again, and what was not is not. */
function settleSources(scope: Scope, { sources }: Target): void {
  const { sourcesSupplied: hashes, sourcesInsteadOf } = sources;
  const known = scope.memory().sourcesSupplied;
  if (known.length === hashes.length && hashes.every((hash) => known.includes(hash))) return;
  scope.record({ fact: 'sourceSupplied', hashes: [], only: true });
  for (const hash of hashes) {
    const bundled = sourcesInsteadOf[hash];
    scope.record({
      fact: 'sourceSupplied',
      hashes: [hash],
      only: false,
      ...(bundled === undefined ? {} : { bundled }),
    });
  }
}

function settle(scope: Scope, target: Target): void {
  const { product } = scope;
  for (const { path, baselines } of target.paths) scope.record({ fact: 'knownAs', path, baselines });
  settleSources(scope, target);
  // What interrupted runs owed to a program that does not run any more is not owed to anybody.
  const own = ['systemd', ...unitsOf(product), product.webUnit];
  const owed = scope.state.services === 'live' ? scope.memory().owed : [];
  for (const { what, unit } of owed) if (own.includes(unit)) scope.record({ fact: 'settled', what, unit });
  scope.record({ fact: 'undone', to: target.to });
}

/** A site that a person edited is theirs to answer for. */
async function verifySite(scope: Scope, target: Target): Promise<void> {
  const web = webOnDisk(scope);
  if (web === null || !scope.state.restarted.has(scope.product.webUnit)) return;
  const known = target.paths.find(({ path }) => path === web.site);
  const hash = lookAt(scope.host, web.site)?.identity.hash ?? '';
  const isOurs = known === undefined ? scope.memory().baselines[web.site] : [known.before?.hash];
  if (isOurs?.includes(hash) === true) await verifyWeb(scope, web);
}

/** @throws InstallerError E_UNHEALTHY, E_FOREIGN_LISTENER, E_SITE_STALE */
export async function verifyUndoing(scope: Scope): Promise<VerifyOutput> {
  const { state, product } = scope;
  const { target } = state;
  if (target === null) return { outcome: 'deferred', notes: [] };
  if (state.predicted) return { outcome: 'predicted', notes: [] };
  const live = state.services === 'live' && target.running?.includes(product.service) === true;
  if (live) {
    await verifyService(scope, startTimeout);
    await verifySite(scope, target);
  }
  settle(scope, target);
  return { outcome: live ? 'verified' : 'deferred', notes: [] };
}
