/** `history --prune [KEEP]`: the copies of replaced files that older runs kept go, and it is told which. */
import { createRealHost } from '../effects/host/real.ts';
import { InstallerError, errorTable, toPublicError } from '../errors.ts';
import { openJournalHome } from '../journal-home.ts';
import { probeLock, takeLockForOther } from '../journal/lock.ts';
import { copiesToPrune, prune, type Going } from '../prune.ts';
import { keptRuns } from '../retention.ts';
import type { ResultEvent } from '../run-events.ts';
import { typeable } from './called.ts';
import { dryRunOf, environmentOfSudo } from './environment.ts';
import { rootOf, type Options } from './inputs.ts';
import { instanceIn } from './instance.ts';
import type { CommandOutput } from './output.ts';
import { damaged, journalOf } from './recorded.ts';
import { shown, usage } from './usage.ts';

/** Far more than anybody has: a number above it is a slip. */
const maxKeep = 999_999_999;

function keepOf({ prune: value, limit }: Options): number {
  if (limit !== undefined)
    throw usage('--limit and --prune contradict each other.', 'Leave one of them out.');
  if (value === true) return keptRuns;
  if (typeof value === 'string' && /^\d+$/u.test(value) && Number(value) <= maxKeep) return Number(value);
  throw usage(
    `--prune ${shown(typeof value === 'string' ? value : '')} is not a number of runs.`,
    `Valid: 0 to ${maxKeep}; the originals from before the first installation stay in any case.`,
  );
}

const counted = (count: number): string => (count === 1 ? '1 run' : `${count} runs`);
const copies = (count: number): string => (count === 1 ? '1 copy' : `${count} copies`);

const resultOf = (
  outcome: 'pruned' | 'unchanged' | 'failed',
  changed: boolean,
  error: InstallerError | null,
): ResultEvent => ({
  v: 1,
  type: 'result',
  command: 'history',
  outcome,
  exitCode: error === null ? 0 : errorTable[error.code].exit,
  changed,
  plan: null,
  run: null,
  error: typeable(error === null ? null : toPublicError(error)),
});

/** What is done to one journal, which nobody else is at work on. */
function pruneHome(
  home: string,
  keep: number,
  dryRun: boolean,
  options: Options,
  output: CommandOutput,
): ResultEvent {
  const found = copiesToPrune(home, keep);
  let gone = 0;
  const tell = ({ run, names, paths }: Going): void => {
    gone += 1;
    output.emit({ v: 1, type: 'pruned', run, copies: names.length, paths: [...paths], dryRun });
    output.say(
      `${run}  ${dryRun ? 'would lose' : 'lost'} ${copies(names.length)}  ${paths.join(' ')}`.trimEnd(),
    );
  };
  let error: InstallerError | null = null;
  try {
    if (dryRun) found.going.forEach(tell);
    else prune(home, found.going, tell);
  } catch (thrown) {
    if (!(thrown instanceof InstallerError)) throw thrown;
    error = thrown;
  }
  if (error === null) {
    const words = dryRun ? 'Would prune the copies of' : 'Pruned the copies of';
    output.say(
      gone === 0
        ? `Nothing to prune: the newest ${counted(keep)} and the originals keep their copies.`
        : `${words} ${counted(gone)}: the newest ${keep} and the originals keep theirs.`,
    );
    const [first] = found.damaged;
    if (first !== undefined) {
      error = damaged(
        journalOf(options, first.run),
        first.why,
        'Its copies stay: nobody can tell any more what they are needed for.',
      );
    }
  }
  const outcome = error?.code === 'E_PRUNE' ? 'failed' : gone === 0 ? 'unchanged' : 'pruned';
  return resultOf(outcome, gone > 0 && !dryRun, error);
}

/**
 * @returns the exit code: 13 where something could not be removed, 65 where the copies of a damaged run had to stay
 * @throws InstallerError E_USAGE, E_ROOT_INVALID, E_NOT_ROOT, E_PATH_UNSAFE; E_BUSY where a run is under way
 */
export function runPrune(options: Options, output: CommandOutput): number {
  const keep = keepOf(options);
  const dryRun = options['dryRun'] === true || dryRunOf(process.env, environmentOfSudo());
  const root = rootOf(options);
  const trust = { root, owner: createRealHost({ root }).owner };
  const instance = instanceIn(options);
  // The lock of the plain installation is everybody's.
  const shared = openJournalHome(trust);
  const home = instance === null ? shared : openJournalHome(trust, instance);
  if (shared === null || home === null) {
    output.say('No runs are recorded here.');
    output.emit(resultOf('unchanged', false, null));
    return 0;
  }
  const lock = dryRun ? null : takeLockForOther(shared.path);
  try {
    if (dryRun ? probeLock(shared.path) : lock === null) throw new InstallerError('E_BUSY');
    const result = pruneHome(home.path, keep, dryRun, options, output);
    output.emit(result);
    return result.exitCode;
  } finally {
    lock?.release();
    if (home !== shared) home.close();
    shared.close();
  }
}
