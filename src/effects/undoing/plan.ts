/** `plan` of a run that undoes: every path that is not as it was, in the opposite order, before anything is changed. */
import { InstallerError } from '../../errors.ts';
import type { FileIdentity, Obligation } from '../../facts.ts';
import type { Note, Operation, PlanOutput, Reload } from '../../machines/types.ts';
import type { PathBefore } from '../../past.ts';
import { lookAt, type Found } from '../identity.ts';
import { planHash } from '../plan/hash.ts';
import { orRefused } from '../refusal.ts';
import type { Scope, Target } from '../scope.ts';
import { isRunning, unitsOf } from '../units.ts';

type What = Obligation['what'];

const isSame = (one: FileIdentity | null, other: FileIdentity | null): boolean =>
  one === null || other === null ? one === other : one.type === other.type && one.hash === other.hash;

const isWhole = (one: FileIdentity | null, other: FileIdentity | null): boolean =>
  isSame(one, other) && one?.mode === other?.mode && one?.uid === other?.uid && one?.gid === other?.gid;

interface Draft {
  readonly operations: Operation[];
  /** Edited by a person since. */
  readonly edited: string[];
  /** Without a copy of what stood there. */
  readonly lost: string[];
  /** Paths that stay, and why. */
  readonly notes: Note[];
}

const stays = (path: string, why: string): Note => ({
  code: 'path-stays',
  level: 'info',
  text: `${path} stays: ${why}.`,
});

function operation(
  kind: Operation['kind'],
  path: string,
  before: FileIdentity | null,
  after: FileIdentity | null,
): Operation {
  return {
    kind,
    path,
    role: after?.type ?? before?.type ?? 'file',
    action: after === null ? 'remove' : before === null ? 'create' : 'replace',
    before,
    after,
    detail: kind === 'makeLink' ? [after?.hash ?? ''] : [],
    because: after === null ? null : 'as before',
  };
}

/** A directory goes only when nothing of anybody else is left in it. */
function removal(scope: Scope, path: string, found: Found, draft: Draft): void {
  if (found.identity.type === 'directory') {
    const going = draft.operations.filter(({ action }) => action === 'remove').map((each) => each.path);
    const left = (scope.host.list(path) ?? []).filter((name) => !going.includes(`${path}/${name}`));
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
    draft.lost.push(path);
    return;
  }
  scope.state.contents.set(path, { after: bytes, before: found?.bytes ?? null });
  draft.operations.push(operation('writeFile', path, current, before));
}

/** Settings of then, secrets and everything else of now. */
function planEnv(scope: Scope, target: Target, draft: Draft): void {
  const { state, product, host } = scope;
  const { env } = state;
  if (target.undo.kind === 'uninstall' || env === null || target.settings == null) return;
  let file = env.file;
  for (const { key } of product.settings) {
    const wanted = target.settings[key] ?? '';
    if (wanted === (file.get(key) ?? '')) continue;
    file = wanted === '' ? file.without(key) : file.with(key, wanted);
  }
  const bytes = file.toBytes();
  if (Buffer.compare(bytes, env.bytes) === 0) return;
  state.contents.set(product.envFile, { after: bytes, before: env.bytes });
  const after: FileIdentity = { type: 'file', hash: null, mode: 0o600, uid: host.owner, gid: host.group };
  draft.operations.push({
    ...operation('writeFile', product.envFile, env.identity, after),
    role: 'env',
    because: 'settings as before',
  });
}

/** The secrets go only where that is asked for by name. */
function planPurge(scope: Scope, target: Target, draft: Draft): void {
  const { host, product } = scope;
  const path = product.envFile;
  if (target.undo.kind !== 'uninstall') return;
  const found = host.lstat(path);
  if (found === null) return;
  if (!target.undo.purge) {
    draft.notes.push(stays(path, 'it holds the secrets; uninstall --purge removes it'));
    return;
  }
  const { mode, uid, gid } = found;
  const identity: FileIdentity = { type: 'file', hash: null, mode, uid, gid };
  draft.operations.push({ ...operation('removeFile', path, identity, null), role: 'env' });
}

/** Packages and the service's own state are nobody's to take away on the way. */
function packagesStay(scope: Scope): readonly Note[] {
  const names = scope.memory().packagesRequested;
  if (names.length === 0) return [];
  const text = `These packages stay, which the installer asked for: ${names.join(', ')}.`;
  return [{ code: 'packages-stay', level: 'info', text }];
}

const managerUnit = 'systemd';

/** What running programs have to notice; what did not run then is stopped. */
function reloadsOf(scope: Scope, target: Target, operations: readonly Operation[]): readonly Reload[] {
  const { product, state } = scope;
  const touched = new Map(target.paths.map(({ path, due }) => [path, due]));
  if (operations.some(({ path }) => path === product.envFile)) touched.set(product.envFile, ['restart']);
  const paths = (what: What): readonly string[] =>
    operations.flatMap(({ path }) => (touched.get(path)?.includes(what) === true ? [path] : []));
  state.obligations.clear();
  const unitOf: Readonly<Record<What, string | null>> = {
    reloadManager: managerUnit,
    restartSocket: product.socket,
    restart: product.service,
    reloadWeb: product.webUnit,
  };
  for (const { path } of operations) {
    const due = (touched.get(path) ?? []).flatMap((what) => {
      const unit = unitOf[what];
      return unit === null ? [] : [{ what, unit, because: [path] }];
    });
    state.obligations.set(path, due);
  }
  if (state.services === 'offline') return [];
  const runs = (unit: string | null): boolean => isRunning(state.unitsBefore.get(unit ?? ''));
  const ran = (unit: string): boolean => target.running?.includes(unit) ?? runs(unit);
  const step = (what: What, how: Reload['how'], because: readonly string[]): readonly Reload[] => {
    const unit = unitOf[what];
    return unit === null ? [] : [{ what, unit, how, because, owedBy: [] }];
  };
  const touchesService = paths('restart').length > 0 || paths('restartSocket').length > 0;
  const stopped = unitsOf(product)
    .toReversed()
    .filter((unit) => !ran(unit) && runs(unit))
    .flatMap((unit) => step(unit === product.service ? 'restart' : 'restartSocket', 'stop', [unit]));
  const restarted = [
    ...(product.socket !== null &&
    ran(product.socket) &&
    (paths('restartSocket').length > 0 || !runs(product.socket))
      ? step('restartSocket', runs(product.socket) ? 'restart' : 'start', paths('restartSocket'))
      : []),
    ...(ran(product.service) && (touchesService || !runs(product.service))
      ? step('restart', runs(product.service) ? 'restart' : 'start', [
          ...paths('restart'),
          ...paths('restartSocket'),
        ])
      : []),
  ];
  return [
    ...stopped,
    ...(paths('reloadManager').length > 0 ? step('reloadManager', 'reload', paths('reloadManager')) : []),
    ...restarted,
    // A package manager that brought it has started it; that stays with the package.
    ...(paths('reloadWeb').length > 0 && runs(product.webUnit)
      ? step('reloadWeb', 'reload', paths('reloadWeb'))
      : []),
  ];
}

function makePlan(scope: Scope): PlanOutput {
  const { state } = scope;
  const { target } = state;
  const draft: Draft = { operations: [], edited: [], lost: [], notes: [] };
  state.contents.clear();
  if (target !== null) {
    const others = target.paths.filter(({ path }) => path !== scope.product.envFile).toReversed();
    const isDirectory = ({ before, now }: PathBefore): boolean =>
      [before, ...now].some((each) => each?.type === 'directory');
    planEnv(scope, target, draft);
    for (const known of others.filter((each) => !isDirectory(each))) planPath(scope, known, draft);
    // What cannot be brought back goes last, and before the directory that it is in.
    planPurge(scope, target, draft);
    for (const known of others.filter(isDirectory)) planPath(scope, known, draft);
  }
  const uninstalls = target?.undo.kind === 'uninstall';
  if (draft.edited.length > 0 && !uninstalls)
    throw new InstallerError('E_UNDO_EDITED', { paths: draft.edited.join(', ') });
  if (draft.lost.length > 0) throw new InstallerError('E_UNDO_LOST', { paths: draft.lost.join(', ') });
  const edited = draft.edited.map((path) => stays(path, 'a person edited it'));
  const reloads = target === null ? [] : reloadsOf(scope, target, draft.operations);
  const hash = planHash(draft.operations, reloads, { masked: '', settings: target?.settings ?? {} });
  return {
    kind: 'planned',
    plan: {
      hash,
      operations: draft.operations,
      reloads,
      questions: [],
      notes: [...draft.notes, ...edited, ...(draft.operations.length > 0 ? packagesStay(scope) : [])],
      settings: target?.settings ?? {},
    },
  };
}

/** @returns the plan, or a refusal: E_UNDO_EDITED, E_UNDO_LOST, E_PATH_UNSAFE */
export const planUndoing = (scope: Scope): Promise<PlanOutput> => orRefused(() => makePlan(scope));
