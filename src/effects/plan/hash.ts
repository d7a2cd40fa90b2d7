/** One name for "these changes": equal for a dry run and the run after it, and free of anything that tells of a secret. */
import type { Operation, Plan } from '../../machines/types.ts';
import type { Settings } from '../../products/product.ts';
import { sha256 } from '../identity.ts';

/**
 * First 8 hex digits of a sha256 over operations and reloads. The env file counts by its masked text: a fresh secret is
 * another one in each run, and a hash of it must not leave the effects.
 */
export function planHash(
  operations: readonly Operation[],
  reloads: Plan['reloads'],
  env: { readonly masked: string; readonly settings: Settings },
): string {
  const changes = operations.map(({ kind, path, action, before, after, detail }) => ({
    kind,
    path,
    action,
    before,
    after,
    detail,
  }));
  const programs = reloads.map(({ what, unit, how }) => ({ what, unit, how }));
  return sha256(JSON.stringify({ changes, programs, env })).slice(0, 8);
}
