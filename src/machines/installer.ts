/**
 * The installer as a statechart: detect → (fresh | existing | forceRotate) → write → reload, and what makes it safe.
 *
 * Pure: it knows states, guards and context. Every working state invokes one actor; its result is the next event.
 * The actors are placeholders here; `install` provides those of a host, tests provide scripted ones.
 */
import { assign, fromPromise, setup } from 'xstate';
import { toPublicError } from '../errors.ts';
import * as is from './guards.ts';
import { outputOf } from './outcome.ts';
import type { ActorContract, Context, Input, InterruptEvent, Mode, Note, Outcome, Output } from './types.ts';

/** Changes with every change of states or events that an older journal could not be folded through. */
export const machineVersion = '1';

type OutputOf<K extends keyof ActorContract> = ActorContract[K]['output'];

function notProvided<K extends keyof ActorContract>(name: K) {
  return fromPromise<OutputOf<K>, ActorContract[K]['input']>(() =>
    Promise.reject(new Error(`The effect '${name}' was not provided.`)),
  );
}

const interruption = (signal: string) =>
  ({
    code: 'E_INTERRUPTED',
    message: `Interrupted by ${signal}.`,
    remedy: 'Run it again to finish.',
  }) as const;

const installer = setup({
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-assertion -- this is how setup is told its types
  types: {} as { input: Input; context: Context; events: InterruptEvent; output: Output; tags: 'working' },
  actors: {
    preflight: notProvided('preflight'),
    detect: notProvided('detect'),
    secrets: notProvided('secrets'),
    plan: notProvided('plan'),
    confirm: notProvided('confirm'),
    write: notProvided('write'),
    reload: notProvided('reload'),
    verify: notProvided('verify'),
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
    noteSignal: assign({ signal: (_, params: InterruptEvent) => params.signal }),
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
    adoptPlanNotes: assign(({ context }) => ({ notes: [...context.notes, ...(context.plan?.notes ?? [])] })),
    takeUndone: assign((_, output: OutputOf<'undo'>) => ({ undone: output })),
    markChanged: assign({ changed: true }),
    nextOperation: assign({ next: ({ context }) => context.next + 1 }),
  },
});

const interrupt = { type: 'noteInterrupt' as const, params: ({ event }: { event: InterruptEvent }) => event };
const failure = {
  type: 'noteError' as const,
  params: ({ event }: { event: { error: unknown } }) => ({ error: event.error }),
};

/** Before the first write an interrupt simply ends the run: there is nothing to put back. */
const interruptible = {
  interrupt: {
    target: '#installer.interrupted',
    actions: [interrupt],
    description: 'Nothing was changed yet, so there is nothing to put back.',
  },
} as const;

/** From the first write on, ending early means putting back, unless --no-rollback. */
const undoable = {
  interrupt: [
    { guard: 'mayRollBack', target: '#installer.rollingBack', actions: [interrupt] },
    { target: '#installer.failed', actions: [interrupt], description: '--no-rollback leaves all as it is.' },
  ],
} as const;

const failing = [
  { guard: 'mayRollBack', target: 'rollingBack', actions: [failure] },
  { target: 'failed', actions: [failure], description: '--no-rollback leaves all as it is.' },
] as const;

interface Failed {
  event: { error: unknown };
}
const errorOf = ({ event }: Failed) => ({ error: event.error });

/** Failures of the first change that touched nothing: there is nothing to put back. */
const untouched = [
  {
    guard: { type: 'otherRunCameFirst' as const, params: errorOf },
    target: 'busy',
    actions: [failure],
    description: 'On a fresh host the lock is taken with the first change, and another run was faster.',
  },
  {
    guard: { type: 'journalFailedFirst' as const, params: errorOf },
    target: 'refused',
    actions: [failure],
    description: 'Without a journal nothing is changed.',
  },
] as const;

const refusing = { target: 'refused', actions: [failure] } as const;

const busy = {
  type: 'isBusy' as const,
  params: ({ event }: { event: { output: OutputOf<'preflight'> } }) => event.output,
};
type Refusable = Parameters<typeof is.isRefused>[0];
const refused = {
  type: 'isRefused' as const,
  params: ({ event }: { event: { output: Refusable } }) => event.output,
};

interface DetectDone {
  event: { output: OutputOf<'detect'> };
}
const entering = (mode: Mode) =>
  [
    { type: 'enterMode' as const, params: { mode } },
    { type: 'takeDetection' as const, params: ({ event }: DetectDone) => event.output },
  ] as const;

interface PlanDone {
  event: { output: OutputOf<'plan'> };
}
const planned = [
  { type: 'takePlan' as const, params: ({ event }: PlanDone) => event.output },
  'adoptPlanNotes' as const,
] as const;

interface ErrorOutput {
  event: { output: { kind: string; error?: unknown } };
}
const refusal = {
  type: 'noteError' as const,
  params: ({ event }: ErrorOutput) => ({ error: event.output.error }),
};

const startingPoint: Omit<Context, 'request'> = {
  services: 'offline',
  mode: 'existing',
  secrets: [],
  answers: { answered: [], settings: {}, edits: null },
  plan: null,
  next: 0,
  changed: false,
  notes: [],
  error: null,
  signal: null,
  undone: null,
};

/** Where a plan leads: the same question after planning and after an answer. */
const carryOut = [
  { guard: 'hasOperations', target: 'writing' },
  { guard: 'hasReloads', target: 'reloading', description: 'No file changes, but a restart is due.' },
  { target: 'verifying', description: 'Nothing to do: the host is asked all the same.' },
] as const;

const final = (outcome: Outcome, description: string) =>
  ({
    type: 'final',
    description,
    output: ({ context }: { context: Context }) => outputOf(outcome, context),
  }) as const;

export const installerMachine = installer.createMachine({
  id: 'installer',
  version: machineVersion,
  description: 'Installs a service on a host already in service; secrets stay unless rotation is asked for.',
  context: ({ input }) => ({ ...startingPoint, request: input.request }),
  output: ({ event }) => (event as unknown as { output: Output }).output,
  initial: 'preflight',
  states: {
    preflight: {
      tags: 'working',
      description: 'Looks whether this host and this user can carry an installation; takes the lock.',
      on: interruptible,
      invoke: {
        id: 'preflight',
        src: 'preflight',
        input: ({ context }) => ({ request: context.request }),
        onDone: [
          { guard: busy, target: 'busy', actions: [refusal] },
          { guard: refused, target: 'refused', actions: [refusal] },
          {
            target: 'detecting',
            actions: { type: 'takePreflight', params: ({ event }) => event.output },
          },
        ],
        onError: refusing,
      },
    },
    detecting: {
      tags: 'working',
      description: 'Reads what is installed: is the host fresh, in service, or has it lost its secrets?',
      on: interruptible,
      invoke: {
        id: 'detect',
        src: 'detect',
        input: ({ context }) => ({ request: context.request }),
        onDone: [
          { guard: refused, target: 'refused', actions: [refusal] },
          {
            guard: { type: 'mustRotate', params: ({ event }) => event.output },
            target: 'forceRotate',
            actions: entering('forceRotate'),
          },
          {
            guard: { type: 'isFresh', params: ({ event }) => event.output },
            target: 'fresh',
            actions: entering('fresh'),
          },
          { target: 'existing', actions: entering('existing') },
        ],
        onError: refusing,
      },
    },
    fresh: {
      tags: 'working',
      description: 'Nothing is there: generates every secret, in memory.',
      on: interruptible,
      invoke: {
        id: 'generateSecrets',
        src: 'secrets',
        input: ({ context }) => ({ request: context.request, mode: 'fresh' as const }),
        onDone: [
          { guard: refused, target: 'refused', actions: [refusal] },
          { target: 'planning', actions: { type: 'takeSecrets', params: ({ event }) => event.output } },
        ],
        onError: refusing,
      },
    },
    existing: {
      tags: 'working',
      description: 'Loads the secrets that are there; generates one only where it is missing.',
      on: interruptible,
      invoke: {
        id: 'loadSecrets',
        src: 'secrets',
        input: ({ context }) => ({ request: context.request, mode: 'existing' as const }),
        onDone: [
          { guard: refused, target: 'refused', actions: [refusal] },
          { target: 'planning', actions: { type: 'takeSecrets', params: ({ event }) => event.output } },
        ],
        onError: refusing,
      },
    },
    forceRotate: {
      tags: 'working',
      description: 'Asked for by flag: new values for the named secrets, the others stay.',
      on: interruptible,
      invoke: {
        id: 'rotateSecrets',
        src: 'secrets',
        input: ({ context }) => ({ request: context.request, mode: 'forceRotate' as const }),
        onDone: [
          { guard: refused, target: 'refused', actions: [refusal] },
          { target: 'planning', actions: { type: 'takeSecrets', params: ({ event }) => event.output } },
        ],
        onError: refusing,
      },
    },
    planning: {
      tags: 'working',
      description: 'Compares what is with what should be; the differences are the plan.',
      on: interruptible,
      invoke: {
        id: 'plan',
        src: 'plan',
        input: ({ context }) => ({ request: context.request, mode: context.mode, answers: context.answers }),
        onDone: [
          { guard: refused, target: 'refused', actions: [refusal] },
          {
            guard: { type: 'mustAsk', params: ({ event }) => event.output },
            target: 'confirming',
            actions: planned[0],
          },
          {
            guard: { type: 'plansOperations', params: ({ event }) => event.output },
            target: 'writing',
            actions: planned,
          },
          {
            guard: { type: 'plansReloads', params: ({ event }) => event.output },
            target: 'reloading',
            description: 'No file changes, but a restart is due.',
            actions: planned,
          },
          {
            target: 'verifying',
            description: 'Nothing to do: the host is asked all the same.',
            actions: planned,
          },
        ],
        onError: refusing,
      },
    },
    confirming: {
      tags: 'working',
      description: 'Asks a person, on a terminal only.',
      on: interruptible,
      invoke: {
        id: 'confirm',
        src: 'confirm',
        input: ({ context }) => ({ plan: context.plan!, mode: context.mode, answers: context.answers }),
        onDone: [
          {
            guard: { type: 'isDeclined', params: ({ event }) => event.output },
            target: 'declined',
            actions: [refusal],
          },
          {
            guard: { type: 'mustReplan', params: ({ event }) => event.output },
            target: 'planning',
            actions: { type: 'takeAnswers', params: ({ event }) => event.output },
          },
          ...carryOut.map((way) => ({
            ...way,
            actions: 'adoptPlanNotes' as const,
          })),
        ],
        onError: refusing,
      },
    },
    writing: {
      tags: 'working',
      description: 'Makes one planned change an event, so the journal and a crash see each one.',
      on: undoable,
      invoke: {
        id: 'write',
        src: 'write',
        input: ({ context }) => ({ operation: context.plan!.operations[context.next]!, index: context.next }),
        onDone: [
          {
            guard: 'hasMoreOperations',
            target: 'writing',
            reenter: true,
            actions: ['markChanged', 'nextOperation'],
          },
          { target: 'reloading', actions: 'markChanged' },
        ],
        onError: [...untouched, ...failing],
      },
    },
    reloading: {
      tags: 'working',
      description: 'Checks the new configuration with the real tools, then makes running programs notice it.',
      on: undoable,
      invoke: {
        id: 'reload',
        src: 'reload',
        input: ({ context }) => ({ reloads: context.plan!.reloads }),
        onDone: { target: 'verifying', actions: 'markChanged' },
        onError: [...untouched, ...failing],
      },
    },
    verifying: {
      tags: 'working',
      description:
        'Asks the running service itself: alive, its own listener, new secrets in, old ones refused.',
      on: {
        interrupt: [
          { guard: 'nothingChanged', target: 'interrupted', actions: [interrupt] },
          ...undoable.interrupt,
        ],
      },
      invoke: {
        id: 'verify',
        src: 'verify',
        input: ({ context }) => ({ plan: context.plan!, mode: context.mode }),
        onDone: [
          {
            guard: 'hasChanged',
            target: 'installed',
            actions: { type: 'addNotes', params: ({ event }) => ({ notes: event.output.notes }) },
          },
          {
            target: 'unchanged',
            actions: { type: 'addNotes', params: ({ event }) => ({ notes: event.output.notes }) },
          },
        ],
        onError: [
          {
            guard: 'nothingChanged',
            target: 'failed',
            actions: [failure],
            description: 'Nothing was changed, so there is nothing to put back.',
          },
          ...failing,
        ],
      },
    },
    rollingBack: {
      tags: 'working',
      description: 'Puts back files, modes, owners and units as they were before the run.',
      // An impatient second Ctrl-C must not leave the host half put back.
      on: { interrupt: { actions: { type: 'noteSignal', params: ({ event }) => event } } },
      invoke: {
        id: 'undo',
        src: 'undo',
        input: ({ context }) => ({ reason: context.error! }),
        onDone: [
          {
            guard: 'wasInterrupted',
            target: 'interrupted',
            actions: { type: 'takeUndone', params: ({ event }) => event.output },
          },
          { target: 'rolledBack', actions: { type: 'takeUndone', params: ({ event }) => event.output } },
        ],
        onError: { target: 'failed', actions: [failure] },
      },
    },
    installed: final('installed', 'Something was changed, and the service answers.'),
    unchanged: final('unchanged', 'Nothing had to be changed, and the service answers.'),
    refused: final('refused', 'Failed before anything was changed.'),
    busy: final('busy', 'Another run is under way.'),
    declined: final('declined', 'A person said no.'),
    interrupted: final('interrupted', 'Ended by a signal, after putting back what was changed.'),
    rolledBack: final('rolledBack', 'Failed, and the host was put back.'),
    failed: final('failed', 'Failed, and not put back.'),
  },
});
