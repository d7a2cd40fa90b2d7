/** Is a port that is about to be used free, or in the hands of whom it should be? */
import { InstallerError } from '../../errors.ts';
import type { Operation } from '../../machines/types.ts';
import type { Desired, WebProbe } from '../../products/product.ts';
import { everywhere, isListenerOf, listenersOn, loopback, type Listener } from '../listener.ts';
import type { Scope } from '../scope.ts';
import { isInUnit, isRunning } from '../units.ts';
import { foreignBytes } from '../web.ts';

const changes = (operations: readonly Operation[], path: string): boolean =>
  operations.some((operation) => operation.path === path);

/**
 * Does the socket unit run, and listen elsewhere? So it is after a kill between loading its new file and restarting it:
 * systemd then drops what it listened on, and says nothing of it.
 */
export function socketIsElsewhere(scope: Scope): boolean {
  const { host, product, state } = scope;
  const port = product.listenPort(state.settings);
  const runs = isRunning(state.unitsBefore.get(product.socket ?? ''));
  if (!runs || port === null || host.listSystem('/proc/1/fd') === null) return false;
  return !isListenerOf(host, port, 1);
}

const inUnit = (scope: Scope, unit: string, { pid }: Listener): boolean =>
  isInUnit(scope.host, pid, scope.state.unitsBefore.get(unit));

function isOurSockets(scope: Scope, port: number, listener: Listener): boolean {
  const { product, state } = scope;
  const socket = state.unitsBefore.get(product.socket ?? '');
  const isItsPort = socket?.listens.some((address) => address.endsWith(`:${port}`)) === true;
  return (listener.pid === 1 && isItsPort) || inUnit(scope, product.service, listener);
}

/** Does the site on disk name the port, or has a run before this one changed it without telling nginx? */
function siteIsMoving(scope: Scope, web: WebProbe, port: number, operations: readonly Operation[]): boolean {
  if (scope.memory().owed.some(({ what }) => what === 'reloadWeb')) return true;
  if (!changes(operations, web.site)) return false;
  // What is about to be replaced may be a link of a person's: nginx follows it.
  const site = Buffer.from(foreignBytes(scope.host, web.site) ?? []).toString('utf8');
  return new RegExp(`^\\s*listen\\s[^;]*\\b${port}\\b`, 'mu').test(site);
}

/** Does nginx still listen where the service shall, for a site of ours that is about to move? Then nginx goes first. */
export function webGivesPortUp(scope: Scope, desired: Desired, operations: readonly Operation[]): boolean {
  const { host, product, state } = scope;
  const port = product.listenPort(state.settings);
  if (port === null || desired.web === null || !siteIsMoving(scope, desired.web, port, operations))
    return false;
  return listenersOn(host, port, loopback).some((listener) => inUnit(scope, product.webUnit, listener));
}

const taken = (
  port: number,
  { address, name, pid }: Listener,
  more: { readonly remedy?: string },
): InstallerError =>
  new InstallerError('E_PORT_TAKEN', {
    port: String(port),
    address,
    who: `${name} (process ${pid})`,
    ...more,
  });

function checkServicePort(scope: Scope, desired: Desired, operations: readonly Operation[]): void {
  const { host, product, state } = scope;
  const port = product.listenPort(state.settings);
  if (port === null) return;
  const foreign = listenersOn(host, port, loopback).filter((each) => !isOurSockets(scope, port, each));
  const [first] = foreign;
  if (first === undefined) return;
  const onlyWeb = foreign.every((listener) => inUnit(scope, product.webUnit, listener));
  if (!onlyWeb || !webGivesPortUp(scope, desired, operations))
    throw taken(port, first, { remedy: otherPort(scope, port) });
}

/** How another port is chosen: by the option of the setting that holds this one. */
function otherPort({ product, state }: Scope, port: number): string {
  const setting = product.settings.find(({ key }) => state.settings[key] === String(port));
  const choose = setting === undefined ? '' : `, or choose another port with --${setting.option}`;
  return `Stop that program${choose}.`;
}

/**
 * Does what holds the port stay as it is? A socket unit holds it until it is restarted; a service that listens by itself
 * may listen elsewhere with its next start.
 */
function keepsPort({ product, state }: Scope, operations: readonly Operation[]): boolean {
  const { socket, service } = product;
  const unit = socket ?? service;
  if (!isRunning(state.unitsBefore.get(unit)) || changes(operations, `/etc/systemd/system/${unit}`))
    return false;
  return socket !== null || !changes(operations, product.envFile);
}

function checkWebPort(scope: Scope, { port, serverName }: WebProbe): void {
  const { host, product } = scope;
  const foreign = listenersOn(host, port, serverName === null ? loopback : everywhere).find(
    // The site takes the port above the service's: where that one is our socket's, the socket is about to move away.
    (listener) => !inUnit(scope, product.webUnit, listener) && !isOurSockets(scope, port, listener),
  );
  if (foreign === undefined) return;
  const remedy =
    'Stop that program; or, if it is a web server that shall stay, let it pass requests on to the service and use --no-nginx with --public-url.';
  throw taken(port, foreign, serverName === null ? {} : { remedy });
}

/**
 * E_PORT_TAKEN. Looks only where something is about to begin listening: the look costs a walk through /proc.
 *
 * @param socketMoves what {@link socketIsElsewhere} says
 */
export function checkPorts(
  scope: Scope,
  desired: Desired,
  operations: readonly Operation[],
  socketMoves: boolean,
): void {
  const { product, state } = scope;
  if (state.services === 'offline') return;
  if (!keepsPort(scope, operations) || socketMoves) checkServicePort(scope, desired, operations);
  const { web } = desired;
  if (web !== null && (changes(operations, web.site) || !isRunning(state.unitsBefore.get(product.webUnit))))
    checkWebPort(scope, web);
}
