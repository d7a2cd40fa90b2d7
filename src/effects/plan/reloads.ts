/** What running programs must be made to notice: because of this run's changes, or because of what they are like now. */
import type { Obligation } from '../../facts.ts';
import type { OwedByRun } from '../../memory.ts';
import type { Operation, Reload } from '../../machines/types.ts';
import type { Affects, Desired } from '../../products/product.ts';
import type { Scope } from '../scope.ts';
import { changedDropIns, environmentOf, isNewerThan, isRunning, unitsOf, type UnitStatus } from '../units.ts';
import { affectsOf } from './gone.ts';
import { isSiteKept, renewed, servedBy } from '../web.ts';
import { webGivesPortUp } from './ports.ts';

type What = Obligation['what'];

/** The manager has no unit; the name stands for it in records. */
const managerUnit = 'systemd';

function obligations(scope: Scope, affects: Affects, path: string): readonly Obligation[] {
  const { product } = scope;
  const because = [path];
  switch (affects) {
    case 'service':
      return [{ what: 'restart', unit: product.service, because }];
    case 'socket':
      return product.socket === null ? [] : [{ what: 'restartSocket', unit: product.socket, because }];
    case 'unit':
      return [{ what: 'reloadManager', unit: managerUnit, because }];
    case 'web':
      return [{ what: 'reloadWeb', unit: product.webUnit, because }];
  }
}

/** Fills what becomes due when a path changes, and returns it for the operations planned. */
function dueAfter(scope: Scope, desired: Desired, operations: readonly Operation[]): Obligation[] {
  const { state, product } = scope;
  const affects = new Map<string, readonly Affects[]>([
    [product.envFile, ['service']],
    ...[...desired.files, ...desired.links].map(({ path, affects: own }) => [path, own] as const),
  ]);
  state.obligations.clear();
  for (const { kind, path } of operations) {
    if (kind !== 'writeFile' && kind !== 'makeLink' && kind !== 'removeFile') continue;
    state.obligations.set(
      path,
      (affects.get(path) ?? (kind === 'removeFile' ? affectsOf(path) : [])).flatMap((each) =>
        obligations(scope, each, path),
      ),
    );
  }
  return [...state.obligations.values()].flat();
}

/** Does the process have other values than the file would give it now? */
function hasOtherValues(scope: Scope, status: UnitStatus): boolean {
  const { host, product, state } = scope;
  const environment = environmentOf(host, status.mainPid);
  if (environment === null) return false;
  if ([...state.after].some(([name, value]) => (environment.get(name) ?? '') !== value)) return true;
  const file = state.env?.file;
  // Drop-ins may set and unset what they like: without a change of the file since the start, a difference is theirs.
  if (file === undefined || !isNewerThan(host, product.envFile, status.startedUs, Date.now())) return false;
  const names = [...file.keys(), ...product.settings.map(({ key }) => key)];
  return names.some((name) => environment.get(name) !== file.get(name));
}

/** Does the process have other values than the file, or was it started before the files it reads? */
function staleBecause(scope: Scope, desired: Desired, status: UnitStatus): readonly string[] {
  const { host, product } = scope;
  const newer = desired.files
    .filter(({ affects }) => affects.includes('service'))
    .map(({ path }) => path)
    .filter((path) => isNewerThan(host, path, status.startedUs, Date.now()));
  return [...(hasOtherValues(scope, status) ? [product.envFile] : []), ...newer];
}

const unloaded = 'units on disk are newer than what systemd loaded';

/** Why a unit runs on other unit files than those on disk; systemd itself does not notice a unit's first drop-in. */
const outdatedBecause = (scope: Scope, status: UnitStatus, sinceUs: number): readonly string[] => [
  ...(status.needsReload ? [unloaded] : []),
  ...changedDropIns(scope.host, status, sinceUs),
];

function socketDueBecause(
  scope: Scope,
  unit: string,
  outdated: readonly string[],
  moves: boolean,
): readonly string[] {
  const { product, state } = scope;
  if (!isRunning(state.unitsBefore.get(unit))) return [`${unit} is not active`];
  const port = product.listenPort(state.settings);
  return moves ? [...outdated, `${unit} does not listen on port ${port ?? ''}`] : outdated;
}

function serviceDueBecause(
  scope: Scope,
  desired: Desired,
  service: UnitStatus | undefined,
  outdated: readonly string[],
): readonly string[] {
  if (service === undefined || !isRunning(service)) return [`${scope.product.service} is not running`];
  return [...staleBecause(scope, desired, service), ...outdated];
}

function dueByState(scope: Scope, desired: Desired, socketMoves: boolean): Obligation[] {
  const { product, state } = scope;
  const { socket } = product;
  const service = state.unitsBefore.get(product.service);
  const socketUnit = state.unitsBefore.get(socket ?? '');
  const outdated = {
    service: service === undefined ? [] : outdatedBecause(scope, service, service.startedUs),
    socket: socketUnit === undefined ? [] : outdatedBecause(scope, socketUnit, socketUnit.activeUs),
  };
  const due: Obligation[] = [
    { what: 'reloadManager', unit: managerUnit, because: [...outdated.service, ...outdated.socket] },
    ...(socket === null
      ? []
      : [
          {
            what: 'restartSocket' as const,
            unit: socket,
            because: socketDueBecause(scope, socket, outdated.socket, socketMoves),
          },
        ]),
    {
      what: 'restart',
      unit: product.service,
      because: serviceDueBecause(scope, desired, service, outdated.service),
    },
  ];
  return due.filter(({ because }) => because.length > 0);
}

/** What interrupted runs left to be done, and is this product's to do: another's service waits for a run of its own. */
function owedHere(scope: Scope, desired: Desired): readonly OwedByRun[] {
  const { product } = scope;
  const own = [managerUnit, ...unitsOf(product), ...(desired.web === null ? [] : [product.webUnit])];
  return scope.memory().owed.filter(({ unit }) => own.includes(unit));
}

async function webDueByState(scope: Scope, desired: Desired, changed: boolean): Promise<Obligation[]> {
  const { product, state } = scope;
  const unit = product.webUnit;
  if (desired.web === null) return [];
  if (!isRunning(state.unitsBefore.get(unit)))
    return [{ what: 'reloadWeb', unit, because: [`${unit} is not running`] }];
  // A change of this run reloads it anyway; a person's site is theirs to reload.
  if (changed || isSiteKept(scope)) return [];
  const served = await servedBy(scope.host, desired.web);
  if (served === 'current') return [];
  const because =
    served === 'older certificate' ? renewed(desired.web) : `${unit} serves an older configuration`;
  return [{ what: 'reloadWeb', unit, because: [because] }];
}

const order: readonly What[] = ['reloadManager', 'restartSocket', 'restart', 'reloadWeb'];
/** Where the service takes over a port that nginx has to give up before. */
const webFirst: readonly What[] = ['reloadManager', 'reloadWeb', 'restartSocket', 'restart'];

function howOf(scope: Scope, what: What, unit: string): Reload['how'] {
  if (what === 'reloadManager') return 'reload';
  const running = isRunning(scope.state.unitsBefore.get(unit));
  if (!running) return 'start';
  return what === 'reloadWeb' ? 'reload' : 'restart';
}

/** Owed by an interrupted run, where one is named. */
type Due = Obligation & { readonly run?: string };

/** A new socket takes the service with it, and one that is started needs the service stopped first. */
function serviceWithSocket({ product }: Scope, due: readonly Due[]): readonly Due[] {
  const socket = due.find(({ what }) => what === 'restartSocket');
  if (socket === undefined || due.some(({ what }) => what === 'restart')) return [];
  return [{ what: 'restart', unit: product.service, because: [socket.unit] }];
}

/**
 * One step for each program, with all its reasons, in the order in which they have to happen.
 *
 * @param socketMoves what `socketIsElsewhere` says
 */
export async function reloadsOf(
  scope: Scope,
  desired: Desired,
  operations: readonly Operation[],
  socketMoves: boolean,
): Promise<readonly Reload[]> {
  const planned = dueAfter(scope, desired, operations);
  // Nothing runs here: what is written is what the next boot reads.
  if (scope.state.services === 'offline') return [];
  const changesWeb = planned.some(({ what }) => what === 'reloadWeb');
  const found: readonly Due[] = [
    ...planned,
    ...owedHere(scope, desired),
    ...dueByState(scope, desired, socketMoves),
    ...(await webDueByState(scope, desired, changesWeb)),
  ];
  const due = [...found, ...serviceWithSocket(scope, found)];
  const steps = webGivesPortUp(scope, desired, operations) ? webFirst : order;
  const reloads = steps.flatMap((what): Reload[] => {
    const own = due.filter((each) => each.what === what);
    const [first] = own;
    if (first === undefined) return [];
    return [
      {
        what,
        unit: first.unit,
        because: [...new Set(own.flatMap(({ because }) => because))],
        how: howOf(scope, what, first.unit),
        owedBy: [...new Set(own.flatMap(({ run }) => (run === undefined ? [] : [run])))],
      },
    ];
  });
  return scope.state.start ? reloads : reloads.filter(({ what }) => what === 'reloadManager');
}
