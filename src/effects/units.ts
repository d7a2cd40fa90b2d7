/** What systemd knows of units, in one call, and what the processes behind them have read. */
import { InstallerError } from '../errors.ts';
import type { Product } from '../products/product.ts';
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
  /** As `startedUs`, of a unit without a process. */
  readonly activeUs: number;
  /** Where a socket unit is to listen, as systemd loaded it: `127.0.0.1:8083`. */
  readonly listens: readonly string[];
  /** Paths of the drop-ins that systemd has loaded. */
  readonly dropIns: readonly string[];
  /** Empty where none of its processes runs. */
  readonly controlGroup: string;
  /** Does this systemd know `Upholds=`, as 249 and newer do (systemd.unit(5))? */
  readonly isKnownToUphold: boolean;
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
  'ActiveEnterTimestamp',
  'Listen',
  'DropInPaths',
  'ControlGroup',
  'Upholds',
];

/** Of the form `Sat 2026-11-21 10:11:12.123456 UTC`, which `--timestamp=us+utc` prints in every locale. */
function microseconds(timestamp: string): number {
  const match = /(\d{4})-(\d\d)-(\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))? UTC/u.exec(timestamp);
  if (match === null) return 0;
  const [, year, month, day, time, fraction = ''] = match;
  return Date.parse(`${year}-${month}-${day}T${time}Z`) * 1000 + Number(fraction.padEnd(6, '0'));
}

function parseUnit(block: string): UnitStatus {
  const lines = block.split('\n').map((line): [string, string] => {
    const at = line.indexOf('=');
    return [line.slice(0, at), line.slice(at + 1)];
  });
  const values = new Map(lines);
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
    activeUs: microseconds(text('ActiveEnterTimestamp')),
    // One line for each address: `127.0.0.1:8083 (Stream)`.
    listens: lines.filter(([name]) => name === 'Listen').map(([, value]) => value.replace(/ \(\w+\)$/u, '')),
    dropIns: text('DropInPaths')
      .split(' ')
      .filter((path) => path !== ''),
    controlGroup: text('ControlGroup'),
    // What is asked for by its name is printed where it is empty as well, and not where it is unknown.
    isKnownToUphold: values.has('Upholds'),
  };
}

/** The product's own units, in the order in which they start. */
export const unitsOf = ({ socket, service }: Product): readonly string[] =>
  socket === null ? [service] : [socket, service];

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

/** undefined where systemd does not answer. */
export const showUnit = async (host: HostReads, unit: string): Promise<UnitStatus | undefined> =>
  (await showUnits(host, [unit])).get(unit);

export const isRunning = (status: UnitStatus | undefined): boolean =>
  status?.activeState === 'active' || status?.activeState === 'reloading';

/**
 * Is it a process of the unit? Its control group says so, which only systemd assigns; anybody may call a program nginx,
 * or a unit of one's own as ours is called.
 */
export function isInUnit(host: HostReads, pid: number, status: UnitStatus | undefined): boolean {
  const group = status?.controlGroup ?? '';
  const lines = Buffer.from(host.readSystem(`/proc/${pid}/cgroup`) ?? [])
    .toString('utf8')
    .split('\n');
  // cgroups(7): systemd's own hierarchy is `0::` or, in the first version, `name=systemd`.
  const groups = lines.map((line) => /^\d+:(?:name=systemd)?:(\/.+)$/u.exec(line)?.[1] ?? '');
  return group !== '' && groups.some((path) => path === group || path.startsWith(`${group}/`));
}

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

const dropInDirectory = (unit: string): string => `/etc/systemd/system/${unit}.d`;

/** Drop-ins are a person's: one in a place that cannot be trusted is no reason to refuse anything. */
function orUnseen<T>(look: () => T, unseen: T): T {
  try {
    return look();
  } catch (error) {
    if (error instanceof InstallerError) return unseen;
    throw error;
  }
}

/** Paths of the unit's drop-ins, those that systemd has not noticed yet included. */
export function dropInsOf(host: HostReads, unit: string, loaded: readonly string[]): readonly string[] {
  const directory = dropInDirectory(unit);
  const names = orUnseen(() => host.list(directory) ?? [], []).filter((name) => name.endsWith('.conf'));
  return [...new Set([...loaded, ...names.map((name) => `${directory}/${name}`)])];
}

/** Drop-ins that what runs since then has not read, or that it has read and that are gone. */
export const changedDropIns = (host: HostReads, status: UnitStatus, sinceUs: number): readonly string[] =>
  dropInsOf(host, status.unit, status.dropIns).filter((path) =>
    orUnseen(() => host.lstat(path) === null || isNewerThan(host, path, sinceUs, Date.now()), false),
  );
