/** States that look, decide and ask: until the first write nothing of the host is changed. */
import { installer } from './setup.ts';
import type { Mode } from './types.ts';
import { busy, carryOut, entering, interruptible, planned, refusal, refusedWhere, refusing } from './ways.ts';

export const preflight = installer.createStateConfig({
  tags: ['working', 'looking'],
  description: 'Looks whether this host and this user can carry an installation; takes the lock.',
  on: interruptible,
  invoke: {
    id: 'preflight',
    src: 'preflight',
    input: ({ context }) => ({ request: context.request }),
    onDone: [
      {
        guard: busy,
        target: 'busy',
        actions: [refusal],
        description: 'Another run holds the lock.',
      },
      refusedWhere('This host or this user cannot carry an installation.'),
      {
        target: 'detecting',
        actions: { type: 'takePreflight', params: ({ event }) => event.output },
        description: 'Everything that an installation needs is here, and no other run is under way.',
      },
    ],
    onError: refusing,
  },
});

export const detecting = installer.createStateConfig({
  tags: ['working', 'looking'],
  description: 'Reads what is installed: is the host fresh, in service, or has it lost its secrets?',
  on: interruptible,
  invoke: {
    id: 'detect',
    src: 'detect',
    input: ({ context }) => ({ request: context.request }),
    onDone: [
      refusedWhere('What is there has lost its secrets, cannot be understood, or is not safe to touch.'),
      {
        guard: { type: 'mustRotate', params: ({ event }) => event.output },
        target: 'forceRotate',
        actions: entering('forceRotate'),
        description: '--force-rotate-tokens was given, and there is or was something to rotate.',
      },
      {
        guard: { type: 'isFresh', params: ({ event }) => event.output },
        target: 'fresh',
        actions: entering('fresh'),
        description: 'No trace of an installation.',
      },
      {
        target: 'existing',
        actions: entering('existing'),
        description: 'An installation is there, and its secrets stay.',
      },
    ],
    onError: refusing,
  },
});

interface SecretsState {
  readonly mode: Mode;
  /** Of what it starts. */
  readonly id: string;
  readonly description: string;
  /** What then is so of every secret. */
  readonly done: string;
}

/** Every one of these holds the secrets in memory alone: nothing is written before there is a plan. */
const secretsState = ({ mode, id, description, done }: SecretsState) =>
  installer.createStateConfig({
    tags: ['working', 'looking'],
    description,
    on: interruptible,
    invoke: {
      id,
      src: 'secrets',
      input: ({ context }) => ({ request: context.request, mode }),
      onDone: [
        refusedWhere('A secret was given that would replace another one unasked.'),
        {
          target: 'planning',
          actions: { type: 'takeSecrets', params: ({ event }) => event.output },
          description: done,
        },
      ],
      onError: refusing,
    },
  });

export const fresh = secretsState({
  mode: 'fresh',
  id: 'generateSecrets',
  description: 'Nothing is there: generates every secret, in memory.',
  done: 'Every secret has been made.',
});

export const existing = secretsState({
  mode: 'existing',
  id: 'loadSecrets',
  description: 'Loads the secrets that are there; generates one only where it is missing.',
  done: 'Every secret is there.',
});

export const forceRotate = secretsState({
  mode: 'forceRotate',
  id: 'rotateSecrets',
  description: 'Asked for by flag: new values for the named secrets, the others stay.',
  done: 'The named secrets have new values, which nothing uses yet.',
});

export const planning = installer.createStateConfig({
  tags: ['working', 'looking'],
  description: 'Compares what is with what should be; the differences are the plan.',
  on: interruptible,
  invoke: {
    id: 'plan',
    src: 'plan',
    input: ({ context }) => ({ request: context.request, mode: context.mode, answers: context.answers }),
    onDone: [
      refusedWhere('An edit, a value, a taken port or a missing package stands against what should be.'),
      {
        guard: { type: 'mustAsk', params: ({ event }) => event.output },
        target: 'confirming',
        actions: planned[0],
        description: 'The plan raises a question, and a person is there to answer it.',
      },
      {
        guard: { type: 'plansOperations', params: ({ event }) => event.output },
        target: 'writing',
        description: 'The plan stands, and files are to be changed.',
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
  tags: ['working', 'looking'],
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
        description: 'The person said no.',
        actions: [refusal],
      },
      {
        guard: { type: 'mustReplan', params: ({ event }) => event.output },
        target: 'planning',
        actions: { type: 'takeAnswers', params: ({ event }) => event.output },
        description: 'An answer changes the plan, so it is made again.',
      },
      ...carryOut.map((way) => ({
        ...way,
        actions: 'adoptPlanNotes' as const,
      })),
    ],
    onError: refusing,
  },
});
