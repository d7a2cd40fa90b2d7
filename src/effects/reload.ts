/** `reload`: checks the new configuration with the real tools, then makes the running programs notice it. */
import { InstallerError } from '../errors.ts';
import type { Reload, ReloadOutput } from '../machines/types.ts';
import type { WebProbe } from '../products/product.ts';
import { endCrashLoop } from './crash-loop.ts';
import type { Command, CommandResult } from './host/port.ts';
import { listenersOn, loopback } from './listener.ts';
import type { Scope } from './scope.ts';
import { complaint, mustSucceed, tools } from './tools.ts';
import { dropInsOf, isInUnit, isRunning, showUnit, unitsOf } from './units.ts';
import { webOnDisk } from './view.ts';
import { isSiteKept, servedBy, showsMarker, type Served } from './web.ts';

/** Old workers go on answering for a moment after a reload has returned. */
const webTimeout = 10_000;

type Outcome = CommandResult | 'predicted';

/** What follows from a reload that was only reported can only be predicted too. */
async function change(scope: Scope, command: Command): Promise<Outcome> {
  const outcome = await scope.host.change(command);
  if (outcome === 'predicted') scope.state.predicted = true;
  return outcome;
}

const systemctl = (scope: Scope, ...args: readonly string[]): Promise<Outcome> =>
  change(scope, { file: tools.systemctl, args, timeout: 90_000 });

/** A zone that is used, but defined nowhere that nginx looks: which file of ours defines it. */
function unreadZone({ state }: Scope, { stderr }: CommandResult): string | undefined {
  const zone = /zero size shared memory zone "(\w+)"/u.exec(stderr)?.[1];
  if (zone === undefined) return undefined;
  return state.desired?.files.find(({ content }) => Buffer.from(content).includes(`zone=${zone}:`))?.path;
}

async function checkWeb(scope: Scope): Promise<void> {
  const result = await change(scope, { file: tools.nginx, args: ['-t', '-q'], timeout: 60_000 });
  if (result === 'predicted' || result.exitCode === 0) return;
  const file = unreadZone(scope, result);
  const why = complaint(result);
  if (file === undefined) throw new InstallerError('E_CONFIG_REJECTED', { tool: 'nginx -t', why });
  const remedy = `${file} defines that zone: see that it is as the installer writes it, and that the http block of nginx.conf includes it.`;
  throw new InstallerError('E_CONFIG_REJECTED', { tool: 'nginx -t', why, remedy });
}

/** A person's drop-in may hold what systemd does not know: it is only told about, as it is when systemd reads it. */
function ownComplaints(scope: Scope, files: readonly string[], result: CommandResult): CommandResult {
  const { product, state, host } = scope;
  const lines = `${result.stderr}\n${result.stdout}`.split('\n');
  const known = unitsOf(product).flatMap((unit) =>
    dropInsOf(host, unit, state.unitsBefore.get(unit)?.dropIns ?? []),
  );
  if (known.length === 0 && !lines.some((line) => /\.d\/[^/]+\.conf:/u.test(line))) return result;
  // What is said of a unit as a whole may come from its drop-ins; only a line of a file has its place.
  const own = lines.filter((line) => files.some((file) => line.startsWith(`${file}:`)));
  return own.length === 0
    ? { exitCode: 0, stdout: '', stderr: '' }
    : { ...result, stdout: '', stderr: own.join('\n') };
}

async function checkUnits(scope: Scope): Promise<void> {
  const files = unitsOf(scope.product)
    .map((unit) => `/etc/systemd/system/${unit}`)
    .filter((path) => scope.host.lstat(path) !== null);
  if (files.length === 0) return;
  const result = await change(scope, {
    file: tools.systemdAnalyze,
    args: ['verify', '--recursive-errors=no', '--man=no', ...files],
    timeout: 60_000,
  });
  const own = result === 'predicted' ? result : ownComplaints(scope, files, result);
  mustSucceed(own, 'systemd-analyze verify', 'E_CONFIG_REJECTED');
}

/** Old workers of nginx hold a port that the new configuration has given up for a moment longer. */
export async function untilGivenUp(scope: Scope): Promise<void> {
  const { product, state, host } = scope;
  const port = product.listenPort(state.settings);
  if (port === null) return;
  // systemd itself gives it up with its restart.
  const holders = () => listenersOn(host, port, loopback).filter(({ pid }) => pid !== 1);
  if (holders().length === 0) return;
  const web = await showUnit(host, product.webUnit);
  const deadline = Date.now() + webTimeout;
  while (Date.now() < deadline && holders().some(({ pid }) => isInUnit(host, pid, web))) {
    await host.pause(50);
  }
}

/** One that systemd did not know as the run began has nothing to be stopped, and no starts and failures to be forgotten. */
function isNew({ state }: Scope, unit: string): boolean {
  const before = state.unitsBefore.get(unit);
  return before?.loadState === 'not-found' && before.activeState === 'inactive';
}

/** systemd refuses to start a socket whose service runs already, so the service goes first and comes back after it. */
async function restartSocket(scope: Scope): Promise<void> {
  const { socket, service, webUnit } = scope.product;
  if (socket === null) return;
  if (!isNew(scope, service))
    mustSucceed(await systemctl(scope, 'stop', service), `systemctl stop ${service}`);
  // Only where nginx has just been told to.
  if (!scope.state.predicted && scope.state.restarted.has(webUnit)) await untilGivenUp(scope);
  mustSucceed(await systemctl(scope, 'restart', socket), `systemctl restart ${socket}`);
}

async function restartService(scope: Scope): Promise<void> {
  const { service } = scope.product;
  if (!isNew(scope, service)) {
    await endCrashLoop(scope);
    // Clears a failed state, and the count of starts that systemd limits: reruns in a row are no crash loop.
    await systemctl(scope, 'reset-failed', service);
  }
  const result = await systemctl(scope, 'restart', service);
  if (result !== 'predicted' && result.exitCode !== 0) {
    throw new InstallerError('E_UNHEALTHY', { why: complaint(result), unit: service });
  }
}

/** A site that a person edited is waited for as long, but not judged: `verify` tells what it does not show. */
async function untilServed(scope: Scope, web: WebProbe): Promise<void> {
  const deadline = Date.now() + webTimeout;
  let served: Served = 'nothing';
  do {
    served = await servedBy(scope.host, web);
    if (served === 'current') return;
    await scope.host.pause(50);
  } while (Date.now() < deadline);
  if (served === 'older certificate' || isSiteKept(scope)) return;
  const words = served === 'nothing' ? 'does not show the new site' : 'shows an older one';
  throw new InstallerError('E_SITE_STALE', { why: `port ${web.port} ${words}` });
}

/** Old workers answer on until they have let go of the port: who asks meanwhile is shown now this, now that. */
async function untilReplaced(scope: Scope, web: WebProbe, old: readonly number[]): Promise<void> {
  const deadline = Date.now() + webTimeout;
  while (
    old.length > 0 &&
    Date.now() < deadline &&
    listenersOn(scope.host, web.port, loopback).some(({ pid }) => old.includes(pid))
  ) {
    await scope.host.pause(50);
  }
}

/** A reload that returns 0 is not believed: the site is asked until it shows the new configuration. */
async function reloadWeb(scope: Scope): Promise<void> {
  const { webUnit } = scope.product;
  const status = await showUnit(scope.host, webUnit);
  const verb = isRunning(status) ? 'reload' : 'start';
  const web = scope.state.target === null ? (scope.state.desired?.web ?? null) : webOnDisk(scope);
  // The main process stays, and holds the port on.
  const workers =
    web === null
      ? []
      : listenersOn(scope.host, web.port, loopback).filter(({ pid }) => pid !== status?.mainPid);
  // A person's site that shows nothing now may be one that never will: it is not waited for.
  const hopeless =
    web !== null &&
    isSiteKept(scope) &&
    (!showsMarker(scope.host, web) || (verb === 'reload' && (await servedBy(scope.host, web)) === 'nothing'));
  const result = await systemctl(scope, verb, webUnit);
  mustSucceed(result, `systemctl ${verb} ${webUnit}`);
  if (result === 'predicted' || web === null) return;
  if (!hopeless) await untilServed(scope, web);
  const old = workers.filter(({ pid }) => isInUnit(scope.host, pid, status)).map(({ pid }) => pid);
  await untilReplaced(scope, web, old);
}

/** One that ends badly would stay known as failed, also once its unit is gone. */
async function stop(scope: Scope, unit: string): Promise<void> {
  mustSucceed(await systemctl(scope, 'stop', unit), `systemctl stop ${unit}`);
  await systemctl(scope, 'reset-failed', unit);
}

async function carryOut(scope: Scope, reload: Reload): Promise<void> {
  scope.state.restarted.add(reload.unit);
  if (reload.how === 'stop') return stop(scope, reload.unit);
  switch (reload.what) {
    case 'reloadManager':
      mustSucceed(await systemctl(scope, 'daemon-reload'), 'systemctl daemon-reload');
      return;
    case 'restartSocket':
      return restartSocket(scope);
    case 'restart':
      return restartService(scope);
    case 'reloadWeb':
      return reloadWeb(scope);
  }
}

async function all(scope: Scope, reloads: readonly Reload[]): Promise<ReloadOutput> {
  const running = [...scope.state.unitsBefore.values()].filter(isRunning).map(({ unit }) => unit);
  if (reloads.length > 0) scope.record({ fact: 'unitsFound', running });
  await scope.beforeChange();
  const plans = (what: Reload['what']): boolean => reloads.some((reload) => reload.what === what);
  // Both at once, and both to their ends: nothing of ours may run on while a host is put back.
  const checks = await Promise.allSettled([
    ...(plans('reloadWeb') ? [checkWeb(scope)] : []),
    ...(plans('reloadManager') ? [checkUnits(scope)] : []),
  ]);
  for (const check of checks) if (check.status === 'rejected') throw check.reason;
  for (const reload of reloads) {
    scope.notify({ type: 'activity', text: `${reload.how} ${reload.unit}` });
    await carryOut(scope, reload);
    const { what, unit } = reload;
    scope.record({ fact: 'settled', what, unit });
  }
  return { outcome: scope.state.predicted ? 'predicted' : 'done', done: reloads.map(({ unit }) => unit) };
}

/** @throws InstallerError E_CONFIG_REJECTED, E_COMMAND_FAILED, E_UNHEALTHY, E_SITE_STALE */
export async function reload(scope: Scope, reloads: readonly Reload[]): Promise<ReloadOutput> {
  const work = all(scope, reloads);
  scope.state.inFlight = work.catch(() => undefined);
  return work;
}
