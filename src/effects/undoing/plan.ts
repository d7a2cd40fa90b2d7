/** `plan` of a run that undoes: every path that is not as it was, in the opposite order, before anything is changed. */
import { InstallerError } from '../../errors.ts';
import type { FileIdentity } from '../../facts.ts';
import type { Note, PlanOutput } from '../../machines/types.ts';
import type { PathBefore } from '../../past.ts';
import { lookAt, type Found } from '../identity.ts';
import { planHash } from '../plan/hash.ts';
import { leftovers, type Managed } from '../plan/leftovers.ts';
import { createMasking } from '../plan/masking.ts';
import { changeOf } from '../plan/operations.ts';
import { orRefused } from '../refusal.ts';
import type { Scope, Target } from '../scope.ts';
import { operation, stays, type Draft } from './draft.ts';
import { planEnv, planPurge } from './env.ts';
import { reloadsOf, stateOf } from './reloads.ts';

const isSame = (one: FileIdentity | null, other: FileIdentity | null): boolean =>
  one === null || other === null ? one === other : one.type === other.type && one.hash === other.hash;

const isWhole = (one: FileIdentity | null, other: FileIdentity | null): boolean =>
  isSame(one, other) && one?.mode === other?.mode && one?.uid === other?.uid && one?.gid === other?.gid;

/** A directory goes only when nothing of anybody else is left in it. */
function removal(scope: Scope, path: string, found: Found, draft: Draft): void {
  if (found.identity.type === 'directory') {
    const going = new Set(
      draft.operations.filter(({ action }) => action === 'remove').map((each) => each.path),
    );
    const left = (scope.host.list(path) ?? []).filter((name) => !going.has(`${path}/${name}`));
    if (left.length > 0) {
      draft.notes.push(stays(path, `${left.join(', ')} ${left.length === 1 ? 'is' : 'are'} in it`));
      return;
    }
  }
  draft.operations.push(operation('removeFile', path, found.identity, null));
}

/** Bytes of then: kept by the run that replaced them, or still there where only the mode or the owner is another. */
function bytesOf(scope: Scope, { before, backup }: PathBefore, found: Found | null): Uint8Array | null {
  if (found !== null && found.bytes !== null && found.identity.hash === before?.hash) return found.bytes;
  // In a masked copy a secret is hidden: it is for people.
  if (backup === null || backup.name.endsWith('.masked')) return null;
  return scope.past?.()?.bytes(backup.run, backup.name) ?? null;
}

/** Whoever goes back to a run needs what stood there; whoever uninstalls is not kept by its lack. */
function lost(scope: Scope, { path, backup }: PathBefore, found: Found | null, draft: Draft): void {
  const { state } = scope;
  if (state.target?.undo.kind !== 'uninstall') {
    // A masked copy would not have been of use.
    const isWhole = backup !== null && !backup.name.endsWith('.masked');
    const isPruned = isWhole && scope.past?.()?.isGone(backup.run, backup.name) === true;
    (isPruned ? draft.pruned : draft.lost).push(path);
    return;
  }
  const text = `What stood at ${path} before the installation was not kept whole, so it is not put back.`;
  draft.notes.push({ code: 'original-lost', level: 'warning', text });
  if (found !== null) draft.operations.push(operation('removeFile', path, found.identity, null));
}

function planPath(scope: Scope, known: PathBefore, draft: Draft): void {
  const { path, before, now } = known;
  const found = lookAt(scope.host, path);
  const current = found?.identity ?? null;
  if (isWhole(current, before)) return;
  if (!isSame(current, before) && !now.some((each) => isSame(current, each))) {
    draft.edited.push(path);
    return;
  }
  if (before === null) {
    removal(scope, path, found!, draft);
    return;
  }
  if (before.type === 'link') {
    draft.operations.push(operation('makeLink', path, current, before));
    return;
  }
  if (before.type === 'directory') {
    const kind = current === null ? 'makeDirectory' : 'narrowMode';
    draft.operations.push({
      ...operation(kind, path, current, before),
      detail: kind === 'narrowMode' ? [before.mode.toString(8).padStart(4, '0')] : [],
    });
    return;
  }
  const bytes = bytesOf(scope, known, found);
  if (bytes === null) {
    lost(scope, known, found, draft);
    return;
  }
  scope.state.contents.set(path, { after: bytes, before: found?.bytes ?? null });
  draft.changes.push(changeOf(scope, draft.masking, path, found?.bytes ?? null, bytes));
  draft.operations.push(operation('writeFile', path, current, before));
}

/** Packages and the service's own state are nobody's to take away on the way. */
function whatStays(scope: Scope, target: Target): readonly Note[] {
  const names = scope.memory().packagesRequested;
  const text = `These packages stay, which the installer asked for: ${names.join(', ')}.`;
  const { undo } = target;
  const keepsState = undo.kind === 'uninstall' && !undo.purge;
  return [
    ...(names.length === 0 ? [] : [{ code: 'packages-stay', level: 'info' as const, text }]),
    ...(keepsState
      ? stateOf(scope).map((path) =>
          stays(path, "it is the service's own state; uninstall --purge removes it"),
        )
      : []),
  ];
}

/** Whatever a run may have been writing when it was killed: an installation, or an undoing of it. */
function managedBy({ product }: Scope, { paths }: Target): Managed {
  const isLink = ({ before, now }: PathBefore): boolean =>
    [before, ...now].some((each) => each?.type === 'link');
  return {
    files: [product.envFile, ...paths.map(({ path }) => path)],
    links: paths.filter(isLink).map(({ path }) => path),
  };
}

function makePlan(scope: Scope): PlanOutput {
  const { state } = scope;
  const { target } = state;
  const masking = createMasking(scope);
  const draft: Draft = { masking, operations: [], edited: [], lost: [], pruned: [], notes: [], changes: [] };
  state.contents.clear();
  if (target !== null) {
    const others = target.paths.filter(({ path }) => path !== scope.product.envFile).toReversed();
    const isDirectory = ({ before, now }: PathBefore): boolean =>
      [before, ...now].some((each) => each?.type === 'directory');
    state.settings = target.settings ?? state.settingsBefore;
    draft.operations.push(...leftovers(scope, managedBy(scope, target)));
    planEnv(scope, target, draft);
    const directories = others.filter(isDirectory).toSorted((a, b) => a.path.length - b.path.length);
    const isMissing = ({ path }: PathBefore): boolean => scope.host.lstat(path) === null;
    // A directory is there before what is in it, and goes after it; a mode that lets others in comes back last.
    for (const known of directories.filter(isMissing)) planPath(scope, known, draft);
    for (const known of others.filter((each) => !isDirectory(each))) planPath(scope, known, draft);
    // What cannot be brought back goes last, and before the directory that it is in.
    planPurge(scope, target, draft);
    for (const known of directories.filter((each) => !isMissing(each)).toReversed())
      planPath(scope, known, draft);
  }
  const uninstalls = target?.undo.kind === 'uninstall';
  if (draft.edited.length > 0 && !uninstalls)
    throw new InstallerError('E_UNDO_EDITED', { paths: draft.edited.join(', ') });
  if (draft.lost.length > 0) throw new InstallerError('E_UNDO_LOST', { paths: draft.lost.join(', ') });
  if (draft.pruned.length > 0)
    throw new InstallerError('E_UNDO_PRUNED', { run: target?.to ?? '', paths: draft.pruned.join(', ') });
  const edited = draft.edited.map((path) => stays(path, 'a person edited it'));
  const reloads = target === null ? [] : reloadsOf(scope, target, draft.operations);
  const settings = state.settings;
  scope.notify({ type: 'changes', changes: draft.changes });
  const staying = target !== null && draft.operations.length > 0 ? whatStays(scope, target) : [];
  return {
    kind: 'planned',
    plan: {
      hash: planHash(draft.operations, reloads, { masked: '', settings }),
      operations: draft.operations,
      reloads,
      questions: [],
      notes: [...draft.notes, ...edited, ...staying],
      settings,
    },
  };
}

/** @returns the plan, or a refusal: E_UNDO_EDITED, E_UNDO_LOST, E_UNDO_PRUNED, E_PATH_UNSAFE */
export const planUndoing = (scope: Scope): Promise<PlanOutput> => orRefused(() => makePlan(scope));
