/** `verify`: asks the running service itself. That a unit is "active" is not believed. */
import { InstallerError } from '../errors.ts';
import type { Mode, Note, VerifyOutput } from '../machines/types.ts';
import type { WebProbe } from '../products/product.ts';
import { certificateNotes } from './certificate.ts';
import type { Scope } from './scope.ts';
import { settle } from './settle.ts';
import { createProbe, seenBefore, statusOf, untilHealthy } from './service.ts';
import { environmentOf, isRunning, showUnit, type UnitStatus } from './units.ts';
import { addressesTaken, askThroughWeb, isSiteKept, servedBy, showsMarker } from './web.ts';

/** A service that was just started has this long to answer; Python on a small host takes seconds. */
const startTimeout = 30_000;

/**
 * A service that was just started has to stay up this long: a crash after the first answer is a crash. Not longer, since
 * every run that restarts waits for it; a crash that takes longer is told by the next run and by `status`, which look at
 * how often and how long ago systemd had to start the service again.
 */
const settleTime = 2_000;

/** Milliseconds between two looks at a process that is about to become the program. */
const becomesEvery = 20;

/** Names of secrets that the process has other values of than the file; null where it cannot be seen. */
function otherSecrets({ host, product, state }: Scope, { mainPid }: UnitStatus): readonly string[] | null {
  const environment = environmentOf(host, mainPid);
  if (environment === null) return null;
  return product.secrets
    .map(({ name }) => name)
    .filter((name) => (environment.get(name) ?? '') !== (state.after.get(name) ?? ''));
}

/**
 * The process has the secrets of the file: what counts is what systemd handed to it. Before a process that was just started
 * becomes the program it has systemd's own environment (systemd.service(5), `Type=simple`): that moment is waited for.
 */
async function mustHaveSecrets(scope: Scope, status: UnitStatus): Promise<void> {
  const { product, state } = scope;
  const unhealthy = (why: string): InstallerError =>
    new InstallerError('E_UNHEALTHY', { why, unit: product.service });
  const deadline = Date.now() + (state.restarted.has(product.service) ? settleTime : 0);
  let wrong = otherSecrets(scope, status) ?? [];
  while (wrong.length > 0 && Date.now() < deadline) {
    await scope.host.pause(becomesEvery);
    const now = otherSecrets(scope, status);
    if (now === null) throw unhealthy('it ended as soon as it was started');
    wrong = now;
  }
  if (wrong.length > 0)
    throw unhealthy(`it runs with other values of ${wrong.join(', ')} than ${product.envFile}`);
}

const unproven = (text: string): Note => ({ code: 'web-unproven', level: 'warning', text });

export interface WebVerdict {
  readonly notes: readonly Note[];
  /** What a person's site does otherwise than ours would; null where it was judged, and passed. */
  readonly unjudged: string | null;
}

/** @throws InstallerError E_UNHEALTHY, E_SITE_STALE */
export async function verifyWeb(scope: Scope, web: WebProbe, timeout = 5_000): Promise<WebVerdict> {
  const { host, product } = scope;
  const unit = product.webUnit;
  if (!isRunning(seenBefore(scope, unit) ?? (await showUnit(host, unit)))) {
    throw new InstallerError('E_UNHEALTHY', { why: `${unit} is not running`, unit });
  }
  const kept = isSiteKept(scope);
  const path = product.healthPaths[0] ?? '/';
  const [served, taken, answer] = await Promise.all([
    servedBy(host, web, timeout),
    kept ? [] : addressesTaken(host, web, timeout),
    askThroughWeb(host, web, { path, timeout }),
  ]);
  const stale = served === 'older' || served === 'nothing';
  if (stale && !kept) {
    throw new InstallerError('E_SITE_STALE', { why: `port ${web.port} does not show the site` });
  }
  const notes: Note[] = [];
  if (served === 'older certificate' && !kept)
    notes.push(unproven(`It serves another certificate than ${web.certificate ?? ''}.`));
  if (taken.length > 0) {
    const words = `a site of nginx, or another program, that listens on that very address takes precedence`;
    notes.push(
      unproven(
        `On ${taken.join(', ')}, port ${web.port}, something else answers for ${web.serverName ?? ''}: ${words}.`,
      ),
    );
  }
  // Of a --source service only one of the paths needs to exist.
  const healthy = answer.ok && (answer.status === web.healthStatus || (!stale && answer.status === 404));
  const why = `through nginx, ${path} answers ${answer.ok ? answer.status : answer.why}`;
  if (!healthy && !kept) throw new InstallerError('E_UNHEALTHY', { why, unit });
  // What a person edited is theirs: it may answer to others, elsewhere, or not at all.
  const missing =
    stale && showsMarker(host, web) ? [`port ${web.port} does not show the installer's snippet`] : [];
  const problems = [...missing, ...(healthy ? [] : [why])];
  if (problems.length === 0) return { notes, unjudged: null };
  const words = `The nginx site is not as the installer wrote it, so it is not judged: ${problems.join('; ')}.`;
  return { notes: [...notes, unproven(words)], unjudged: problems.join('; ') };
}

async function verifyRotation(scope: Scope, mode: Mode): Promise<readonly Note[]> {
  const { state, product } = scope;
  if (mode !== 'forceRotate' || state.env === null) return [];
  const names = state.secrets
    .filter(({ name, origin }) => origin !== 'preserved' && state.before.get(name) !== state.after.get(name))
    .map(({ name }) => name);
  if (names.length === 0) return [];
  const rotation = {
    names,
    before: Object.fromEntries(state.before),
    after: Object.fromEntries(state.after),
    settings: state.settings,
  };
  const proof = await product.proveRotation(rotation, createProbe(scope, state.settings));
  if (proof.failed !== null) throw new InstallerError('E_ROTATION_UNPROVEN', { why: proof.failed });
  return proof.notes;
}

/** After a start: the same process, not started again meanwhile. */
async function mustStay(scope: Scope, first: UnitStatus, since: number): Promise<void> {
  const { product, state } = scope;
  if (!state.restarted.has(product.service)) return;
  await scope.host.pause(Math.max(0, since + settleTime - Date.now()));
  const now = await statusOf(scope);
  if (
    now !== undefined &&
    isRunning(now) &&
    now.invocation === first.invocation &&
    now.mainPid === first.mainPid
  )
    return;
  throw new InstallerError('E_UNHEALTHY', { why: 'it answered, then crashed', unit: product.service });
}

/** @throws InstallerError E_UNHEALTHY, E_FOREIGN_LISTENER */
export async function verifyService(scope: Scope, timeout: number): Promise<UnitStatus> {
  const status = await untilHealthy(scope, timeout);
  await mustHaveSecrets(scope, status);
  return status;
}

async function ask(scope: Scope, mode: Mode, timeout: number): Promise<readonly Note[]> {
  const { state } = scope;
  const since = Date.now();
  const status = await verifyService(scope, timeout);
  const web = state.desired?.web ?? null;
  const notes = [
    ...(web === null ? [] : (await verifyWeb(scope, web)).notes),
    ...(web === null ? [] : await certificateNotes(scope, web)),
    ...(await verifyRotation(scope, mode)),
  ];
  await mustStay(scope, status, since);
  return notes;
}

/** @throws InstallerError E_UNHEALTHY, E_FOREIGN_LISTENER, E_SITE_STALE, E_ROTATION_UNPROVEN */
export async function verify(scope: Scope, mode: Mode, timeout = startTimeout): Promise<VerifyOutput> {
  const { state } = scope;
  if (state.predicted) return { outcome: 'predicted', notes: [] };
  if (state.services === 'offline' || !state.start) {
    settle(scope);
    const text = 'The service was not started, so it was not asked.';
    const notes: Note[] = state.services === 'offline' ? [] : [{ code: 'not-started', level: 'info', text }];
    return { outcome: 'deferred', notes };
  }
  const notes = await ask(scope, mode, timeout);
  settle(scope);
  return { outcome: 'verified', notes };
}
