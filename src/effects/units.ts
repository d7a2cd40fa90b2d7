/** What systemd knows of units, in one call, and what the processes behind them have read. */
import type { HostReads } from './host/port.ts';
import { tools } from './tools.ts';

export interface UnitStatus {
  readonly unit: string;
  readonly loadState: string;
  readonly activeState: string;
  readonly subState: string;
  /** 0 where no process runs. */
  readonly mainPid: number;
  readonly restarts: number;
  readonly invocation: string;
  readonly result: string;
  /** The unit file on disk is newer than what systemd loaded. */
  readonly needsReload: boolean;
  /** Microseconds since the epoch, 0 where it never started. */
  readonly startedUs: number;
}

const properties = [
  'Id',
  'LoadState',
  'ActiveState',
  'SubState',
  'MainPID',
  'NRestarts',
  'InvocationID',
  'Result',
  'NeedDaemonReload',
  'ExecMainStartTimestamp',
];

/** Of the form `Sat 2026-11-21 10:11:12.123456 UTC`, which `--timestamp=us+utc` prints in every locale. */
function microseconds(timestamp: string): number {
  const match = /(\d{4})-(\d\d)-(\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))? UTC/u.exec(timestamp);
  if (match === null) return 0;
  const [, year, month, day, time, fraction = ''] = match;
  return Date.parse(`${year}-${month}-${day}T${time}Z`) * 1000 + Number(fraction.padEnd(6, '0'));
}

function parseUnit(block: string): UnitStatus {
  const values = new Map(
    block.split('\n').map((line): [string, string] => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
  const text = (name: string): string => values.get(name) ?? '';
  return {
    unit: text('Id'),
    loadState: text('LoadState'),
    activeState: text('ActiveState'),
    subState: text('SubState'),
    mainPid: Number(text('MainPID')) || 0,
    restarts: Number(text('NRestarts')) || 0,
    invocation: text('InvocationID'),
    result: text('Result'),
    needsReload: text('NeedDaemonReload') === 'yes',
    startedUs: microseconds(text('ExecMainStartTimestamp')),
  };
}

/** One `systemctl show` for all units; an empty map where systemd does not answer. */
export async function showUnits(
  host: HostReads,
  units: readonly string[],
): Promise<ReadonlyMap<string, UnitStatus>> {
  const result = await host.query({
    file: tools.systemctl,
    args: ['show', '--timestamp=us+utc', `--property=${properties.join(',')}`, '--', ...units],
    timeout: 15_000,
  });
  if (result.exitCode !== 0) return new Map();
  const blocks = result.stdout.trim().split('\n\n');
  return new Map(units.map((unit, at) => [unit, { ...parseUnit(blocks[at] ?? ''), unit }]));
}

export const isRunning = (status: UnitStatus | undefined): boolean =>
  status?.activeState === 'active' || status?.activeState === 'reloading';

/** The environment that a process was started with; null where it is gone or may not be read. */
export function environmentOf(host: HostReads, pid: number): ReadonlyMap<string, string> | null {
  const bytes = pid > 0 ? host.readSystem(`/proc/${pid}/environ`) : null;
  if (bytes === null) return null;
  return new Map(
    Buffer.from(bytes)
      .toString('utf8')
      .split('\0')
      .filter((entry) => entry.includes('='))
      .map((entry): [string, string] => {
        const at = entry.indexOf('=');
        return [entry.slice(0, at), entry.slice(at + 1)];
      }),
  );
}

/** Was the file changed after the process started? A time in the future (a clock put back) says nothing. */
export function isNewerThan(host: HostReads, path: string, startedUs: number, nowMs: number): boolean {
  const status = host.lstat(path);
  if (status === null || startedUs === 0) return false;
  const changedUs = Number(status.changedNs / 1000n);
  return changedUs > startedUs && changedUs <= nowMs * 1000;
}
