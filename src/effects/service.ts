/** The running service, asked directly: which process, whose listener, which answer. */
import { InstallerError } from '../errors.ts';
import type { ServiceProbe, Settings } from '../products/product.ts';
import { crashOf } from './crash-loop.ts';
import { isListenerOf, isReceived, loopback, receiversOn } from './listener.ts';
import type { Scope } from './scope.ts';
import { isRunning, showUnit, type UnitStatus } from './units.ts';

const pollEvery = 50;

const port = (scope: Scope): number | null => scope.product.listenPort(scope.state.settings);

export const statusOf = (scope: Scope): Promise<UnitStatus | undefined> =>
  showUnit(scope.host, scope.product.service);

/**
 * As systemd told at the start of the run, as long as the run has touched nothing; that spares a program in the runs that
 * happen most. `undefined` where it has to be asked (again).
 */
export function seenBefore({ state }: Scope, unit: string): UnitStatus | undefined {
  // Packages start and stop what they like.
  const { applied, restarted, packages } = state;
  const touched = applied.length > 0 || restarted.size > 0 || packages.length > 0;
  return touched ? undefined : state.unitsBefore.get(unit);
}

/**
 * How long one answer is waited for. A request to a service that crashes stays in the queue of systemd's socket, so the
 * first ones are short; a service that is merely slow is given the time later.
 */
const answerTimeouts = [1_000, 2_000];
const lastAnswerTimeout = 5_000;

/** Null when it answers 200 at one of its health paths, else half a sentence. */
async function askHealth(scope: Scope, port: number, timeout: number): Promise<string | null> {
  const paths = scope.product.healthPaths;
  if (paths.length === 0) return null;
  // Only one of the paths need exist: what is wrong is told by one that does.
  let why: string | null = null;
  for (const path of paths) {
    const answer = await scope.host.http({ address: loopback, port, path, timeout });
    if (answer.ok && answer.status === 200) return null;
    if (!answer.ok) why ??= `${path}: ${answer.why}`;
    else if (answer.status !== 404) why ??= `${path} answers ${answer.status}`;
  }
  return why ?? `${paths.join(' and ')} answer 404`;
}

/**
 * Is the listener the unit's own? No request is sent before it is. For a moment after a start only systemd holds the
 * socket: then it is asked again. E_FOREIGN_LISTENER where somebody else holds it.
 */
function isOwnListener(scope: Scope, port: number, status: UnitStatus): boolean {
  if (isListenerOf(scope.host, port, status.mainPid)) return true;
  const others = receiversOn(scope.host, port).filter(({ pid }) => pid !== status.mainPid && pid !== 1);
  if (others.length === 0) return false;
  const who = others.map(({ name, pid }) => `${name}, process ${pid}`).join('; ');
  throw new InstallerError('E_FOREIGN_LISTENER', { address: `${loopback}:${port}`, who });
}

/** Why no waiting will help; null where the service may still come. */
function hopelessness(scope: Scope, status: UnitStatus): string | null {
  if (status.activeState === 'inactive') return 'it is not running';
  const at = port(scope);
  // A service that listens by itself does so when it is ready.
  if (at === null || scope.product.socket === null) return null;
  // The socket is there before the service is: where it is not, the service has nothing to answer at.
  return isRunning(status) && !isReceived(scope.host, at) ? `nobody listens on ${loopback}:${at}` : null;
}

/** Somebody else's restart goes through states that last: that long they may take. */
const hopelessFor = 1_000;

/**
 * Waits until the service answers, at most `timeout` milliseconds; gives up early where it crashes or cannot answer.
 *
 * @returns the status of the process that answered
 * @throws InstallerError E_UNHEALTHY, E_FOREIGN_LISTENER
 */
export async function untilHealthy(scope: Scope, timeout: number): Promise<UnitStatus> {
  const unit = scope.product.service;
  const at = port(scope);
  const unhealthy = (why: string): InstallerError => new InstallerError('E_UNHEALTHY', { why, unit });
  const timeouts = [...answerTimeouts];
  const deadline = Date.now() + timeout;
  let hopeful = Date.now();
  let why = 'it is not running';
  // Counts where that very process still listens, so not for a service that listens nowhere.
  let seen = at === null ? undefined : seenBefore(scope, unit);
  do {
    const isSeen = seen !== undefined;
    const status = seen ?? (await statusOf(scope));
    seen = undefined;
    if (status !== undefined) {
      const crash = crashOf(scope, status);
      if (crash !== null) throw unhealthy(crash);
      const isUp = isRunning(status) && status.mainPid > 0;
      // Nothing to be asked for: `verify` sees whether the process stays.
      if (isUp && at === null) return status;
      const mayBeAsked =
        isUp &&
        at !== null &&
        (isSeen ? isListenerOf(scope.host, at, status.mainPid) : isOwnListener(scope, at, status));
      if (mayBeAsked) {
        const problem = await askHealth(scope, at, timeouts.shift() ?? lastAnswerTimeout);
        if (problem === null) return status;
        why = problem;
        hopeful = Date.now();
      } else {
        const hopeless = hopelessness(scope, status);
        if (hopeless === null) hopeful = Date.now();
        else if (Date.now() - hopeful >= hopelessFor) throw unhealthy(hopeless);
      }
    }
    await scope.host.pause(pollEvery);
  } while (Date.now() < deadline);
  throw unhealthy(`${why} (waited ${timeout / 1000} s)`);
}

/** What a product may ask the service and the backend behind it. Only made after the listener was proven. */
export function createProbe(scope: Scope, settings: Settings): ServiceProbe {
  const at = port(scope);
  const backend = scope.product.backend(settings);
  return {
    request: async ({ path, method, headers, body }) => {
      if (at === null) return { status: null, body: '' };
      const answer = await scope.host.http({
        address: loopback,
        port: at,
        path,
        method: method ?? 'GET',
        headers: headers ?? {},
        ...(body === undefined ? {} : { body }),
      });
      return answer.ok ? { status: answer.status, body: answer.body } : { status: null, body: '' };
    },
    backend: async (headers) => {
      if (backend === null) return { status: null };
      const url = new URL(backend);
      const secure = url.protocol === 'https:';
      const answer = await scope.host.http({
        address: url.hostname.replace(/^\[|\]$/gu, ''),
        port: Number(url.port === '' ? (secure ? 443 : 80) : url.port),
        path: `${url.pathname}${url.search}`,
        method: 'POST',
        headers: {
          ...headers,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
        },
        body: '{}',
        // A backend elsewhere is sent a credential: there its certificate is judged.
        ...(secure ? { tls: { serverName: url.hostname, judged: true } } : {}),
      });
      return { status: answer.ok ? answer.status : null };
    },
  };
}
