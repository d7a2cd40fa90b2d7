/** Yes-or-no questions of the machine, as plain functions of what they are asked about. */
import type { PublicError } from '../errors.ts';
import type {
  Context,
  ConfirmOutput,
  DetectOutput,
  Plan,
  PlanOutput,
  PreflightOutput,
  Reload,
  Removal,
  SecretsOutput,
} from './types.ts';

export const isBusy = (output: PreflightOutput): boolean => output.kind === 'busy';

export const isRefused = (output: PreflightOutput | DetectOutput | SecretsOutput | PlanOutput): boolean =>
  output.kind === 'refused';

const wantsRotation = (context: Context): boolean => context.request.rotate !== 'none';

/** A fresh host has nothing to rotate: there, --force-rotate-tokens is a fresh install. */
export const mustRotate = (context: Context, output: DetectOutput): boolean =>
  wantsRotation(context) && (output.kind === 'existing' || output.kind === 'lost');

export const isFresh = (output: DetectOutput): boolean => output.kind === 'fresh';

export const mustAsk = (context: Context, output: PlanOutput): boolean =>
  context.request.ask && output.kind === 'planned' && output.plan.questions.length > 0;

export const hasOperations = (plan: Plan | null): boolean => (plan?.operations.length ?? 0) > 0;

export const hasReloads = (plan: Plan | null): boolean => (plan?.reloads.length ?? 0) > 0;

export const hasMoreOperations = (context: Context): boolean =>
  context.next + 1 < (context.plan?.operations.length ?? 0);

export const isDeclined = (output: ConfirmOutput): boolean => output.kind === 'declined';

export const mustReplan = (output: ConfirmOutput): boolean => output.kind === 'replan';

export const plansOperations = (output: PlanOutput): boolean =>
  output.kind === 'planned' && hasOperations(output.plan);

export const plansReloads = (output: PlanOutput): boolean =>
  output.kind === 'planned' && hasReloads(output.plan);

/** What running programs have to be made to notice. */
export const reloadsOf = (plan: Plan | null): readonly Reload[] =>
  (plan?.reloads ?? []).filter((step) => step.what !== 'removeState');

/** What a purge deletes last. */
export const removalsOf = (plan: Plan | null): readonly Removal[] =>
  (plan?.reloads ?? []).filter((step) => step.what === 'removeState');

/** On a fresh host the lock can only be taken with the first write, and somebody may have been faster. */
export const otherRunCameFirst = (context: Context, error: PublicError): boolean =>
  error.code === 'E_BUSY' && !context.changed;

/** Without a journal nothing may be changed; as long as nothing was, there is nothing to put back either. */
export const journalFailedFirst = (context: Context, error: PublicError): boolean =>
  error.code === 'E_JOURNAL' && !context.changed;

/** Rollback is on unless --no-rollback; without it everything stays for looking at. */
export const mayRollBack = (context: Context): boolean => context.request.rollback;
