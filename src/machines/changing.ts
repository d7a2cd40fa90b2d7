/** States that change the host, prove the change, or put it back. */
import { installer } from './setup.ts';
import { failing, failure, interrupt, undoable, untouched } from './ways.ts';

export const writing = installer.createStateConfig({
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
});

export const reloading = installer.createStateConfig({
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
});

export const verifying = installer.createStateConfig({
  tags: 'working',
  description: 'Asks the running service itself: alive, its own listener, new secrets in, old ones refused.',
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
});

export const rollingBack = installer.createStateConfig({
  tags: 'working',
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
      },
      { target: 'rolledBack', actions: { type: 'takeUndone', params: ({ event }) => event.output } },
    ],
    onError: { target: 'failed', actions: [failure] },
  },
});
