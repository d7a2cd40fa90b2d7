/** `detect` of a run that undoes: which runs' work goes, and whether that can be had at all. */
import { InstallerError } from '../../errors.ts';
import type { DetectOutput, Note, SecretsOutput, Undo } from '../../machines/types.ts';
import {
  firstInstalled,
  hostBefore,
  lastToUndo,
  type Before,
  type PastRun,
  type PathBefore,
} from '../../past.ts';
import { mustBeOnlyOne, mustNotClash } from '../beside.ts';
import { readEnvFile, settingsIn } from '../detect.ts';
import type { EnvOnDisk, Past, Scope, Target } from '../scope.ts';
import { stateOf } from './reloads.ts';

const nothing = (text: string): { to: null; note: Note } => ({
  to: null,
  note: { code: 'nothing-to-undo', level: 'info', text },
});

/** The run that `rollback` goes back to before; a note where there is nothing to undo. E_RUN_UNKNOWN. */
function toRollBack(past: Past, wanted: string | null): { to: PastRun } | { to: null; note: Note } {
  if (wanted === null) {
    const to = lastToUndo(past.runs);
    return to === null ? nothing('No run that changed something stands: there is nothing to undo.') : { to };
  }
  const id = past.find(wanted);
  if (id === null) throw new InstallerError('E_RUN_UNKNOWN', { run: JSON.stringify(wanted) });
  const to = past.runs.find((run) => run.id === id);
  if (to === undefined) return nothing(`Run ${id} changed nothing that could be undone.`);
  return to.stands ? { to } : nothing(`Run ${id} is undone already.`);
}

type Found = Omit<Target, 'undo'> | { readonly to: null; readonly note: Note };

/** Directories that earlier installations made: an uninstall that kept the secrets has left the one that they are in. */
const ownDirectories = (runs: readonly PastRun[]): readonly PathBefore[] =>
  runs.length === 0
    ? []
    : hostBefore(runs, runs[0]!.id).paths.filter(
        ({ before, now }) => before === null && now.some((each) => each?.type === 'directory'),
      );

/** The installation that stands: from its first run on, after whatever was uninstalled before it. */
function toUninstall(scope: Scope, runs: readonly PastRun[], purge: boolean): Found {
  const { host, product } = scope;
  const standing = firstInstalled(runs);
  // What an earlier uninstall kept goes as if it had been asked for then.
  const isLeft = purge && (host.lstat(product.envFile) !== null || stateOf(scope).length > 0);
  const to = standing ?? (isLeft ? runs[0] : undefined);
  if (to === undefined) return nothing(`${product.name} is not installed.`);
  const sources = { sourcesSupplied: [], sourcesInsteadOf: {} };
  const untouched: Before = { paths: [], settings: undefined, running: null, replaced: [], sources };
  const before = standing === null ? untouched : hostBefore(runs, standing.id);
  const known = new Set(before.paths.map(({ path }) => path));
  const others = purge ? ownDirectories(runs).filter(({ path }) => !known.has(path)) : [];
  return { ...before, paths: [...others, ...before.paths], to: to.id };
}

/** E_RUN_UNKNOWN, E_UNDO_ROTATION */
function toRollBackTo(past: Past, wanted: string | null): Found {
  const found = toRollBack(past, wanted);
  if (found.to === null) return found;
  const before = hostBefore(past.runs, found.to.id);
  // What had the old values has been given the new ones meanwhile; and the old ones are nowhere any more.
  if (before.replaced.length > 0)
    throw new InstallerError('E_UNDO_ROTATION', { run: found.to.id, names: before.replaced.join(', ') });
  return { ...before, to: found.to.id };
}

/** Where it only tells how the service is reached, one that cannot be read is no reason to refuse. */
function envIfReadable(scope: Scope): EnvOnDisk | null {
  try {
    return readEnvFile(scope);
  } catch (error) {
    if (error instanceof InstallerError) return null;
    throw error;
  }
}

/** E_INSTANCE_CLASH where another installation has meanwhile taken what the installation of then had. */
function mustBeFreeStill(scope: Scope, { settings }: Target): void {
  const then = settings ?? scope.state.settingsBefore;
  if (settings !== null && scope.state.env !== null) mustNotClash(scope, then);
}

/** @throws InstallerError E_RUN_UNKNOWN, E_UNDO_ROTATION, E_INSTANCE_CLASH, and what `detect` refuses of an env file that has to be read */
export function detectUndoing(scope: Scope, undo: Undo): DetectOutput {
  const { state, product } = scope;
  mustBeOnlyOne(scope);
  const past = scope.past?.() ?? null;
  const found =
    undo.kind === 'uninstall'
      ? toUninstall(scope, past?.runs ?? [], undo.purge)
      : past === null
        ? nothing('No run is recorded here: there is nothing to undo.')
        : toRollBackTo(past, undo.run);
  const target = found.to === null ? null : { ...found, undo };
  state.target = target;
  // Whoever uninstalls need not mend a broken env file first.
  const mustRead = undo.kind === 'rollback' && target?.settings != null;
  state.env = mustRead ? readEnvFile(scope) : envIfReadable(scope);
  state.settingsBefore = settingsIn(product, state.env);
  if (target?.undo.kind === 'rollback') mustBeFreeStill(scope, target);
  return { kind: 'existing', notes: found.to === null ? [found.note] : [] };
}

/** Every secret stays as it is; their values are looked for in what is printed and kept. */
export function secretsKept(scope: Scope): SecretsOutput {
  const { state, product } = scope;
  const values = product.secrets.map(({ name }) => [name, state.env?.file.get(name) ?? ''] as const);
  state.before = new Map(values);
  state.after = state.before;
  state.secrets = values.flatMap(([name, value]) =>
    value === '' ? [] : [{ name, origin: 'preserved' as const, fingerprint: scope.fingerprint(value) }],
  );
  return { kind: 'ready', secrets: state.secrets, notes: [] };
}
