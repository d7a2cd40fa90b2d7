/** `detect` of a run that undoes: which runs' work goes, and whether that can be had at all. */
import { InstallerError } from '../../errors.ts';
import type { DetectOutput, Note, SecretsOutput, Undo } from '../../machines/types.ts';
import { hostBefore, lastToUndo, type Before, type PastRun } from '../../past.ts';
import { readEnvFile } from '../detect.ts';
import type { Past, Scope, Target } from '../scope.ts';

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

/** The installation that stands: its first run, after whatever was uninstalled before it. */
function toUninstall(past: Past | null): { to: PastRun } | { to: null; note: Note } {
  const to = past?.runs.find(({ stands, undid }) => stands && undid === null);
  return to === undefined ? nothing('Nothing is installed.') : { to };
}

const untouched: Before = { paths: [], settings: undefined, running: null, replaced: [] };

/** E_RUN_UNKNOWN, E_UNDO_ROTATION */
function targetOf(
  scope: Scope,
  undo: Undo,
): { readonly target: Target | null; readonly notes: readonly Note[] } {
  const past = scope.past?.() ?? null;
  const found =
    undo.kind === 'uninstall'
      ? toUninstall(past)
      : past === null
        ? nothing('No run is recorded here: there is nothing to undo.')
        : toRollBack(past, undo.run);
  if (found.to === null) {
    const purges =
      undo.kind === 'uninstall' && undo.purge && scope.host.lstat(scope.product.envFile) !== null;
    return purges
      ? { target: { ...untouched, undo, to: null }, notes: [] }
      : { target: null, notes: [found.note] };
  }
  const target: Target = { ...hostBefore(past?.runs ?? [], found.to.id), undo, to: found.to.id };
  // What had the old values has been given the new ones meanwhile; and the old ones are nowhere any more.
  if (undo.kind === 'rollback' && target.replaced.length > 0)
    throw new InstallerError('E_UNDO_ROTATION', { run: found.to.id, names: target.replaced.join(', ') });
  return { target, notes: [] };
}

/** @throws InstallerError E_RUN_UNKNOWN, E_UNDO_ROTATION, and what `detect` refuses of an env file that has to be read */
export function detectUndoing(scope: Scope, undo: Undo): DetectOutput {
  const { target, notes } = targetOf(scope, undo);
  scope.state.target = target;
  // Whoever uninstalls need not mend a broken env file first.
  const mustRead = undo.kind === 'rollback' && target?.settings != null;
  scope.state.env = mustRead ? readEnvFile(scope) : null;
  return { kind: 'existing', notes };
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
