/** Looks at an installation through the effects of a run that changes nothing. */
import { randomBytes } from 'node:crypto';
import { createDryRunHost } from '../effects/host/dry-run.ts';
import type { Host } from '../effects/host/port.ts';
import { installationsBeside } from '../effects/beside.ts';
import { certificateOnDisk } from '../effects/certificate.ts';
import { conditionOf } from '../effects/condition.ts';
import { createEffects } from '../effects/index.ts';
import { orRefused } from '../effects/refusal.ts';
import { settingsInForce } from '../effects/plan/settings.ts';
import { createScope, type FileChange, type Scope } from '../effects/scope.ts';
import { webOnDisk } from '../effects/view.ts';
import { isSiteKept } from '../effects/web.ts';
import { loadDiffer } from '../diffs.ts';
import { InstallerError } from '../errors.ts';
import type { Plan, PlanOutput, Request } from '../machines/types.ts';
import type { Product, Settings, WebProbe } from '../products/product.ts';
import { describePlan } from '../render/words.ts';
import type { Session } from '../session.ts';
import { version } from '../version.ts';
import { elsewhere, kept, missing, portTaken } from './notes.ts';
import { nothing, type InstallationBeside, type Status } from './types.ts';

/** A service that runs already answers at once or not at all. */
const answerTimeout = 3_000;

function driftOf(plan: Plan): readonly string[] {
  const operations = plan.operations.map((operation) => ({ ...operation, detail: [...operation.detail] }));
  const reloads = plan.reloads.map((reload) => ({
    ...reload,
    because: [...reload.because],
    owedBy: [...reload.owedBy],
  }));
  return describePlan({ operations, reloads }).map(({ infinitive }) => infinitive);
}

function orNull<T>(find: () => T): T | null {
  try {
    return find();
  } catch (error) {
    if (error instanceof InstallerError) return null;
    throw error;
  }
}

/** Those that are remembered, where an installation is refused; null where they are what is refused. */
const settingsOnDisk = (scope: Scope, request: Request): Settings | null =>
  orNull(() => settingsInForce(scope, request, { answered: [], settings: {}, edits: 'keep' }));

/**
 * How nginx is asked: by what stands on disk. What differs from what is desired (an older version's, a certificate that
 * has come since or has gone) is drift, not ill health.
 */
function servedWeb(scope: Scope): WebProbe | null {
  const desired = scope.state.desired?.web;
  if (desired === null) return null;
  const onDisk = webOnDisk(scope);
  if (desired === undefined || onDisk === null) return onDisk ?? desired ?? null;
  // Where a person's site answers is not told by its text.
  return isSiteKept(scope) ? { ...desired, marker: onDisk.marker } : onDisk;
}

async function diffsOf(changes: readonly FileChange[]): Promise<Pick<Status, 'diffs' | 'edits'>> {
  if (changes.length === 0) return { diffs: [], edits: [] };
  const differ = await loadDiffer();
  return {
    diffs: differ(changes.filter(({ kept }) => kept !== true)),
    edits: differ(changes.filter(({ kept }) => kept === true)),
  };
}

/** What an uninstall leaves: the env file, and nothing of what it is for. */
const isOnlyKept = ({ host, product }: Scope): boolean =>
  product.traces.every((path) => host.lstat(path) === null) &&
  (product.codeFile === null || host.lstat(product.codeFile) === null);

const besidesOf = (scope: Scope): readonly InstallationBeside[] =>
  installationsBeside(scope)
    .filter(({ installed }) => installed)
    .map(({ name, product, instance, claims }) => ({ name, product, instance, ...claims }));

/** @param real is looked at, and never changed */
export async function look(session: Session, product: Product, real: Host, plain: Request): Promise<Status> {
  if (session.lock === 'busy') {
    const error = new InstallerError('E_BUSY').toJSON();
    return { ...nothing, kind: 'unknown', underWay: session.underWay, error };
  }
  let changes: readonly FileChange[] = [];
  const scope = createScope({
    host: createDryRunHost(real),
    product,
    version,
    memory: () => session.journal.memory,
    record: (fact) => session.journal.fact(fact),
    backup: () => Promise.resolve(''),
    notify: (progress) => {
      if (progress.type === 'changes') changes = progress.changes;
    },
    beforeChange: () => Promise.resolve(),
    // Asked above.
    lock: () => 'later',
    journalsBeside: () => session.journalsBeside(),
    fingerprint: (value) => session.fingerprint(value),
    randomBytes: (count) => randomBytes(count),
    supplied: new Map(),
    source: null,
    asker: null,
    mustOwn: false,
    sudoCommand: '',
  });
  const effects = createEffects(scope);
  const ready = await effects.preflight({ request: plain });
  if (ready.kind !== 'ready') return { ...nothing, kind: 'unknown', error: ready.error };
  const found = await effects.detect({ request: plain });
  // An image is as it should be without its secrets.
  const isImage = found.kind === 'refused' && found.error.code === 'E_IMAGE_UNBOOTED';
  const request = isImage ? { ...plain, image: true } : plain;
  const detected = isImage ? await effects.detect({ request }) : found;
  if (detected.kind === 'refused') return { ...nothing, kind: 'unknown', error: detected.error };
  const besides = await orRefused(() => besidesOf(scope));
  if ('error' in besides) return { ...nothing, kind: 'unknown', error: besides.error };
  if (detected.kind === 'fresh') return { ...nothing, besides, notes: elsewhere(session.journal.memory) };
  if (isOnlyKept(scope)) return { ...nothing, besides, notes: [kept(product.envFile)] };
  const secrets = await effects.secrets({ request, mode: 'existing' });
  if (secrets.kind === 'refused') return { ...nothing, kind: 'unknown', error: secrets.error };
  const wouldDo = (checks: boolean): Promise<PlanOutput> =>
    effects.plan({
      request: { ...request, checks },
      mode: 'existing',
      answers: { answered: [], settings: {}, edits: 'keep' },
    });
  const first = await wouldDo(true);
  // Somebody else on the port keeps an installation from being made, not a look at the one that is there.
  const taken = first.kind === 'refused' && first.error.code === 'E_PORT_TAKEN' ? first.error : null;
  const planned = taken === null ? first : await wouldDo(false);
  const refusal = planned.kind === 'refused' ? planned.error : null;
  const settings = planned.kind === 'refused' ? settingsOnDisk(scope, request) : planned.plan.settings;
  // What is asked of whom follows from the settings.
  if (settings === null) return { ...nothing, kind: 'unknown', error: refusal };
  scope.state.settings = settings;
  const known = secrets.secrets.map(({ name, origin, fingerprint }) => ({
    name,
    fingerprint: origin === 'preserved' ? fingerprint : null,
  }));
  const base = {
    ...nothing,
    kind: 'installed' as const,
    besides,
    problem: refusal,
    error: refusal,
    drift: planned.kind === 'refused' ? [] : driftOf(planned.plan),
    ...(await diffsOf(changes)),
    secrets: known,
    settings,
    url: product.endpoint(settings),
    notes: [
      ...secrets.secrets.flatMap(({ name, origin }) =>
        origin === 'preserved' || origin === 'deferred' ? [] : [missing(name, product.envFile)],
      ),
      ...secrets.notes.filter(({ code }) => code !== 'secret-healed'),
      ...(planned.kind === 'refused' ? [] : planned.plan.notes),
      ...(taken === null ? [] : [portTaken(taken)]),
    ],
  };
  const served = servedWeb(scope);
  if (ready.services === 'offline') {
    const path = served?.certificate ?? null;
    if (path === null) return base;
    const file = certificateOnDisk(scope.host, path);
    return { ...base, certificate: { served: null, file, same: null } };
  }
  const condition = await conditionOf(scope, served, answerTimeout);
  const { loopback, web, certificate, backend, notes } = condition;
  const problem = refusal ?? condition.problem;
  return {
    ...base,
    healthy: problem === null,
    problem,
    health: { loopback, web },
    certificate,
    backend,
    notes: [...base.notes, ...notes],
  };
}
