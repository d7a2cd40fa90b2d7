/** `show` and `replay`: what the journal tells of one run. */
import { toPublicError, type InstallerError } from '../errors.ts';
import type { Run } from '../journal/reader.ts';
import type { JournalRecord } from '../journal/record.ts';
import { isThisMachine, replaySteps, type RecordedEvent } from '../machines/replay.ts';
import type { Input } from '../machines/types.ts';
import type { Options } from './inputs.ts';
import type { CommandOutput } from './output.ts';
import { damaged, goesOn, recordedRun, type Recorded } from './recorded.ts';
import { notStopped, shownResult } from './shown.ts';

const shownAbove = 'What can be read of it is shown above.';

const damageOf = ({ run, home, path }: Recorded): InstallerError | null =>
  run.damage === null
    ? null
    : damaged(path, run.damage, home === null ? shownAbove : `${shownAbove} ${notStopped}`);

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

/** What stands in a file from elsewhere must not steer the terminal that it is shown on. */
const printable = (text: string): string =>
  text.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

const asLine = (record: JournalRecord): string =>
  printable(`${String(record.n).padStart(4)}  ${record.t}  ${describe(record)}`);

function tellRecords(run: Run, output: CommandOutput): void {
  for (const record of run.records) {
    output.emit({ v: 1, type: 'record', record: { ...record } });
    output.say(asLine(record));
  }
}

/** What the records do not say themselves: that there are no more of them. */
function tellEnd(recorded: Recorded, output: CommandOutput): void {
  const { run } = recorded;
  const note = (code: string, text: string): void =>
    output.emit({ v: 1, type: 'note', code, level: 'warning', text });
  if (run.torn && run.records.length > 0) note('record-torn', 'The last record was cut off; it is left out.');
  if (run.ended !== null || run.damage !== null) return;
  if (goesOn(recorded)) note('run-under-way', 'The run is still under way.');
  else if (run.records.length === 0) note('run-empty', 'The run was cut off before its first record.');
  else note('run-unended', 'The run did not end.');
}

export async function runShow(wanted: string, options: Options, output: CommandOutput): Promise<number> {
  const recorded = await recordedRun(wanted, options);
  const { run } = recorded;
  const target = options['export'];
  if (typeof target === 'string') {
    (await import('./export.ts')).exportRun(recorded, target, options, output);
    // On stdout nothing but the run.
    if (target === '-') return run.damage === null ? 0 : 65;
  } else {
    output.say(`Run ${run.id}`);
    tellRecords(run, output);
  }
  tellEnd(recorded, output);
  const broken = damageOf(recorded);
  output.emit(shownResult('show', broken));
  return broken === null ? 0 : 65;
}

/** @returns why the run cannot be folded to its end; null where it can */
function tellSteps(input: Input, events: readonly RecordedEvent[], output: CommandOutput): string | null {
  let n = 0;
  try {
    for (const snapshot of replaySteps(input, events)) {
      const event = n === 0 ? 'start' : (events[n - 1]?.type ?? '');
      const state = snapshot.value;
      output.emit({ v: 1, type: 'step', n, event, state });
      output.say(`${String(n).padStart(4)}  ${printable(event)}  ->  ${state}`);
      n += 1;
    }
    return null;
  } catch {
    // Whoever made a file by hand can make any event.
    return n === 0 ? 'the machine cannot begin with its input' : `the machine cannot take its event ${n}`;
  }
}

const eventsOf = (run: Run): RecordedEvent[] =>
  run.records.flatMap((record) => (record.k === 'event' ? [record.event] : []));

/** What serves a run until a signal comes; null where it cannot be served. */
type Serve = (run: Run) => Promise<(() => Promise<void>) | null>;

/** `--inspect`, loaded only where it is asked for. @throws InstallerError E_USAGE */
async function serving(options: Options, output: CommandOutput): Promise<Serve | null> {
  if (options['inspect'] === undefined && options['inspectStately'] === undefined) return null;
  const { wantedOf, watchReplay } = await import('./inspect.ts');
  const wanted = wantedOf(options);
  return async (run) => {
    if (run.started !== null && isThisMachine(run.started.machine)) return watchReplay(wanted, run, output);
    const text = 'The run cannot be folded, so it is not served.';
    output.emit({ v: 1, type: 'note', code: 'inspector-failed', level: 'warning', text });
    return null;
  };
}

export async function runReplay(wanted: string, options: Options, output: CommandOutput): Promise<number> {
  // Bad usage is told before anything else is.
  const serve = await serving(options, output);
  const found = await recordedRun(wanted, options);
  const { started, id } = found.run;
  let unfoldable: string | null = null;
  if (started === null) {
    output.say(`Run ${id} has no first record, so there is nothing to fold.`);
  } else if (isThisMachine(started.machine)) {
    // Written by this machine version, under a checksum: the input is the machine's.
    unfoldable = tellSteps(started.input as Input, eventsOf(found.run), output);
  } else {
    output.say(`Run ${id} is of another version of the machine and cannot be folded; its records:`);
    tellRecords(found.run, output);
  }
  const recorded = unfoldable === null ? found : { ...found, run: { ...found.run, damage: unfoldable } };
  tellEnd(recorded, output);
  const until = serve === null || unfoldable !== null ? null : await serve(found.run);
  const broken = damageOf(recorded);
  output.emit(shownResult('replay', broken));
  await until?.();
  return broken === null ? 0 : 65;
}
