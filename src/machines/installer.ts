/**
 * The installer as a statechart: detect → (fresh | existing | forceRotate) → write → reload, and what makes it safe.
 *
 * Pure: it knows states, guards and context. Every working state invokes one actor; its result is the next event.
 * The actors are placeholders here; `install` provides those of a host, tests provide scripted ones.
 */
import { purging, reloading, rollingBack, verifying, writing } from './changing.ts';
import { confirming, detecting, existing, forceRotate, fresh, planning, preflight } from './looking.ts';
import { outputOf } from './outcome.ts';
import { installer } from './setup.ts';
import type { Context, Outcome, Output } from './types.ts';

/** Changes with every change of states or events that an older journal could not be folded through. */
export const machineVersion = '2';

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

const final = (outcome: Outcome, description: string) =>
  ({
    type: 'final',
    tags: 'ended',
    description,
    output: ({ context }: { context: Context }) => outputOf(outcome, context),
  }) as const;

/**
 * The machine, with placeholders for its ten actors that fail when they are invoked. Starts with `{ input: { request
 * } }`; its output is an {@link Output}.
 */
export const installerMachine = installer.createMachine({
  id: 'installer',
  version: machineVersion,
  description: 'Installs a service on a host already in service; secrets stay unless rotation is asked for.',
  context: ({ input }) => ({ ...startingPoint, request: input.request }),
  output: ({ event }) => (event as unknown as { output: Output }).output,
  initial: 'preflight',
  states: {
    preflight,
    detecting,
    fresh,
    existing,
    forceRotate,
    planning,
    confirming,
    writing,
    reloading,
    verifying,
    purging,
    rollingBack,
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
