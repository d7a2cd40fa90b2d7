/** States that look, decide and ask: until the first write nothing of the host is changed. */
import { installer } from './setup.ts';
import { busy, carryOut, entering, interruptible, planned, refusal, refused, refusing } from './ways.ts';

export const preflight = installer.createStateConfig({
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
});

export const detecting = installer.createStateConfig({
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
});

export const fresh = installer.createStateConfig({
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
});

export const existing = installer.createStateConfig({
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
});

export const forceRotate = installer.createStateConfig({
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
});

export const planning = installer.createStateConfig({
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
});

export const confirming = installer.createStateConfig({
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
});
