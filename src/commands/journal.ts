/** `history`, `show` and `replay`: what the journal tells. */
import { createRealHost } from '../effects/host/real.ts';
import { InstallerError, toPublicError, type ErrorCode } from '../errors.ts';
import { journalDirectory, openJournalHome } from '../journal-home.ts';
import { probeLock } from '../journal/lock.ts';
import { findRun, readRun, runIds, type Run } from '../journal/reader.ts';
import type { JournalRecord } from '../journal/record.ts';
import { installerMachine, machineVersion } from '../machines/installer.ts';
import { replaySteps, type RecordedEvent } from '../machines/replay.ts';
import type { Input } from '../machines/types.ts';
import type { RunEvent } from '../run-events.ts';
import { typeable } from './called.ts';
import { rootOf, type Options } from './inputs.ts';
import type { CommandOutput } from './output.ts';
import { shown, usage } from './usage.ts';

function homeOf(options: Options): string | null {
  const root = rootOf(options);
  // Open as long as the command runs.
  return openJournalHome({ root, owner: createRealHost({ root }).owner })?.path ?? null;
}

const result = (command: string, error: InstallerError | null): RunEvent => ({
  v: 1,
  type: 'result',
  command,
  outcome: error === null ? 'shown' : 'damaged',
  exitCode: error === null ? 0 : 65,
  changed: false,
  plan: null,
  run: null,
  error: typeable(error === null ? null : toPublicError(error)),
});

const damaged = (run: Run, remedy: string): InstallerError | null =>
  run.damage === null
    ? null
    : new InstallerError('E_JOURNAL_DAMAGED' satisfies ErrorCode, {
        path: `${journalDirectory}/runs/${run.id}/journal.jsonl`,
        why: run.damage,
        remedy: `${remedy} A new install is not stopped by it; a restart then counts as owed.`,
      });

const shownAbove = 'What can be read of it is shown above.';

/** The newest run, where it has not ended and the lock says that it still goes on. */
function underWay(home: string, newest: Run | undefined): string | null {
  if (newest?.ended !== null || newest.damage !== null) return null;
  return probeLock(home) ? newest.id : null;
}

function outcomeOf(run: Run, current: string | null): string {
  if (run.id === current) return 'underWay';
  return run.ended?.outcome ?? (run.damage === null ? 'interrupted' : 'damaged');
}

/** Paths that a run replaced for good. */
function changedBy(run: Run): string[] {
  const paths = run.records.flatMap((record) =>
    record.k === 'fact' && record.fact.fact === 'replaced' ? [record.fact.path] : [],
  );
  const restored = run.records.flatMap((record) =>
    record.k === 'fact' && record.fact.fact === 'restored' ? [record.fact.path] : [],
  );
  return [...new Set(paths)].filter((path) => !restored.includes(path));
}

const defaultLimit = 20;

function limitOf(options: Options): number {
  const value = options['limit'];
  if (value === undefined) return defaultLimit;
  if (typeof value === 'string' && /^0*[1-9]\d*$/u.test(value)) return Number(value);
  throw usage(
    `--limit ${shown(typeof value === 'string' ? value : '')} is not a positive number.`,
    'Valid: 1 and more.',
  );
}

export function runHistory(options: Options, output: CommandOutput): number {
  const limit = limitOf(options);
  const home = homeOf(options);
  const runs = (home === null ? [] : runIds(home))
    .toReversed()
    .slice(0, limit)
    .map((id) => readRun(home!, id));
  if (runs.length === 0) output.say('No runs are recorded here.');
  const current = home === null ? null : underWay(home, runs[0]);
  for (const run of runs) {
    const changed = changedBy(run);
    const [started, command, mode] = [
      run.started?.t ?? null,
      run.started?.command ?? null,
      run.ended?.mode ?? null,
    ];
    const outcome = outcomeOf(run, current);
    const exitCode = run.ended?.exitCode ?? null;
    output.emit({
      v: 1,
      type: 'historyEntry',
      run: run.id,
      started,
      command,
      mode,
      outcome,
      exitCode,
      changed,
    });
    const words = [
      run.id,
      started ?? '-',
      command ?? '-',
      mode ?? '-',
      outcome,
      changed.length === 0 ? '-' : changed.join(' '),
    ];
    output.say(words.join('  '));
  }
  const broken =
    runs
      .map((run) => damaged(run, `What can be read of it is shown by \`mcp-installer show ${run.id}\`.`))
      .find((error) => error !== null) ?? null;
  output.emit(result('history', broken));
  return broken === null ? 0 : 65;
}

/** The run that a command was given: its id, the beginning of one, or `last`. */
export function theRun(wanted: string, options: Options): { readonly home: string; readonly run: Run } {
  if (wanted === '')
    throw usage('The name of the run is empty.', 'Give its id, the beginning of one, or last.');
  const home = homeOf(options);
  const id = home === null ? null : findRun(home, wanted);
  if (home !== null && id !== null) return { home, run: readRun(home, id) };
  const meant = home === null ? [] : runIds(home).filter((each) => each.startsWith(wanted));
  if (meant.length > 1) {
    const newest = meant.toReversed().slice(0, 10);
    const more = meant.length > newest.length ? `, and ${meant.length - newest.length} older ones` : '';
    throw usage(
      `${shown(wanted)} is ambiguous: ${meant.length} runs begin like that.`,
      `They are ${newest.join(', ')}${more}.`,
    );
  }
  throw new InstallerError('E_RUN_UNKNOWN', { run: JSON.stringify(wanted.slice(0, 60)) });
}

function describe(record: JournalRecord): string {
  switch (record.k) {
    case 'run.started':
      return `run started: ${record.command}, mcp-installer ${record.installer}, machine ${record.machine.id} ${record.machine.version}`;
    case 'event': {
      const { type, error, signal } = record.event;
      const failure = error === undefined ? '' : `: ${toPublicError(error).code}`;
      return `event ${type}${failure}${signal === undefined ? '' : ` ${signal}`}`;
    }
    case 'fact': {
      const { fact, ...rest } = record.fact;
      const words = Object.entries(rest)
        .filter(([, value]) => value !== null && typeof value !== 'object')
        .map(([, value]) => String(value));
      const lists = Object.values(rest)
        .filter((value) => Array.isArray(value))
        .flat()
        .map(String);
      return ['fact', fact, ...words, ...lists].join(' ');
    }
    case 'run.ended':
      return `run ended: ${record.outcome}, exit code ${record.exitCode}`;
  }
}

const asLine = (record: JournalRecord): string =>
  `${String(record.n).padStart(4)}  ${record.t}  ${describe(record)}`;

function tellRecords(run: Run, output: CommandOutput): void {
  for (const record of run.records) {
    output.emit({ v: 1, type: 'record', record: { ...record } });
    output.say(asLine(record));
  }
}

/** What the records do not say themselves: that there are no more of them. */
function tellEnd(home: string, run: Run, output: CommandOutput): void {
  const note = (code: string, text: string): void =>
    output.emit({ v: 1, type: 'note', code, level: 'warning', text });
  if (run.torn && run.records.length > 0) note('record-torn', 'The last record was cut off; it is left out.');
  if (run.ended !== null || run.damage !== null) return;
  const newest = runIds(home).at(-1) === run.id;
  if (newest && underWay(home, run) !== null) note('run-under-way', 'The run is still under way.');
  else if (run.records.length === 0) note('run-empty', 'The run was cut off before its first record.');
  else note('run-unended', 'The run did not end.');
}

export function runShow(wanted: string, options: Options, output: CommandOutput): number {
  const { home, run } = theRun(wanted, options);
  output.say(`Run ${run.id}`);
  tellRecords(run, output);
  tellEnd(home, run, output);
  const broken = damaged(run, shownAbove);
  output.emit(result('show', broken));
  return broken === null ? 0 : 65;
}

function tellSteps(input: Input, events: readonly RecordedEvent[], output: CommandOutput): void {
  let n = 0;
  for (const snapshot of replaySteps(input, events)) {
    const event = n === 0 ? 'start' : (events[n - 1]?.type ?? '');
    const state = snapshot.value;
    output.emit({ v: 1, type: 'step', n, event, state });
    output.say(`${String(n).padStart(4)}  ${event}  ->  ${state}`);
    n += 1;
  }
}

export function runReplay(wanted: string, options: Options, output: CommandOutput): number {
  const { home, run } = theRun(wanted, options);
  const { started } = run;
  if (started === null) {
    output.say(`Run ${run.id} has no first record, so there is nothing to fold.`);
  } else if (started.machine.id === installerMachine.id && started.machine.version === machineVersion) {
    const events = run.records.flatMap((record): RecordedEvent[] =>
      record.k === 'event' ? [record.event] : [],
    );
    // Written by this machine version, under a checksum: the input is the machine's.
    tellSteps(started.input as Input, events, output);
  } else {
    output.say(`Run ${run.id} is of another version of the machine and cannot be folded; its records:`);
    tellRecords(run, output);
  }
  tellEnd(home, run, output);
  const broken = damaged(run, shownAbove);
  output.emit(result('replay', broken));
  return broken === null ? 0 : 65;
}
