/** `history`, `show` and `replay`: what the journal tells. */
import { toPublicError, type InstallerError } from '../errors.ts';
import { factsOf, readRun, runIds, type Run } from '../journal/reader.ts';
import type { JournalRecord } from '../journal/record.ts';
import { isThisMachine, replaySteps, type RecordedEvent } from '../machines/replay.ts';
import type { Input } from '../machines/types.ts';
import type { RunEvent } from '../run-events.ts';
import { pastRuns } from '../past.ts';
import { typeable } from './called.ts';
import { outcomeWord } from './outcome.ts';
import type { Options } from './inputs.ts';
import type { CommandOutput } from './output.ts';
import { damaged, goesOn, homeOf, journalOf, recordedRun, underWay, type Recorded } from './recorded.ts';
import { shown, usage } from './usage.ts';

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

const notStopped = 'A new install is not stopped by it; a restart then counts as owed.';

const shownAbove = 'What can be read of it is shown above.';

const damageOf = ({ run, home, path }: Recorded): InstallerError | null =>
  run.damage === null
    ? null
    : damaged(path, run.damage, home === null ? shownAbove : `${shownAbove} ${notStopped}`);

function outcomeOf(run: Run, current: string | null): string {
  if (run.id === current) return 'underWay';
  if (run.ended !== null) return outcomeWord(run.started?.command ?? null, run.ended.outcome);
  return run.damage === null ? 'interrupted' : 'damaged';
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

/** Ids of those whose work later ones have undone: only later ones can, so the newest runs are enough. */
function undoneAmong(newest: readonly Run[]): ReadonlySet<string> {
  const facts = newest.toReversed().map(factsOf);
  const products = new Set(facts.flatMap(({ product }) => (product === null ? [] : [product])));
  const past = [...products].flatMap((product) => pastRuns(facts, product));
  return new Set(past.flatMap(({ id, stands }) => (stands ? [] : [id])));
}

/** So many paths fit on a line that people read; programs get all of them. */
const shownPaths = 3;

function pathWords(changed: readonly string[]): string {
  if (changed.length === 0) return '-';
  const more = changed.length - shownPaths;
  return `${changed.slice(0, shownPaths).join(' ')}${more > 0 ? ` and ${more} more` : ''}`;
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

export async function runHistory(options: Options, output: CommandOutput): Promise<number> {
  if (options['prune'] !== undefined) return (await import('./prune.ts')).runPrune(options, output);
  if (options['dryRun'] === true)
    throw usage('--dry-run goes with --prune: history alone changes nothing.', 'Leave it out.');
  const limit = limitOf(options);
  const home = homeOf(options);
  const runs = (home === null ? [] : runIds(home))
    .toReversed()
    .slice(0, limit)
    .map((id) => readRun(home!, id));
  if (runs.length === 0) output.say('No runs are recorded here.');
  const current = home === null ? null : underWay(home, runs[0]);
  // On a host of one product its name tells nothing.
  const severalProducts =
    new Set(runs.map(({ product }) => product).filter((name) => name !== null)).size > 1;
  const undone = undoneAmong(runs);
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
      product: run.product,
      mode,
      outcome,
      exitCode,
      changed,
      undone: undone.has(run.id),
    });
    const words = [
      run.id,
      started ?? '-',
      command ?? '-',
      ...(severalProducts ? [run.product ?? '-'] : []),
      mode ?? '-',
      undone.has(run.id) ? `${outcome}, undone since` : outcome,
      pathWords(changed),
    ];
    output.say(words.join('  '));
  }
  const first = runs.find((run) => run.damage !== null);
  const broken =
    first === undefined
      ? null
      : damaged(
          journalOf(options, first.id),
          first.damage ?? '',
          `What can be read of it is shown by \`mcp-installer show ${first.id}\`. ${notStopped}`,
        );
  output.emit(result('history', broken));
  return broken === null ? 0 : 65;
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
  output.emit(result('show', broken));
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
  output.emit(result('replay', broken));
  await until?.();
  return broken === null ? 0 : 65;
}
