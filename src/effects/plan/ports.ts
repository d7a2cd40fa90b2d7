/** Is a port that is about to be used free, or in the hands of whom it should be? */
import { InstallerError } from '../../errors.ts';
import type { Operation } from '../../machines/types.ts';
import type { Desired } from '../../products/product.ts';
import { listenersOn, type Listener } from '../listener.ts';
import type { Scope } from '../scope.ts';
import { isRunning } from '../units.ts';

const inUnit = (scope: Scope, pid: number, unit: string): boolean => {
  const cgroup = scope.host.readSystem(`/proc/${pid}/cgroup`);
  return cgroup !== null && Buffer.from(cgroup).toString('utf8').includes(`/${unit}`);
};

function mustBeFree(scope: Scope, port: number, isOurs: (listener: Listener) => boolean): void {
  const foreign = listenersOn(scope.host, port).find((listener) => !isOurs(listener));
  if (foreign === undefined) return;
  throw new InstallerError('E_PORT_TAKEN', {
    port: String(port),
    address: '127.0.0.1',
    who: `${foreign.name} (process ${foreign.pid})`,
  });
}

/** E_PORT_TAKEN. Looks only where something is about to begin listening: the look costs a walk through /proc. */
export function checkPorts(scope: Scope, desired: Desired, operations: readonly Operation[]): void {
  const { product, state } = scope;
  if (state.services === 'offline') return;
  const changes = (path: string): boolean => operations.some((operation) => operation.path === path);
  const socketRuns = isRunning(state.unitsBefore.get(product.socket));
  if (!socketRuns || changes(`/etc/systemd/system/${product.socket}`)) {
    mustBeFree(
      scope,
      product.listenPort(state.settings),
      ({ pid }) => (pid === 1 && socketRuns) || inUnit(scope, pid, product.service),
    );
  }
  const { web } = desired;
  if (web !== null && (changes(web.site) || !isRunning(state.unitsBefore.get(product.webUnit)))) {
    mustBeFree(scope, web.port, ({ pid, name }) => name === 'nginx' || inUnit(scope, pid, product.webUnit));
  }
}
