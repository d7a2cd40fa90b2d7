/** A service that crashes and is started again by systemd: told where it is one, and ended before a new start. */
import type { Scope } from './scope.ts';
import { tools } from './tools.ts';
import { showUnit, type UnitStatus } from './units.ts';

/** A service that systemd had to start again by itself less than this ago, in seconds, is in a loop of crashes. */
const loopAge = 60;

/** Newer versions of systemd also have `auto-restart-queued`. */
const waitsForRestart = ({ subState }: UnitStatus): boolean => subState.startsWith('auto-restart');

/** Of the process, in seconds. */
const ageOf = ({ startedUs }: UnitStatus): number => Math.floor(Date.now() / 1000 - startedUs / 1_000_000);

const isYoung = (age: number): boolean => age >= 0 && age < loopAge;

/** Half a sentence where it crashes. After a restart by this run every crash counts; what was before is judged by its age. */
export function crashOf(scope: Scope, status: UnitStatus): string | null {
  const { activeState, restarts, result } = status;
  if (activeState === 'failed') return `it failed (${result})`;
  const times = `${restarts} ${restarts === 1 ? 'time' : 'times'}`;
  if (waitsForRestart(status))
    return restarts === 0 ? `it crashed (${result})` : `it crashed again (${result}; restarted ${times})`;
  const own = scope.state.restarted.has(status.unit);
  // One crash that systemd has mended is no loop yet.
  if (restarts < (own ? 1 : 2)) return null;
  const age = ageOf(status);
  return own || isYoung(age)
    ? `it crashes and is restarted (${times}, the last time ${Math.max(0, age)} s ago)`
    : null;
}

/**
 * Stops the service where it crashes and is restarted. Before its crashes are forgotten: `systemctl restart` of a unit
 * that waits for its next start keeps their number, and one more in between would count as the new version's.
 *
 * Alone: whatever requires the service is not stopped with it, since the start that follows would not bring it back. What
 * is bound to it (`BindsTo=`) systemd stops all the same, as it does at each crash.
 */
export async function endCrashLoop(scope: Scope): Promise<void> {
  const { service } = scope.product;
  const status = await showUnit(scope.host, service);
  if (status === undefined || status.activeState === 'inactive' || status.activeState === 'failed') return;
  // systemd counts on for as long as the unit is loaded: a crash of last week is no loop.
  const loops = waitsForRestart(status) || (status.restarts > 0 && isYoung(ageOf(status)));
  if (!loops) return;
  // Whether it was of use shows where the service is asked.
  const args = ['stop', '--job-mode=ignore-dependencies', service];
  await scope.host.change({ file: tools.systemctl, args, timeout: 90_000 });
}
