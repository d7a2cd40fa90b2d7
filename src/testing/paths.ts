/**
 * Walking the real machine: which events it may receive in each state, from a catalogue of everything that actors may
 * answer, and the paths through the graph that follows.
 */
import { getAdjacencyMap, getShortestPaths } from 'xstate/graph';
import type { EventObject } from 'xstate';
import { InstallerError, type PublicError } from '../errors.ts';
import { defaultRequest } from '../machines/request.ts';
import { installerMachine } from '../machines/installer.ts';
import type { Snapshot } from '../machines/replay.ts';
import type {
  ActorContract,
  Operation,
  Plan,
  Question,
  Reload,
  Removal,
  Request,
} from '../machines/types.ts';

const error = (
  code: 'E_UNHEALTHY' | 'E_BUSY' | 'E_JOURNAL' | 'E_WRITE_FAILED' | 'E_PLATFORM' | 'E_DECLINED',
): PublicError => new InstallerError(code).toJSON();

const operation = (path: string): Operation => ({
  kind: 'writeFile',
  path,
  role: 'service',
  action: 'create',
  before: null,
  after: { type: 'file', hash: 'a'.repeat(64), mode: 0o644, uid: 0, gid: 0 },
  detail: [],
  because: null,
});

const restart: Reload = { what: 'restart', unit: 'x.service', because: ['/x'], how: 'restart', owedBy: [] };
const removal: Removal = { what: 'removeState', unit: '/state', because: [], how: 'remove', owedBy: [] };
const question: Question = { id: 'rotation', text: 'Go on?', subjects: [] };

const plan = (operations: number, reloads: number, questions: number): Plan => ({
  hash: `0000000${operations}`,
  operations: Array.from({ length: operations }, (_, at) => operation(`/${at}`)),
  reloads: Array.from({ length: reloads }, () => restart),
  questions: Array.from({ length: questions }, () => question),
  notes: [],
  settings: {},
});

const plans = [
  plan(0, 0, 0),
  plan(0, 1, 0),
  plan(1, 0, 0),
  plan(2, 1, 0),
  plan(2, 1, 1),
  plan(0, 1, 1),
  plan(0, 0, 1),
  { ...plan(1, 0, 0), hash: 'removals', reloads: [removal] },
];

const refused = { kind: 'refused', error: error('E_PLATFORM') } as const;
const secrets: readonly ActorContract['secrets']['output'][] = [
  { kind: 'ready', secrets: [{ name: 'A', origin: 'preserved', fingerprint: '0' }], notes: [] },
  refused,
];

/** Everything that an actor may answer, as far as the machine can tell it apart. */
const outputs: Readonly<Record<string, readonly unknown[]>> = {
  preflight: [
    { kind: 'ready', services: 'live', notes: [] },
    { kind: 'ready', services: 'offline', notes: [] },
    { kind: 'busy', error: error('E_BUSY') },
    refused,
  ] satisfies ActorContract['preflight']['output'][],
  detect: [
    { kind: 'fresh', notes: [] },
    { kind: 'existing', notes: [] },
    { kind: 'lost', notes: [] },
    refused,
  ] satisfies ActorContract['detect']['output'][],
  generateSecrets: secrets,
  loadSecrets: secrets,
  rotateSecrets: secrets,
  plan: [
    ...plans.map((each) => ({ kind: 'planned', plan: each }) as const),
    refused,
  ] satisfies ActorContract['plan']['output'][],
  confirm: [
    { kind: 'proceed' },
    { kind: 'replan', answers: { answered: ['rotation'], settings: {}, edits: null } },
    { kind: 'declined', error: error('E_DECLINED') },
  ] satisfies ActorContract['confirm']['output'][],
  write: [{ outcome: 'changed' }, { outcome: 'predicted' }] satisfies ActorContract['write']['output'][],
  reload: [{ outcome: 'done', done: ['x.service'] }] satisfies ActorContract['reload']['output'][],
  verify: [{ outcome: 'verified', notes: [] }] satisfies ActorContract['verify']['output'][],
  purge: [{ outcome: 'done', removed: ['/state'] }] satisfies ActorContract['purge']['output'][],
  undo: [{ restored: ['/0'], left: [] }] satisfies ActorContract['undo']['output'][],
};

/** What an actor may fail with: an error of ours, two that mean something to the machine, and a bug. */
const failures: readonly unknown[] = [
  error('E_UNHEALTHY'),
  error('E_BUSY'),
  error('E_JOURNAL'),
  new TypeError('a bug'),
];

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What a machine on a path hears: the end of one of its actors, or an interrupt. */
export type PathEvent = EventObject & {
  readonly output?: unknown;
  readonly error?: unknown;
  readonly signal?: string;
};

function eventsIn(snapshot: Snapshot): PathEvent[] {
  if (snapshot.status !== 'active') return [];
  const running = Object.keys(snapshot.children);
  return [
    ...running.flatMap((id) =>
      (outputs[id] ?? []).map(
        (output): PathEvent => ({ type: `xstate.done.actor.${id}`, output, actorId: id }) as PathEvent,
      ),
    ),
    ...running.flatMap((id) =>
      failures.map(
        (failure): PathEvent =>
          ({ type: `xstate.error.actor.${id}`, error: failure, actorId: id }) as PathEvent,
      ),
    ),
    ...signals.map((signal): PathEvent => ({ type: 'interrupt', signal })),
  ];
}

/** What runs are asked for, as far as the machine decides by it: rotation, putting back, questions. */
export const pathRequests: readonly Request[] = (['none', 'all'] as const).flatMap((rotate) =>
  [true, false].flatMap((rollback) =>
    [true, false].map((ask) => ({ ...defaultRequest('example'), rotate, rollback, ask })),
  ),
);

/** All that decides what happens next: two snapshots that agree in it have the same future. */
function keyOf(snapshot: Snapshot): string {
  const { value, status, context } = snapshot;
  return JSON.stringify([
    value,
    status,
    context.mode,
    context.plan?.hash,
    context.plan?.reloads.length,
    context.plan?.questions.length,
    context.next,
    context.changed,
    context.signal,
    context.error?.code,
  ]);
}

/** One event, and the state of the machine after it. */
export interface MachineStep {
  readonly event: PathEvent;
  readonly state: string;
}

/** A way through the machine from its start, with what it was asked. */
export interface MachinePath {
  readonly request: Request;
  readonly steps: readonly MachineStep[];
}

const traversal = (request: Request) =>
  ({
    input: { request },
    events: (snapshot: Snapshot) => eventsIn(snapshot) as never[],
    serializeState: (snapshot: Snapshot) => keyOf(snapshot),
    serializeEvent: (event: PathEvent) =>
      JSON.stringify([event, event.error instanceof Error ? event.error.name : null]),
  }) as const;

/** The first step of a path is the machine's own start, which nobody sends. */
const isStart = ({ type }: { readonly type: string }): boolean => type === 'xstate.init';

/**
 * Paths over every edge of the machine's graph: the shortest way to where it begins, then the edge, then a way from there
 * to an end, or back to where the path has been.
 *
 * Its events are for `replaySteps`, and, without those of actors, for a live machine whose effects answer them.
 */
export function pathsOver(request: Request): MachinePath[] {
  const options = traversal(request);
  const graph = getAdjacencyMap(installerMachine, options as never) as unknown as Record<
    string,
    { state: Snapshot; transitions: Record<string, { event: PathEvent; state: Snapshot }> }
  >;
  const shortest = new Map(
    getShortestPaths(installerMachine, options as never).map((path) => [
      keyOf(path.state),
      path.steps
        .map(({ event, state }) => ({ event: event, state: state.value }))
        .filter(({ event }) => !isStart(event)),
    ]),
  );
  return Object.entries(graph).flatMap(([key, { transitions }]) =>
    Object.values(transitions).map(({ event, state }): MachinePath => {
      const steps = [...(shortest.get(key) ?? []), { event, state: state.value }];
      const seen = new Set([key]);
      let at = state;
      while (at.status === 'active' && !seen.has(keyOf(at))) {
        seen.add(keyOf(at));
        const [next] = Object.values(graph[keyOf(at)]?.transitions ?? {});
        if (next === undefined) break;
        steps.push({ event: next.event, state: next.state.value });
        at = next.state;
      }
      return { request, steps };
    }),
  );
}
