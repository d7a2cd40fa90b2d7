/** Recorded runs, as short as they can be: events as the journal holds them. */
import { pathOf, type RunPath } from '../../src/diagram/path.ts';
import { InstallerError } from '../../src/errors.ts';
import type { RecordedEvent } from '../../src/machines/replay.ts';
import type { Operation, Plan } from '../../src/machines/types.ts';
import { plainRequest } from '../../src/request.ts';

const operation = (path: string): Operation => ({
  kind: 'writeFile',
  path,
  role: 'service',
  action: 'create',
  before: null,
  after: null,
  detail: [],
  because: null,
});

const plan: Plan = {
  hash: '00000000',
  operations: [operation('/a'), operation('/b')],
  reloads: [],
  questions: [],
  notes: [],
  settings: {},
};

const done = (actorId: string, output: unknown): RecordedEvent => ({
  type: `xstate.done.actor.${actorId}`,
  actorId,
  output,
});

const installing: readonly RecordedEvent[] = [
  done('preflight', { kind: 'ready', services: 'live', notes: [] }),
  done('detect', { kind: 'fresh', notes: [] }),
  done('generateSecrets', { kind: 'ready', secrets: [], notes: [] }),
  done('plan', { kind: 'planned', plan }),
  done('write', { outcome: 'changed' }),
  done('write', { outcome: 'changed' }),
  done('reload', { outcome: 'done', done: [] }),
  done('verify', { outcome: 'verified', notes: [] }),
];

const input = { request: plainRequest };

export const installed: RunPath = pathOf('20261124T024709Z-89b1', input, installing, 'installed');

/** Killed while it wrote. */
export const cutOff: RunPath = pathOf('20261124T024709Z-89b2', input, installing.slice(0, 5), null);

export const putBack: RunPath = pathOf(
  '20261124T024709Z-89b3',
  input,
  [
    ...installing.slice(0, 6),
    {
      type: 'xstate.error.actor.reload',
      actorId: 'reload',
      error: new InstallerError('E_UNHEALTHY').toJSON(),
    },
    done('undo', { restored: ['/a', '/b'], left: [] }),
  ],
  'rolledBack',
);
