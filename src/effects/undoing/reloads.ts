/** What running programs have to notice where past runs are undone: what did not run then is stopped, the rest reads anew. */
import type { Obligation } from '../../facts.ts';
import type { Operation, Reload, Removal } from '../../machines/types.ts';
import type { Scope, Target } from '../scope.ts';
import { isRunning, unitsOf } from '../units.ts';
import { webOnDisk } from '../view.ts';

type What = Obligation['what'];

const managerUnit = 'systemd';

/** Where the service keeps what is its own, and it is there. Of a dynamic user it is a link and what that leads to. */
export const stateOf = ({ host, product }: Scope): readonly string[] =>
  product.state
    .flatMap((name) => [`/var/lib/private/${name}`, `/var/lib/${name}`])
    .filter((path) => host.lstat(path) !== null);

function removals(scope: Scope, { undo }: Target): readonly Removal[] {
  if (undo.kind !== 'uninstall' || !undo.purge) return [];
  return stateOf(scope).map((path) => ({
    what: 'removeState',
    unit: path,
    how: 'remove',
    because: [],
    owedBy: [],
  }));
}

/** Fills what becomes due when a path changes; the env file is read by the service, whoever wrote it. */
function obligationsOf(scope: Scope, target: Target, operations: readonly Operation[]): void {
  const { product, state } = scope;
  const touched = new Map(target.paths.map(({ path, due }) => [path, due]));
  touched.set(product.envFile, ['restart']);
  const unitOf: Readonly<Record<What, string | null>> = {
    reloadManager: managerUnit,
    restartSocket: product.socket,
    restart: product.service,
    reloadWeb: product.webUnit,
  };
  state.obligations.clear();
  for (const { path } of operations) {
    const due = (touched.get(path) ?? []).flatMap((what) => {
      const unit = unitOf[what];
      return unit === null ? [] : [{ what, unit, because: [path] }];
    });
    state.obligations.set(path, due);
  }
}

/** Does nginx hold the port that the socket goes back to? Then it has to give that up first. */
function webHasPortOfThen(scope: Scope): boolean {
  const { product, state } = scope;
  const then = product.listenPort(state.settings);
  const web = webOnDisk({ ...scope, state: { ...state, settings: state.settingsBefore } });
  return then !== null && web?.port === then;
}

/** One step for each program, with all its reasons, in the order in which they have to happen. */
export function reloadsOf(
  scope: Scope,
  target: Target,
  operations: readonly Operation[],
): readonly (Reload | Removal)[] {
  const { product, state } = scope;
  obligationsOf(scope, target, operations);
  // Nothing runs here: what is written is what the next boot reads.
  if (state.services === 'offline') return removals(scope, target);
  const runs = (unit: string): boolean => isRunning(state.unitsBefore.get(unit));
  // A run without systemd, as in an image, has not noted what ran; what was not even there did not.
  const stood = (unit: string): boolean =>
    !target.paths.some(({ path, before }) => path === `/etc/systemd/system/${unit}` && before === null);
  const ran = (unit: string): boolean => stood(unit) && (target.running?.includes(unit) ?? runs(unit));
  const due: readonly (Obligation & { readonly run?: string })[] = [
    ...[...state.obligations.values()].flat(),
    ...scope.memory().owed,
  ];
  /** null where there is no reason to, or no such unit. */
  const step = (
    what: What,
    unit: string,
    how: Reload['how'] | null,
    more: readonly string[] = [],
  ): Reload[] => {
    const own = due.filter((each) => each.what === what && each.unit === unit);
    const because = [...new Set([...own.flatMap((each) => each.because), ...more])];
    if (how === null || because.length === 0) return [];
    const owedBy = [...new Set(own.flatMap(({ run }) => (run === undefined ? [] : [run])))];
    return [{ what, unit, how, because, owedBy }];
  };
  const again = (unit: string): 'restart' | 'start' | null =>
    ran(unit) ? (runs(unit) ? 'restart' : 'start') : null;
  const idle = (unit: string): readonly string[] => (runs(unit) ? [] : [`${unit} is not running`]);
  const whatOf = (unit: string): What => (unit === product.service ? 'restart' : 'restartSocket');
  const stopped = unitsOf(product)
    .toReversed()
    .filter((unit) => !ran(unit) && runs(unit))
    .flatMap((unit) => step(whatOf(unit), unit, 'stop', [unit]));
  const { socket, service } = product;
  const sockets = socket === null ? [] : step('restartSocket', socket, again(socket), idle(socket));
  const withSocket = sockets.flatMap(({ unit }) => [unit]);
  const programs = [
    ...sockets,
    ...step('restart', service, again(service), [...idle(service), ...withSocket]),
  ];
  // A web server that was started since then stays on: others may rely on it by now.
  const web = step('reloadWeb', product.webUnit, runs(product.webUnit) ? 'reload' : null);
  const webFirst = programs.length > 0 && webHasPortOfThen(scope);
  return [
    ...stopped,
    ...step('reloadManager', managerUnit, 'reload'),
    ...(webFirst ? [...web, ...programs] : [...programs, ...web]),
    ...removals(scope, target),
  ];
}
