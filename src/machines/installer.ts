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
import type { ActorContract, Context, Input, InterruptEvent, Note, Outcome, Output } from './types.ts';

/** Changes with every change of states or events that an older journal could not be folded through. */
export const machineVersion = '1';

type Actor<K extends keyof ActorContract> = ActorContract[K];

function notProvided<K extends keyof ActorContract>(name: K) {
  return fromPromise<Actor<K>['output'], Actor<K>['input']>(() =>
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
    mayRollBack: ({ context }) => is.mayRollBack(context),
    hasChanged: ({ context }) => context.changed,
    hasOperations: ({ context }) => is.hasOperations(context.plan),
    hasReloads: ({ context }) => is.hasReloads(context.plan),
    hasMoreOperations: ({ context }) => is.hasMoreOperations(context),
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

const refusing = { target: 'refused', actions: [failure] } as const;

type ErrorOutput = { event: { output: { kind: string; error?: unknown } } };
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
  ({ type: 'final', description, output: ({ context }: { context: Context }) => outputOf(outcome, context) }) as const;

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
          { guard: ({ event }) => is.isBusy(event.output), target: 'busy', actions: [refusal] },
          { guard: ({ event }) => is.isRefused(event.output), target: 'refused', actions: [refusal] },
          {
            target: 'detecting',
            actions: assign(({ context, event }) =>
              event.output.kind === 'ready'
                ? { services: event.output.services, notes: [...context.notes, ...event.output.notes] }
                : {},
            ),
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
          { guard: ({ event }) => is.isRefused(event.output), target: 'refused', actions: [refusal] },
          {
            guard: ({ context, event }) => is.mustRotate(context, event.output),
            target: 'forceRotate',
            actions: assign({ mode: 'forceRotate' }),
          },
          {
            guard: ({ event }) => is.isFresh(event.output),
            target: 'fresh',
            actions: assign({ mode: 'fresh' }),
          },
          { target: 'existing', actions: assign({ mode: 'existing' }) },
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
          { guard: ({ event }) => is.isRefused(event.output), target: 'refused', actions: [refusal] },
          { target: 'planning', actions: assign(({ context, event }) => takeSecrets(context, event.output)) },
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
          { guard: ({ event }) => is.isRefused(event.output), target: 'refused', actions: [refusal] },
          { target: 'planning', actions: assign(({ context, event }) => takeSecrets(context, event.output)) },
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
          { guard: ({ event }) => is.isRefused(event.output), target: 'refused', actions: [refusal] },
          { target: 'planning', actions: assign(({ context, event }) => takeSecrets(context, event.output)) },
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
          { guard: ({ event }) => is.isRefused(event.output), target: 'refused', actions: [refusal] },
          {
            guard: ({ context, event }) => is.mustAsk(context, event.output),
            target: 'confirming',
            actions: assign(({ event }) => (event.output.kind === 'planned' ? { plan: event.output.plan } : {})),
          },
          {
            guard: ({ event }) => event.output.kind === 'planned' && is.hasOperations(event.output.plan),
            target: 'writing',
            actions: assign(({ context, event }) => takePlan(context, event.output)),
          },
          {
            guard: ({ event }) => event.output.kind === 'planned' && is.hasReloads(event.output.plan),
            target: 'reloading',
            description: 'No file changes, but a restart is due.',
            actions: assign(({ context, event }) => takePlan(context, event.output)),
          },
          {
            target: 'verifying',
            description: 'Nothing to do: the host is asked all the same.',
            actions: assign(({ context, event }) => takePlan(context, event.output)),
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
          { guard: ({ event }) => is.isDeclined(event.output), target: 'declined', actions: [refusal] },
          {
            guard: ({ event }) => is.mustReplan(event.output),
            target: 'planning',
            actions: assign(({ event }) => (event.output.kind === 'replan' ? { answers: event.output.answers } : {})),
          },
          ...carryOut.map((way) => ({
            ...way,
            actions: {
              type: 'addNotes' as const,
              params: ({ context }: { context: Context }) => ({ notes: context.plan?.notes ?? [] }),
            },
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
        onError: [
          // Another run came first on a fresh host: nothing of ours was made, so there is nothing to put back.
          {
            guard: ({ context, event }) => toPublicError(event.error).code === 'E_BUSY' && !context.changed,
            target: 'busy',
            actions: [failure],
          },
          ...failing,
        ],
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
        onError: [...failing],
      },
    },
    verifying: {
      tags: 'working',
      description: 'Asks the running service itself: alive, its own listener, new secrets in, old ones refused.',
      on: {
        interrupt: [
          { guard: ({ context }) => !context.changed, target: 'interrupted', actions: [interrupt] },
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
            guard: ({ context }) => !context.changed,
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
            actions: assign({ undone: ({ event }) => event.output }),
          },
          { target: 'rolledBack', actions: assign({ undone: ({ event }) => event.output }) },
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

function takeSecrets(context: Context, output: ActorContract['secrets']['output']): Partial<Context> {
  if (output.kind !== 'ready') return {};
  return { secrets: output.secrets, notes: [...context.notes, ...output.notes] };
}

function takePlan(context: Context, output: ActorContract['plan']['output']): Partial<Context> {
  if (output.kind !== 'planned') return {};
  return { plan: output.plan, notes: [...context.notes, ...output.plan.notes] };
}
