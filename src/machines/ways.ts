/** Ways out of states that several of them share: interrupts, refusals, failures, and where a plan leads. */
import type * as is from './guards.ts';
import type { OutputOf } from './setup.ts';
import type { InterruptEvent, Mode } from './types.ts';

export const interrupt = {
  type: 'noteInterrupt' as const,
  params: ({ event }: { event: InterruptEvent }) => event,
};
export const failure = {
  type: 'noteError' as const,
  params: ({ event }: { event: { error: unknown } }) => ({ error: event.error }),
};

/** Before the first write an interrupt simply ends the run: there is nothing to put back. */
export const interruptible = {
  interrupt: {
    target: '#installer.interrupted',
    actions: [interrupt],
    description: 'A signal came. Nothing was changed yet, so there is nothing to put back.',
  },
} as const;

/** From the first write on, ending early means putting back, unless --no-rollback. */
export const undoable = {
  interrupt: [
    {
      guard: 'mayRollBack',
      target: '#installer.rollingBack',
      actions: [interrupt],
      description: 'A signal came: what was changed is put back first.',
    },
    {
      target: '#installer.failed',
      // A change is under way and goes on to its end.
      actions: [interrupt, 'markChanged'],
      description: 'A signal came, and --no-rollback leaves all as it is.',
    },
  ],
} as const;

export const failing = [
  {
    guard: 'mayRollBack',
    target: 'rollingBack',
    actions: [failure],
    description: 'Its work failed: what was changed is put back.',
  },
  {
    target: 'failed',
    actions: [failure],
    description: 'Its work failed, and --no-rollback leaves all as it is.',
  },
] as const;

const errorOf = ({ event }: { event: { error: unknown } }) => ({ error: event.error });

/** Failures of the first change that touched nothing: there is nothing to put back. */
export const untouched = [
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

export const refusing = {
  target: 'refused',
  actions: [failure],
  description: 'Its work failed before anything was changed, so there is nothing to put back.',
} as const;

export const busy = {
  type: 'isBusy' as const,
  params: ({ event }: { event: { output: OutputOf<'preflight'> } }) => event.output,
};
const refused = {
  type: 'isRefused' as const,
  params: ({ event }: { event: { output: Parameters<typeof is.isRefused>[0] } }) => event.output,
};

export const entering = (mode: Mode) =>
  [
    { type: 'enterMode' as const, params: { mode } },
    {
      type: 'takeDetection' as const,
      params: ({ event }: { event: { output: OutputOf<'detect'> } }) => event.output,
    },
  ] as const;

export const planned = [
  { type: 'takePlan' as const, params: ({ event }: { event: { output: OutputOf<'plan'> } }) => event.output },
  'adoptPlanNotes' as const,
] as const;

export const refusal = {
  type: 'noteError' as const,
  params: ({ event }: { event: { output: { kind: string; error?: unknown } } }) => ({
    error: event.output.error,
  }),
};

/** What was asked says no, with its reason. */
export const refusedWhere = (description: string) => ({
  guard: refused,
  target: 'refused' as const,
  actions: [refusal],
  description,
});

/** Where a plan leads: the same question after planning and after an answer. */
export const carryOut = [
  { guard: 'hasOperations', target: 'writing', description: 'The plan stands, and files are to be changed.' },
  { guard: 'hasReloads', target: 'reloading', description: 'No file changes, but a restart is due.' },
  { target: 'verifying', description: 'Nothing to do: the host is asked all the same.' },
] as const;
