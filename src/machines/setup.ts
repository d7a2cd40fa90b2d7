/** What the machine is made of: its types, its actors (placeholders), and its guards and actions by their names. */
import { assign, fromPromise, setup } from 'xstate';
import { toPublicError } from '../errors.ts';
import * as is from './guards.ts';
import type { ActorContract, Context, Input, InterruptEvent, Mode, Note, Output } from './types.ts';

export type OutputOf<K extends keyof ActorContract> = ActorContract[K]['output'];

function notProvided<K extends keyof ActorContract>(name: K) {
  return fromPromise<OutputOf<K>, ActorContract[K]['input']>(() =>
    Promise.reject(new Error(`The effect '${name}' was not provided.`)),
  );
}

/** `looking`: nothing of the host is changed yet; `changing`: it may be; `ended`: a final state. */
type Tag = 'working' | 'looking' | 'changing' | 'ended';

const interruption = (signal: string) =>
  ({
    code: 'E_INTERRUPTED',
    message: `Interrupted by ${signal}.`,
    remedy: 'Run it again to finish.',
  }) as const;

export const installer = setup({
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-assertion -- this is how setup is told its types
  types: {} as { input: Input; context: Context; events: InterruptEvent; output: Output; tags: Tag },
  actors: {
    preflight: notProvided('preflight'),
    detect: notProvided('detect'),
    secrets: notProvided('secrets'),
    plan: notProvided('plan'),
    confirm: notProvided('confirm'),
    write: notProvided('write'),
    reload: notProvided('reload'),
    verify: notProvided('verify'),
    purge: notProvided('purge'),
    undo: notProvided('undo'),
  },
  guards: {
    isBusy: (_, output: OutputOf<'preflight'>) => is.isBusy(output),
    isRefused: (_, output: Parameters<typeof is.isRefused>[0]) => is.isRefused(output),
    mustRotate: ({ context }, output: OutputOf<'detect'>) => is.mustRotate(context, output),
    isFresh: (_, output: OutputOf<'detect'>) => is.isFresh(output),
    mustAsk: ({ context }, output: OutputOf<'plan'>) => is.mustAsk(context, output),
    plansOperations: (_, output: OutputOf<'plan'>) => is.plansOperations(output),
    plansReloads: (_, output: OutputOf<'plan'>) => is.plansReloads(output),
    isDeclined: (_, output: OutputOf<'confirm'>) => is.isDeclined(output),
    mustReplan: (_, output: OutputOf<'confirm'>) => is.mustReplan(output),
    hasOperations: ({ context }) => is.hasOperations(context.plan),
    hasReloads: ({ context }) => is.hasReloads(context.plan),
    hasRemovals: ({ context }) => is.removalsOf(context.plan).length > 0,
    hasMoreOperations: ({ context }) => is.hasMoreOperations(context),
    otherRunCameFirst: ({ context }, params: { error: unknown }) =>
      is.otherRunCameFirst(context, toPublicError(params.error)),
    journalFailedFirst: ({ context }, params: { error: unknown }) =>
      is.journalFailedFirst(context, toPublicError(params.error)),
    hasChanged: ({ context }) => context.changed,
    nothingChanged: ({ context }) => !context.changed,
    mayRollBack: ({ context }) => is.mayRollBack(context),
    wasInterrupted: ({ context }) => context.signal !== null,
  },
  actions: {
    noteInterrupt: assign({
      signal: (_, params: InterruptEvent) => params.signal,
      error: (_, params: InterruptEvent) => interruption(params.signal),
    }),
    noteError: assign({ error: (_, params: { error: unknown }) => toPublicError(params.error) }),
    addNotes: assign({
      notes: ({ context }, params: { notes: readonly Note[] }) => [...context.notes, ...params.notes],
    }),
    takePreflight: assign(({ context }, output: OutputOf<'preflight'>) =>
      output.kind === 'ready'
        ? { services: output.services, notes: [...context.notes, ...output.notes] }
        : {},
    ),
    enterMode: assign((_, params: { mode: Mode }) => ({ mode: params.mode })),
    takeDetection: assign(({ context }, output: OutputOf<'detect'>) =>
      output.kind === 'refused' ? {} : { notes: [...context.notes, ...output.notes] },
    ),
    takeSecrets: assign(({ context }, output: OutputOf<'secrets'>) =>
      output.kind === 'ready' ? { secrets: output.secrets, notes: [...context.notes, ...output.notes] } : {},
    ),
    takePlan: assign((_, output: OutputOf<'plan'>) =>
      output.kind === 'planned' ? { plan: output.plan } : {},
    ),
    takeAnswers: assign((_, output: OutputOf<'confirm'>) =>
      output.kind === 'replan' ? { answers: output.answers } : {},
    ),
    adoptPlanNotes: assign(({ context }) => ({ notes: [...context.notes, ...context.plan!.notes] })),
    takeUndone: assign((_, output: OutputOf<'undo'>) => ({ undone: output })),
    markChanged: assign({ changed: true }),
    nextOperation: assign({ next: ({ context }) => context.next + 1 }),
  },
});
