/** `history`: the runs, one line each. */
import { factsOf, readRun, runIds, type Run } from '../journal/reader.ts';
import { pastRuns } from '../past.ts';
import type { Options } from './inputs.ts';
import { outcomeWord } from './outcome.ts';
import type { CommandOutput } from './output.ts';
import { damaged, homeOf, journalOf, underWay } from './recorded.ts';
import { notStopped, shownResult } from './shown.ts';
import { shown, usage } from './usage.ts';

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
  output.emit(shownResult('history', broken));
  return broken === null ? 0 : 65;
}
