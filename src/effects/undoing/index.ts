/** The effects of a run that undoes past runs: those of an installation, with other looks and another plan. */
import { orRefused } from '../refusal.ts';
import type { Effects } from '../index.ts';
import type { Scope } from '../scope.ts';
import { planUndoing } from './plan.ts';
import { detectUndoing, secretsKept } from './target.ts';
import { verifyUndoing } from './verify.ts';

export const undoingEffects = (scope: Scope): Pick<Effects, 'detect' | 'secrets' | 'plan' | 'verify'> => ({
  detect: ({ request }) => orRefused(() => detectUndoing(scope, request.undo!)),
  secrets: () => orRefused(() => secretsKept(scope)),
  plan: () => planUndoing(scope),
  verify: () => verifyUndoing(scope),
});
