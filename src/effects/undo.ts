/** `undo`: puts the host back as it was before the run, newest change first, and says what it had to leave. */
import { InstallerError, type PublicError } from '../errors.ts';
import type { UndoOutput } from '../machines/types.ts';
import { withdraw } from './announce.ts';
import { endCrashLoop } from './crash-loop.ts';
import { lookAt } from './identity.ts';
import { missingPackages } from './packages.ts';
import type { Applied, Scope } from './scope.ts';
import { untilGivenUp } from './reload.ts';
import { secretsThatAre } from './secrets.ts';
import { untilHealthy } from './service.ts';
import { complaint, tools } from './tools.ts';
import { isRunning, showUnit, unitsOf } from './units.ts';

const healthTimeout = 15_000;

class Undoing {
  readonly restored: string[] = [];
  readonly left: string[] = [];
  readonly problems: string[] = [];
  private readonly scope: Scope;

  constructor(scope: Scope) {
    this.scope = scope;
  }

  /** One failed step must not keep the others from being put back. */
  async attempt(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.problems.push(error instanceof InstallerError ? error.message.replace(/\.$/u, '') : what);
    }
  }

  async command(file: string, ...args: readonly string[]): Promise<void> {
    const result = await this.scope.host.change({ file, args, timeout: 90_000 });
    if (result !== 'predicted' && result.exitCode !== 0) {
      this.problems.push(`${file.split('/').at(-1) ?? ''} ${args.join(' ')}: ${complaint(result)}`);
    }
  }

  /** Is there at the path what this run has put there? Then it may be taken away again. */
  private isOurs({ operation }: Applied): boolean {
    const { path, after } = operation;
    const found = lookAt(this.scope.host, path);
    const written = this.scope.state.contents.get(path)?.after;
    if (found === null || after === null) return found === null;
    if (found.identity.type !== after.type) return false;
    if (after.type === 'file' && after.hash === null) {
      return found.bytes !== null && written !== undefined && Buffer.compare(found.bytes, written) === 0;
    }
    return found.identity.hash === after.hash;
  }

  private isAsBefore({ before, bytes, operation }: Applied): boolean {
    const found = lookAt(this.scope.host, operation.path);
    if (before === null || found === null) return before === null && found === null;
    const { type, mode, uid, gid } = found.identity;
    const same = type === before.type && mode === before.mode && uid === before.uid && gid === before.gid;
    if (!same) return false;
    return bytes === null
      ? found.identity.hash === before.hash
      : found.bytes !== null && Buffer.compare(found.bytes, bytes) === 0;
  }

  private async putBack(applied: Applied): Promise<void> {
    const { host, product } = this.scope;
    const { before, bytes, operation } = applied;
    const { path } = operation;
    if (before === null) {
      if (operation.kind === 'makeDirectory' && (host.list(path)?.length ?? 0) > 0) {
        this.left.push(path);
        return;
      }
      // On record before it happens: secrets that are gone must not look like secrets that were lost. Those of an
      // earlier installation that had lost its file stay lost.
      if (path === product.envFile && !this.scope.state.secretsMadeBefore)
        this.scope.record({ fact: 'secretsPurged' });
      await host.remove(path);
    } else if (before.type === 'directory') {
      await host.makeDirectory(path, before.mode);
    } else if (before.type === 'link') {
      await host.makeLink(path, before.hash ?? '', operation.after);
    } else if (bytes !== null) {
      const { mode, uid, gid } = before;
      await host.writeFile(path, bytes, { mode, expected: operation.after, ownership: { uid, gid } });
      if (path === product.envFile && operation.after === null && this.scope.state.secretsMadeBefore)
        this.scope.record({ fact: 'secretsMade', names: secretsThatAre(this.scope) });
    }
    this.restored.push(path);
  }

  async file(applied: Applied): Promise<void> {
    const { operation, before, baselines } = applied;
    const { path, kind } = operation;
    if (kind === 'narrowMode') {
      await this.scope.host.setMode(path, before?.mode ?? 0o600);
      this.restored.push(path);
    } else if (!this.isAsBefore(applied)) {
      if (!this.isOurs(applied)) {
        this.left.push(path);
        return;
      }
      await this.putBack(applied);
    }
    this.scope.record({ fact: 'restored', path, baselines });
  }
}

/**
 * Every file that is put back makes the same programs stale again that this run has just made read the new one: on
 * record first, so that a kill in the middle leaves it to the next run. `revoked` ends it.
 */
function oweAgain(scope: Scope): void {
  const { applied, obligations } = scope.state;
  for (const { operation } of applied) {
    for (const due of obligations.get(operation.path) ?? []) scope.record({ fact: 'owed', ...due });
  }
}

/** Unit files and the links that enable them: systemd has to read both again. */
const touchesUnits = (scope: Scope): boolean =>
  scope.state.applied.some(({ operation }) =>
    scope.state.obligations.get(operation.path)?.some(({ what }) => what === 'reloadManager'),
  );

/** What did not run before this run must not run after it; what goes away has to be stopped while its unit is known. */
async function stopWhatWasStarted(scope: Scope, undoing: Undoing): Promise<void> {
  const { product, state } = scope;
  for (const unit of unitsOf(product).toReversed()) {
    const concerned = state.restarted.has(unit) || state.restarted.has(product.socket ?? '');
    if (concerned && !isRunning(state.unitsBefore.get(unit)))
      await undoing.command(tools.systemctl, 'stop', unit);
  }
}

async function runsNow(scope: Scope, unit: string): Promise<boolean> {
  return isRunning(await showUnit(scope.host, unit));
}

async function putWebBack(scope: Scope, undoing: Undoing): Promise<void> {
  const { product, state } = scope;
  const unit = product.webUnit;
  if (!state.restarted.has(unit)) return;
  const ran = isRunning(state.unitsBefore.get(unit));
  const runs = await runsNow(scope, unit);
  // A package manager that brought it has started it; that stays with the package.
  const stays = ran || state.packages.length > 0;
  if (runs) await undoing.command(tools.systemctl, stays ? 'reload' : 'stop', unit);
  else if (ran) await undoing.command(tools.systemctl, 'start', unit);
  else await scope.host.change({ file: tools.systemctl, args: ['reset-failed', unit] });
}

/** Service and socket go before the web server is told, and come back after it: each may need the port of the other. */
async function putProgramsBack(scope: Scope, undoing: Undoing): Promise<void> {
  const { product, state } = scope;
  const { service, socket } = product;
  const ran = (unit: string): boolean => isRunning(state.unitsBefore.get(unit));
  if (touchesUnits(scope)) await undoing.command(tools.systemctl, 'daemon-reload');
  const concerned = unitsOf(product).some((unit) => state.restarted.has(unit));
  // systemd takes the socket down with a service that fails too often; and a request that still waits in it would start
  // a service that did not run before.
  const socketIsDue =
    concerned &&
    socket !== null &&
    ran(socket) &&
    (state.restarted.has(socket) || !ran(service) || !(await runsNow(scope, socket)));
  if (socketIsDue) await undoing.command(tools.systemctl, 'stop', service, socket);
  if (concerned) {
    await endCrashLoop(scope);
    for (const unit of unitsOf(product).toReversed()) {
      // Else the crash loop of the new version keeps the old one from being started, and a unit that is gone stays
      // known as failed. One that systemd does not know any more need not be told.
      await scope.host.change({ file: tools.systemctl, args: ['reset-failed', unit] });
    }
  }
  await putWebBack(scope, undoing);
  if (socketIsDue) {
    await untilGivenUp(scope);
    await undoing.command(tools.systemctl, 'start', socket);
  }
  if (concerned && ran(service)) await undoing.command(tools.systemctl, 'restart', service);
}

async function restartWhatRan(scope: Scope, undoing: Undoing): Promise<void> {
  const { product, state } = scope;
  state.settings = state.settingsBefore;
  await putProgramsBack(scope, undoing);
  if (isRunning(state.unitsBefore.get(product.service)) && state.restarted.has(product.service)) {
    // Its crashes were the new version's; the old one is judged from here on.
    await undoing.attempt(`${product.service} does not answer`, () => untilHealthy(scope, healthTimeout));
  }
}

/** Packages that this run brought: they stay, and are named. */
async function packagesThatStay(scope: Scope): Promise<readonly string[]> {
  const { packages } = scope.state;
  if (packages.length === 0) return [];
  const missing = await missingPackages(scope.host, packages);
  return packages.filter((name) => !missing.includes(name));
}

/** @throws InstallerError E_UNDO_FAILED with what is not as it was, and with the reason for undoing */
export async function undo(scope: Scope, reason: PublicError): Promise<UndoOutput> {
  const { state } = scope;
  await state.inFlight;
  const undoing = new Undoing(scope);
  withdraw(scope, [...state.announced.values()]);
  state.announced.clear();
  const live = state.services === 'live';
  if (live) oweAgain(scope);
  if (live) await stopWhatWasStarted(scope, undoing);
  for (const applied of state.applied.toReversed()) {
    await undoing.attempt(`${applied.operation.path} could not be put back`, () => undoing.file(applied));
  }
  if (live) await restartWhatRan(scope, undoing);
  const packages = await packagesThatStay(scope);
  if (undoing.problems.length > 0) {
    const why = `${undoing.problems.join('; ')}. The reason for putting back: ${reason.code}, ${reason.message.replace(/\.$/u, '')}`;
    throw new InstallerError('E_UNDO_FAILED', { why });
  }
  scope.record({ fact: 'revoked' });
  return {
    restored: undoing.restored,
    left: [...undoing.left, ...packages.map((name) => `package ${name}`)],
  };
}
