/** `preflight`: can this user on this host carry an installation, and is nobody else at it? */
import { InstallerError } from '../errors.ts';
import type { Note, PreflightOutput, Request } from '../machines/types.ts';
import { installedPackages } from './packages.ts';
import { refused } from './refusal.ts';
import type { Scope } from './scope.ts';
import { tools } from './tools.ts';
import { showUnits, unitsOf } from './units.ts';

/** Numbers compare as numbers; anything that is no version compares as older. */
function isNewer(version: string, than: string): boolean {
  const parts = (text: string): number[] => text.split(/[.-]/u).map((part) => Number(part) || 0);
  const [left, right] = [parts(version), parts(than)];
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

/** sd_booted(3): systemd is the running init where this directory exists. */
function servicesOf(scope: Scope): 'live' | 'offline' {
  const { host } = scope;
  return host.root === '/' && host.listSystem('/run/systemd/system') !== null ? 'live' : 'offline';
}

function maskedUnit({ host, product, state }: Scope): string | null {
  const units = unitsOf(product);
  for (const unit of units) {
    if (host.readLink(`/etc/systemd/system/${unit}`) === '/dev/null') return unit;
  }
  // The web server's is judged by the plan, which knows whether it is wanted.
  return units.find((unit) => state.unitsBefore.get(unit)?.loadState === 'masked') ?? null;
}

/** 249 is what Ubuntu 22.04 ships; the unit uses nothing newer. */
const oldestSystemd = 249;

/**
 * Why systemd is too old; null where it is not. What it said of the units tells that it is new enough: its version is asked
 * for only where it did not, since every run pays for each program that it starts.
 */
async function systemdProblem({ host, state }: Scope): Promise<string | null> {
  const [unit] = state.unitsBefore.values();
  if (unit?.isKnownToUphold === true) return null;
  const systemd = await host.query({ file: tools.systemctl, args: ['--version'], timeout: 15_000 });
  const version = Number(/^systemd (\d+)/u.exec(systemd.stdout)?.[1] ?? '0');
  return version < oldestSystemd
    ? `systemd ${oldestSystemd} or newer is needed, and this is ${version}`
    : null;
}

/**
 * Why there can be no packages here; null where there can, or below a root, where none are installed. The program that tells
 * so tells at the same time which packages there are, so that the plan need not start it once more.
 */
async function packagesProblem({ host, state }: Scope): Promise<string | null> {
  if (host.root !== '/') return null;
  const { exitCode, names } = await installedPackages(host);
  state.installed = names;
  return exitCode === 127 ? 'it has no dpkg, so it is no Debian or Ubuntu' : null;
}

/**
 * Sees how the units are, and at the same time why this host cannot carry an installation; null where it can.
 *
 * In a chroot systemctl says nothing of any unit, and succeeds, though systemd runs outside of it; where not even its bus
 * can be reached, an image is one that is being made.
 */
async function lookAtPlatform(scope: Scope, { checks, image }: Request): Promise<string | null> {
  const { host, product, state } = scope;
  const isLive = state.services === 'live';
  const [units, problem] = await Promise.all([
    isLive ? showUnits(host, [...unitsOf(product), product.webUnit]) : state.unitsBefore,
    checks ? packagesProblem(scope) : null,
  ]);
  const isDeaf =
    (image && isLive && units.size === 0) ||
    (units.size > 0 && [...units.values()].every(({ loadState }) => loadState === ''));
  if (isDeaf) state.services = 'offline';
  state.unitsBefore = isDeaf ? new Map() : units;
  return problem ?? (isLive && !isDeaf && checks ? await systemdProblem(scope) : null);
}

/**
 * @returns `ready` with the way services are handled, `busy`, or `refused`: E_NOT_ROOT, E_DOWNGRADE, E_PLATFORM,
 *   E_UNIT_MASKED, E_PATH_UNSAFE
 */
export async function preflight(scope: Scope, request: Request): Promise<PreflightOutput> {
  const notes: Note[] = [];
  scope.state.start = request.start && !request.image;
  scope.state.image = request.image;
  if (scope.mustOwn && scope.host.root === '/') {
    return refused(new InstallerError('E_NOT_ROOT', { command: scope.sudoCommand }));
  }
  if (scope.lock() === 'busy') return { kind: 'busy', error: new InstallerError('E_BUSY').toJSON() };
  scope.state.services = servicesOf(scope);
  const { version } = scope;
  const newest = scope.memory().installer;
  if (newest !== null && isNewer(newest, version) && !request.downgrade && request.checks) {
    return refused(new InstallerError('E_DOWNGRADE', { newer: newest, current: version }));
  }
  const why = await lookAtPlatform(scope, request);
  if (why !== null) return refused(new InstallerError('E_PLATFORM', { why }));
  const unit = maskedUnit(scope);
  // What is masked cannot be started; it can be taken away.
  if (unit !== null && request.undo?.kind !== 'uninstall')
    return refused(new InstallerError('E_UNIT_MASKED', { unit }));
  if (scope.state.services === 'offline') {
    notes.push({
      code: 'services-offline',
      level: 'info',
      text:
        request.undo === null
          ? 'systemd is not running here: files are written and units enabled; the service starts at the next boot.'
          : 'systemd is not running here: files are put back, and no unit is told.',
    });
  }
  return { kind: 'ready', services: scope.state.services, notes };
}
