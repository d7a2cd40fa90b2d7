/** States that change the host, prove the change, or put it back. */
import { reloadsOf, removalsOf } from './guards.ts';
import { installer } from './setup.ts';
import { failing, failure, interrupt, undoable, untouched } from './ways.ts';

export const writing = installer.createStateConfig({
  tags: ['working', 'changing'],
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
        description: 'One change is made, and more are planned.',
      },
      {
        target: 'reloading',
        actions: 'markChanged',
        description: 'The last planned change is made.',
      },
    ],
    onError: [...untouched, ...failing],
  },
});

export const reloading = installer.createStateConfig({
  tags: ['working', 'changing'],
  description: 'Checks the new configuration with the real tools, then makes running programs notice it.',
  on: undoable,
  invoke: {
    id: 'reload',
    src: 'reload',
    input: ({ context }) => ({ reloads: reloadsOf(context.plan) }),
    onDone: {
      target: 'verifying',
      actions: 'markChanged',
      description: 'Running programs use the new configuration.',
    },
    onError: [...untouched, ...failing],
  },
});

export const verifying = installer.createStateConfig({
  tags: ['working', 'changing'],
  description: 'Asks the running service itself: alive, its own listener, new secrets in, old ones refused.',
  on: {
    interrupt: [
      {
        guard: 'nothingChanged',
        target: 'interrupted',
        actions: [interrupt],
        description: 'A signal came. Nothing was changed, so there is nothing to put back.',
      },
      ...undoable.interrupt,
    ],
  },
  invoke: {
    id: 'verify',
    src: 'verify',
    input: ({ context }) => ({ plan: context.plan!, mode: context.mode }),
    onDone: [
      {
        guard: 'hasRemovals',
        target: 'purging',
        actions: { type: 'addNotes', params: ({ event }) => ({ notes: event.output.notes }) },
        description: 'All else is done and proven: what cannot be brought back goes last.',
      },
      {
        guard: 'hasChanged',
        target: 'installed',
        actions: { type: 'addNotes', params: ({ event }) => ({ notes: event.output.notes }) },
        description: 'The service answers, with what was changed.',
      },
      {
        target: 'unchanged',
        actions: { type: 'addNotes', params: ({ event }) => ({ notes: event.output.notes }) },
        description: 'The service answers, and nothing had to be changed.',
      },
    ],
    onError: [
      {
        guard: 'nothingChanged',
        target: 'failed',
        actions: [failure],
        description: 'The service does not answer. Nothing was changed, so there is nothing to put back.',
      },
      ...failing,
    ],
  },
});

export const purging = installer.createStateConfig({
  tags: ['working', 'changing'],
  description: "Deletes the service's own state, of which there is no copy.",
  on: {
    interrupt: {
      description: 'What is half deleted cannot be put back, so it is deleted to its end: it waits.',
    },
  },
  invoke: {
    id: 'purge',
    src: 'purge',
    input: ({ context }) => ({ paths: removalsOf(context.plan).map(({ unit }) => unit) }),
    onDone: {
      target: 'installed',
      actions: 'markChanged',
      description: 'Nothing of it is left.',
    },
    onError: {
      target: 'failed',
      actions: [failure],
      description:
        'Not all of it could be deleted, and nothing is put back: the next purge deletes the rest.',
    },
  },
});

export const rollingBack = installer.createStateConfig({
  tags: ['working', 'changing'],
  description: 'Puts back files, modes, owners and units as they were before the run.',
  on: {
    interrupt: { description: 'An impatient second Ctrl-C must not leave the host half put back: it waits.' },
  },
  invoke: {
    id: 'undo',
    src: 'undo',
    input: ({ context }) => ({ reason: context.error! }),
    onDone: [
      {
        guard: 'wasInterrupted',
        target: 'interrupted',
        actions: { type: 'takeUndone', params: ({ event }) => event.output },
        description: 'All is as it was; a signal was why.',
      },
      {
        target: 'rolledBack',
        actions: { type: 'takeUndone', params: ({ event }) => event.output },
        description: 'All is as it was; a failure was why.',
      },
    ],
    onError: {
      target: 'failed',
      actions: [failure],
      description: 'Not everything could be put back: what to do is printed.',
    },
  },
});
