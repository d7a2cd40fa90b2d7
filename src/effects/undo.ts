/** `undo`: puts the host back as it was before the run, newest change first, and says what it had to leave. */
import { InstallerError, type PublicError } from '../errors.ts';
import type { UndoOutput } from '../machines/types.ts';
import { lookAt } from './identity.ts';
import type { Applied, Scope } from './scope.ts';
import { untilHealthy } from './service.ts';
import { complaint, tools } from './tools.ts';
import { isRunning } from './units.ts';

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
      // On record before it happens: secrets that are gone must not look like secrets that were lost.
      if (path === product.envFile) this.scope.record({ fact: 'secretsPurged' });
      await host.remove(path);
    } else if (before.type === 'link') {
      await host.makeLink(path, before.hash ?? '', operation.after);
    } else if (bytes !== null) {
      const { mode, uid, gid } = before;
      await host.writeFile(path, bytes, { mode, expected: operation.after, ownership: { uid, gid } });
    }
    this.restored.push(path);
  }

  async file(applied: Applied): Promise<void> {
    const { operation, before, baseline } = applied;
    const { path, kind } = operation;
    if (kind === 'narrowMode') {
      await this.scope.host.setMode(path, before?.mode ?? 0o600);
      this.restored.push(path);
      return;
    }
    if (!this.isAsBefore(applied)) {
      if (!this.isOurs(applied)) {
        this.left.push(path);
        return;
      }
      await this.putBack(applied);
    }
    this.scope.record({ fact: 'restored', path, baseline });
    if (path === this.scope.product.codeFile) {
      this.scope.record({ fact: 'source', origin: this.scope.state.sourceBefore });
    }
  }
}

const touches = (scope: Scope, ...paths: readonly string[]): boolean =>
  scope.state.applied.some(({ operation }) => paths.includes(operation.path));

/** What did not run before this run must not run after it; what goes away has to be stopped while its unit is known. */
async function stopWhatWasStarted(scope: Scope, undoing: Undoing): Promise<void> {
  const { product, state } = scope;
  for (const unit of [product.service, product.socket]) {
    const concerned = state.restarted.has(unit) || state.restarted.has(product.socket);
    if (concerned && !isRunning(state.unitsBefore.get(unit)))
      await undoing.command(tools.systemctl, 'stop', unit);
  }
}

async function restartWhatRan(scope: Scope, undoing: Undoing): Promise<void> {
  const { product, state } = scope;
  const { service, socket, webUnit } = product;
  const unitFiles = [service, socket].map((unit) => `/etc/systemd/system/${unit}`);
  if (touches(scope, ...unitFiles)) await undoing.command(tools.systemctl, 'daemon-reload');
  const ran = isRunning(state.unitsBefore.get(service));
  for (const unit of [service, socket]) {
    // A unit that is gone stays known as failed until it is told to forget; one that never failed need not be told.
    const gone = !isRunning(state.unitsBefore.get(unit)) && state.restarted.has(unit);
    if (gone) await scope.host.change({ file: tools.systemctl, args: ['reset-failed', unit] });
  }
  if (state.restarted.has(service) || state.restarted.has(socket)) {
    // Else the crash loop of the new version keeps the old one from being started.
    if (ran) await undoing.command(tools.systemctl, 'reset-failed', service);
    if (state.restarted.has(socket) && isRunning(state.unitsBefore.get(socket))) {
      await undoing.command(tools.systemctl, 'stop', service);
      await undoing.command(tools.systemctl, 'restart', socket);
    }
    if (ran) await undoing.command(tools.systemctl, 'restart', service);
  }
  if (state.restarted.has(webUnit)) {
    const verb =
      isRunning(state.unitsBefore.get(webUnit)) || scope.memory().packagesInstalled.includes('nginx')
        ? 'reload'
        : 'stop';
    await undoing.command(tools.systemctl, verb, webUnit);
  }
  if (ran && state.restarted.has(service)) {
    scope.state.settings = scope.state.settingsBefore;
    // Its crashes were the new version's; the old one is judged from here on.
    await undoing.attempt(`${service} does not answer`, () => untilHealthy(scope, healthTimeout));
  }
}

/** @throws InstallerError E_UNDO_FAILED with what is not as it was, and with the reason for undoing */
export async function undo(scope: Scope, reason: PublicError): Promise<UndoOutput> {
  const { state } = scope;
  await state.inFlight;
  const undoing = new Undoing(scope);
  const live = state.services === 'live';
  if (live) await stopWhatWasStarted(scope, undoing);
  for (const applied of state.applied.toReversed()) {
    await undoing.attempt(`${applied.operation.path} could not be put back`, () => undoing.file(applied));
  }
  if (live) await restartWhatRan(scope, undoing);
  const packages = scope.memory().packagesInstalled;
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
