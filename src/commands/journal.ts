/** `history`, `show` and `replay`: what the journal tells. */
import { createRealHost } from '../effects/host/real.ts';
import { InstallerError, toPublicError, type ErrorCode } from '../errors.ts';
import { journalDirectory, openJournalHome } from '../journal-home.ts';
import { findRun, readRun, runIds, type Run } from '../journal/reader.ts';
import type { JournalRecord } from '../journal/record.ts';
import { installerMachine, machineVersion } from '../machines/installer.ts';
import { replaySteps, type RecordedEvent } from '../machines/replay.ts';
import type { Input } from '../machines/types.ts';
import type { RunEvent } from '../run-events.ts';
import { rootOf, type Options } from './inputs.ts';
import type { CommandOutput } from './output.ts';
import { usage } from './usage.ts';

function homeOf(options: Options): string | null {
  const root = rootOf(options);
  return openJournalHome({ root, owner: createRealHost({ root }).owner });
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
  error: error === null ? null : toPublicError(error),
});

const damaged = (run: Run): InstallerError | null =>
  run.damage === null
    ? null
    : new InstallerError('E_JOURNAL_DAMAGED' satisfies ErrorCode, {
        path: `${journalDirectory}/runs/${run.id}/journal.jsonl`,
        why: run.damage,
      });

const outcomeOf = (run: Run): string =>
  run.ended?.outcome ?? (run.damage === null ? 'interrupted' : 'damaged');

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
  if (typeof value === 'string' && /^[1-9]\d{0,5}$/u.test(value)) return Number(value);
  throw usage(`--limit ${JSON.stringify(value)} is not a positive number.`);
}

export function runHistory(options: Options, output: CommandOutput): number {
  const limit = limitOf(options);
  const home = homeOf(options);
  const runs = (home === null ? [] : runIds(home))
    .toReversed()
    .slice(0, limit)
    .map((id) => readRun(home!, id));
  if (runs.length === 0) output.emit({ v: 1, type: 'text', text: 'No runs are recorded here.' });
  for (const run of runs) {
    const changed = changedBy(run);
    const [started, command, mode] = [
      run.started?.t ?? null,
      run.started?.command ?? null,
      run.ended?.mode ?? null,
    ];
    const outcome = outcomeOf(run);
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
    output.emit({ v: 1, type: 'text', text: words.join('  ') });
  }
  const broken = runs.map(damaged).find((error) => error !== null) ?? null;
  output.emit(result('history', broken));
  return broken === null ? 0 : 65;
}

function theRun(wanted: string, options: Options): Run {
  const home = homeOf(options);
  const id = home === null ? null : findRun(home, wanted);
  if (home === null || id === null)
    throw new InstallerError('E_RUN_UNKNOWN', { run: JSON.stringify(wanted.slice(0, 60)) });
  return readRun(home, id);
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

export function runShow(wanted: string, options: Options, output: CommandOutput): number {
  const run = theRun(wanted, options);
  output.emit({ v: 1, type: 'text', text: `Run ${run.id}` });
  for (const record of run.records) {
    output.emit({ v: 1, type: 'record', record: { ...record } });
    output.emit({
      v: 1,
      type: 'text',
      text: `${String(record.n).padStart(4)}  ${record.t}  ${describe(record)}`,
    });
  }
  if (run.torn) output.emit({ v: 1, type: 'text', text: 'The last record was cut off; it is left out.' });
  if (run.ended === null && run.damage === null)
    output.emit({ v: 1, type: 'text', text: 'The run did not end.' });
  const broken = damaged(run);
  output.emit(result('show', broken));
  return broken === null ? 0 : 65;
}

export function runReplay(wanted: string, options: Options, output: CommandOutput): number {
  const run = theRun(wanted, options);
  const say = (text: string): void => output.emit({ v: 1, type: 'text', text });
  const { started } = run;
  const machine = started?.machine;
  if (started !== null && machine?.id === installerMachine.id && machine.version === machineVersion) {
    const events = run.records.flatMap((record): RecordedEvent[] =>
      record.k === 'event' ? [record.event] : [],
    );
    let n = 0;
    // Written by this machine version, under a checksum: the input is the machine's.
    for (const snapshot of replaySteps(started.input as Input, events)) {
      const event = n === 0 ? 'start' : (events[n - 1]?.type ?? '');
      const state = snapshot.value;
      output.emit({ v: 1, type: 'step', n, event, state });
      say(`${String(n).padStart(4)}  ${event}  ->  ${state}`);
      n += 1;
    }
  } else {
    say(`Run ${run.id} is of another version of the machine and cannot be folded; its records:`);
    for (const record of run.records)
      say(`${String(record.n).padStart(4)}  ${record.t}  ${describe(record)}`);
  }
  const broken = damaged(run);
  output.emit(result('replay', broken));
  return broken === null ? 0 : 65;
}
