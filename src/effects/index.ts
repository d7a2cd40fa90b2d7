/** The effects of one run, by the names under which the machine invokes them. */
import type { ActorContract } from '../machines/types.ts';
import { confirm } from './confirm.ts';
import { detect } from './detect.ts';
import { plan } from './plan.ts';
import { preflight } from './preflight.ts';
import { purge } from './purge.ts';
import { orRefused } from './refusal.ts';
import { reload } from './reload.ts';
import type { Scope } from './scope.ts';
import { secrets } from './secrets.ts';
import { undo } from './undo.ts';
import { verify } from './verify.ts';
import { write } from './write.ts';

/**
 * The effects of one run, one for each actor of the machine; what goes in and comes out is the {@link ActorContract}.
 */
export type Effects = {
  readonly [K in keyof ActorContract]: (
    input: ActorContract[K]['input'],
  ) => Promise<ActorContract[K]['output']>;
};

/**
 * The effects of one run on the host of its scope. They share the secrets there, so none crosses into the machine.
 */
export function createEffects(scope: Scope): Effects {
  return {
    preflight: ({ request }) => orRefused(() => preflight(scope, request)),
    detect: ({ request }) => orRefused(() => detect(scope, request)),
    secrets: ({ request, mode }) => orRefused(() => secrets(scope, request, mode)),
    plan: ({ request, mode, answers }) => plan(scope, request, mode, answers),
    confirm: ({ plan: planned, answers }) => confirm(scope, planned, answers),
    write: ({ operation, index }) => write(scope, operation, index),
    reload: ({ reloads }) => reload(scope, reloads),
    verify: ({ mode }) => verify(scope, mode),
    purge: ({ paths }) => purge(scope, paths),
    undo: ({ reason }) => undo(scope, reason),
  };
}
