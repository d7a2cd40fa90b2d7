/** `plan`: everything that is about to change, before anything does. */
import { InstallerError } from '../errors.ts';
import type { Answers, Mode, Note, PlanOutput, Question, Reload, Request } from '../machines/types.ts';
import { firstBootUnit, imageNote, withFirstBoot } from '../products/first-boot.ts';
import type { Desired } from '../products/product.ts';
import { mustNotClash } from './beside.ts';
import { missingPackages } from './packages.ts';
import { maskedEnv } from './plan/env.ts';
import { planHash } from './plan/hash.ts';
import { changesOf } from './plan/operations.ts';
import { checkPorts, socketIsElsewhere } from './plan/ports.ts';
import { reloadsOf } from './plan/reloads.ts';
import { changeNotes, settingsInForce } from './plan/settings.ts';
import { chooseSource } from './plan/source.ts';
import { orRefused } from './refusal.ts';
import type { Scope } from './scope.ts';
import { tools } from './tools.ts';
import { viewOf } from './view.ts';
import { renewed } from './web.ts';

interface Packages {
  readonly toInstall: readonly string[];
  readonly notes: readonly Note[];
}

/** E_PACKAGES_MISSING where they may not be installed. */
async function packagesOf(scope: Scope, request: Request, desired: Desired): Promise<Packages> {
  if (!request.checks) return { toInstall: [], notes: [] };
  const missing = await missingPackages(scope.host, desired.packages, scope.state.installed);
  if (missing.length === 0) return { toInstall: [], notes: [] };
  const names = missing.join(' ');
  if (scope.host.root !== '/') {
    const text = `Packages missing below ${scope.host.root}, only named here: ${names}`;
    return { toInstall: [], notes: [{ code: 'packages-named', level: 'info', text }] };
  }
  if (!request.packages) throw new InstallerError('E_PACKAGES_MISSING', { packages: names });
  return { toInstall: missing, notes: [] };
}

/** The web server's unit, where one is wanted: E_UNIT_MASKED, and a note where it would not come back by itself. */
async function webUnitNotes(scope: Scope, desired: Desired): Promise<readonly Note[]> {
  const { host, product, state } = scope;
  const unit = product.webUnit;
  if (desired.web === null || state.services === 'offline') return [];
  const known = state.unitsBefore.get(unit);
  if (known?.loadState === 'masked') throw new InstallerError('E_UNIT_MASKED', { unit });
  const enabled = host.lstat(`/etc/systemd/system/multi-user.target.wants/${unit}`) !== null;
  if (enabled || known?.loadState !== 'loaded') return [];
  const { stdout } = await host.query({
    file: tools.systemctl,
    args: ['is-enabled', unit],
    timeout: 15_000,
  });
  if (stdout.trim() !== 'disabled') return [];
  const text = `${unit} is not enabled: after the next boot nothing is served. To enable it: systemctl enable ${unit}`;
  return [{ code: 'web-not-enabled', level: 'warning', text }];
}

const renewalNotes = ({ web }: Desired, reloads: readonly Reload[]): readonly Note[] => {
  if (web === null || !reloads.some(({ because }) => because.includes(renewed(web)))) return [];
  const text = `${web.certificate ?? ''} was renewed, and the web server still serves the old one: it is reloaded.`;
  return [{ code: 'certificate-renewed', level: 'info', text }];
};

function questionsOf(
  scope: Scope,
  request: Request,
  mode: Mode,
  packages: readonly string[],
  conflicts: readonly string[],
): readonly Question[] {
  const { product, state } = scope;
  const questions: Question[] = [];
  const unknown = product.askFor.filter((key) => request.settings[key] === undefined);
  if (mode === 'fresh' && unknown.length > 0) {
    questions.push({ id: 'settings', text: 'What a fresh installation needs to know', subjects: unknown });
  }
  if (conflicts.length > 0) {
    questions.push({
      id: 'edits',
      text: 'These files were edited by a person, and there is a newer version',
      subjects: conflicts,
    });
  }
  const rotated = state.secrets.filter(
    ({ name, origin }) =>
      origin === 'rotated' ||
      // One that was not there before is not replaced.
      (origin === 'supplied' && (state.env === null || state.before.get(name) !== '')),
  );
  if (mode === 'forceRotate' && rotated.length > 0) {
    const words = rotated.map(
      ({ name }) => `${name}: ${product.secrets.find((spec) => spec.name === name)?.afterRotation ?? ''}`,
    );
    questions.push({ id: 'rotation', text: 'These secrets are replaced', subjects: words });
  }
  if (packages.length > 0) {
    questions.push({
      id: 'packages',
      text: 'These packages are missing and would be installed',
      subjects: packages,
    });
  }
  return questions;
}

/** E_PATH_CLAIMED where another product on this host has written what this one would write. */
function mustBeUnclaimed(scope: Scope, desired: Desired): void {
  const { envFile } = scope.product;
  const paths = [...desired.files, ...desired.links].map(({ path }) => path);
  for (const [product, known] of Object.entries(scope.memory().others)) {
    const path =
      known.secretsMade && known.envFile === envFile
        ? envFile
        : paths.find((each) => each in known.baselines);
    if (path !== undefined) throw new InstallerError('E_PATH_CLAIMED', { path, product });
  }
}

async function makePlan(scope: Scope, request: Request, mode: Mode, answers: Answers): Promise<PlanOutput> {
  const { state, product } = scope;
  const source = chooseSource(scope, request);
  state.source = source.origin;
  const wanted = product.desired({
    settings: settingsInForce(scope, request, answers),
    given: { ...request.settings, ...answers.settings },
    view: viewOf(scope),
    code: source.code,
  });
  if (!wanted.ok) throw new InstallerError(wanted.code, wanted.values);
  // It stays on the hosts that are made from an image: what makes their secrets is no drift there.
  const isOfImage = request.image || scope.host.lstat(firstBootUnit(product)) !== null;
  const desired = isOfImage ? withFirstBoot(product, wanted.desired) : wanted.desired;
  mustBeUnclaimed(scope, desired);
  mustNotClash(scope, desired.settings);
  state.desired = desired;
  state.settings = desired.settings;
  const unitNotes = await webUnitNotes(scope, desired);
  const packages = await packagesOf(scope, request, desired);
  const edits = answers.edits ?? request.edits;
  const made = changesOf(scope, desired, mode, edits, packages.toInstall);
  if (made.conflicts.length > 0 && !request.ask) {
    const [breaking] = made.breaking;
    const paths = made.conflicts.join(', ');
    throw new InstallerError('E_EDIT_CONFLICT', { paths, ...(breaking === undefined ? {} : { breaking }) });
  }
  state.kept = made.kept;
  state.forgotten = made.forgotten;
  state.operations = made.operations;
  const socketMoves = socketIsElsewhere(scope);
  if (request.checks) checkPorts(scope, desired, made.operations, socketMoves);
  const reloads = await reloadsOf(scope, desired, made.operations, socketMoves);
  scope.notify({ type: 'changes', changes: made.changes });
  const masked = maskedEnv(scope, state.contents.get(product.envFile)?.after ?? null, 'after');
  const questions = questionsOf(scope, request, mode, packages.toInstall, made.conflicts);
  return {
    kind: 'planned',
    plan: {
      hash: planHash(made.operations, reloads, { masked, settings: state.settings }),
      operations: made.operations,
      reloads,
      questions: questions.filter(({ id }) => !answers.answered.includes(id)),
      notes: [
        ...source.notes,
        ...packages.notes,
        ...desired.notes,
        ...(request.image ? [imageNote(product)] : []),
        ...changeNotes(scope),
        ...unitNotes,
        ...made.notes,
        ...renewalNotes(desired, reloads),
      ],
      settings: state.settings,
    },
  };
}

/**
 * @returns the plan, or a refusal: E_SETTING_INVALID, E_USAGE, E_TLS_LOST, E_SOURCE_LOST, E_PACKAGES_MISSING,
 *   E_PATH_CLAIMED, E_INSTANCE_CLASH, E_NAME_TAKEN, E_TLS_UNREADABLE, E_NOT_INCLUDED, E_UNIT_MASKED, E_EDIT_CONFLICT, E_PORT_TAKEN, E_PATH_UNSAFE
 */
export const plan = (scope: Scope, request: Request, mode: Mode, answers: Answers): Promise<PlanOutput> =>
  orRefused(() => makePlan(scope, request, mode, answers));
