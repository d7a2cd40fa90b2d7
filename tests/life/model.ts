/**
 * The life of a host: what its users and its accidents do to it, and what it then is. The second model of the tests; the
 * real command line is what it is compared with.
 */
import { createMachine } from 'xstate';
import { createTestModel, getAdjacencyMap, getShortestPaths } from 'xstate/graph';

export type Being =
  | 'absent'
  | 'halfFresh'
  | 'legacy'
  | 'installed'
  | 'edited'
  | 'own'
  | 'secretMissing'
  | 'envLost'
  | 'stopped'
  | 'halfDone'
  | 'uninstalled'
  | 'editedAlone';

export type LifeEvent =
  | 'install'
  | 'dryRun'
  | 'rotateAll'
  | 'rotateOne'
  | 'editSite'
  | 'loseSecret'
  | 'loseEnv'
  | 'stopService'
  | 'changePort'
  | 'newSource'
  | 'brokenSource'
  | 'killMidway'
  | 'legacyScript'
  | 'changeAndRollBack'
  | 'rotateAndRollBack'
  | 'rollBackSource'
  | 'uninstall'
  | 'purge';

type Ways = Partial<Record<LifeEvent, Being>>;

/** Where systemd is not running, nothing can be stopped and nothing can fail to start. */
function ways(live: boolean): Record<Being, Ways> {
  const onlyLive = (more: Ways): Ways => (live ? more : {});
  return {
    absent: {
      install: 'installed',
      rotateAll: 'installed',
      dryRun: 'absent',
      legacyScript: 'legacy',
      killMidway: 'halfFresh',
      uninstall: 'absent',
    },
    // Whatever was written stays: a second fresh installation must not make other secrets than the first.
    halfFresh: { install: 'installed', dryRun: 'halfFresh', rotateAll: 'installed' },
    legacy: { install: 'installed', dryRun: 'legacy', rotateOne: 'installed', rotateAll: 'installed' },
    installed: {
      install: 'installed',
      dryRun: 'installed',
      rotateAll: 'installed',
      rotateOne: 'installed',
      changePort: 'installed',
      editSite: 'edited',
      loseSecret: 'secretMissing',
      loseEnv: 'envLost',
      newSource: 'own',
      killMidway: 'halfDone',
      changeAndRollBack: 'installed',
      rotateAndRollBack: 'installed',
      uninstall: 'uninstalled',
      purge: 'absent',
      ...onlyLive({ stopService: 'stopped', brokenSource: 'installed' }),
    },
    // A person's edit stays; where a change of ours meets it, nothing happens at all.
    edited: {
      install: 'edited',
      rotateAll: 'edited',
      rotateOne: 'edited',
      changePort: 'edited',
      dryRun: 'edited',
      uninstall: 'editedAlone',
    },
    own: {
      install: 'own',
      rotateAll: 'own',
      dryRun: 'own',
      rollBackSource: 'installed',
      ...onlyLive({ brokenSource: 'own' }),
    },
    secretMissing: { install: 'installed', dryRun: 'secretMissing', rotateAll: 'installed' },
    envLost: { install: 'envLost', dryRun: 'envLost', rotateOne: 'envLost', rotateAll: 'installed' },
    stopped: onlyLive({ install: 'installed', dryRun: 'stopped', rotateAll: 'installed' }),
    halfDone: { install: 'installed', dryRun: 'halfDone', rotateAll: 'installed', uninstall: 'uninstalled' },
    // The secrets stay, so that clients find the next installation as they left this one.
    uninstalled: {
      install: 'installed',
      dryRun: 'uninstalled',
      rotateAll: 'installed',
      uninstall: 'uninstalled',
      purge: 'absent',
    },
    // And so does what a person edited.
    editedAlone: { install: 'edited', uninstall: 'editedAlone' },
  };
}

function lifeModel(live: boolean) {
  const machine = createMachine({
    id: 'life',
    initial: 'absent',
    states: Object.fromEntries(Object.entries(ways(live)).map(([being, on]) => [being, { on }])),
  });
  return createTestModel(machine);
}

interface Snapshot {
  readonly value: string;
}

interface Node {
  readonly state: Snapshot;
  readonly transitions: Readonly<
    Record<string, { readonly state: Snapshot; readonly event: { readonly type: string } }>
  >;
}

/** A path over every transition: the shortest way to where it begins, then the transition. */
export function lifePaths(live: boolean) {
  const model = lifeModel(live);
  return model.getPaths((machine, options) => {
    const shortest = getShortestPaths(machine, options);
    // The graph's types do not survive the way through the model.
    const graph = getAdjacencyMap(machine, options) as unknown as Record<string, Node>;
    return Object.values(graph).flatMap(({ state, transitions }) => {
      const way = shortest.find((path) => (path.state as Snapshot).value === state.value);
      return Object.values(transitions).map((edge) => ({
        state: edge.state as never,
        steps: [...(way?.steps ?? []), { state: edge.state as never, event: edge.event }],
        weight: (way?.weight ?? 0) + 1,
      }));
    });
  });
}

export type LifePath = ReturnType<typeof lifePaths>[number];

/** `from event`, for every transition that the paths take and for every one that the model has. */
export function coverage(
  live: boolean,
  paths: readonly LifePath[],
): { readonly taken: readonly string[]; readonly all: readonly string[] } {
  const taken = paths.flatMap(({ steps }) =>
    steps
      .slice(1)
      .map(({ event }, at) => `${(steps[at]?.state as Snapshot | undefined)?.value ?? ''} ${event.type}`),
  );
  const all = Object.entries(ways(live)).flatMap(([being, on]) =>
    Object.keys(on).map((event) => `${being} ${event}`),
  );
  return { taken: [...new Set(taken)].sort(), all: all.sort() };
}

export const titleOf = ({ steps }: LifePath): string =>
  steps
    .slice(1)
    .map(({ event }) => event.type)
    .join(', ');
