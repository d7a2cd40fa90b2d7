/** From how a run ended to its exit code, in one place (contract: docs/reference/exit-codes.md). */
import { errorTable } from '../errors.ts';
import type { Context, Outcome, Output, Signal } from './types.ts';

/** 128 + signal number, as shells report it. */
const signalExit: Record<Signal, number> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

function exitCode(outcome: Outcome, context: Context): number {
  // A bug stays a bug whatever was saved from it: scripts must be able to tell it from a failed host.
  if (context.error?.code === 'E_INTERNAL') return 70;
  switch (outcome) {
    case 'installed':
    case 'unchanged':
      return 0;
    case 'busy':
      return 11;
    case 'declined':
      return 10;
    case 'refused': {
      // Before anything was changed every failure is a failed preflight, whatever it would be called later.
      const exit = context.error === null ? 10 : errorTable[context.error.code].exit;
      return exit === 13 ? 10 : exit;
    }
    case 'rolledBack':
      return 12;
    case 'interrupted':
      return context.signal === null ? 13 : signalExit[context.signal];
    case 'failed':
      return 13;
  }
}

export const outputOf = (outcome: Outcome, context: Context): Output => ({
  outcome,
  exitCode: exitCode(outcome, context),
  mode: context.mode,
  changed: (outcome === 'installed' || outcome === 'failed') && context.changed,
  plan: context.plan,
  secrets: context.secrets,
  notes: context.notes,
  error: context.error,
  undone: context.undone,
});
