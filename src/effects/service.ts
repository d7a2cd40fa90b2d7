/** The running service, asked directly: which process, whose listener, which answer. */
import { InstallerError } from '../errors.ts';
import type { ServiceProbe, Settings } from '../products/product.ts';
import { isListenerOf, receiversOn } from './listener.ts';
import type { Scope } from './scope.ts';
import { isRunning, showUnits, type UnitStatus } from './units.ts';

const pollEvery = 50;

const port = (scope: Scope): number => scope.product.listenPort(scope.state.settings);

export async function statusOf(scope: Scope): Promise<UnitStatus | undefined> {
  return (await showUnits(scope.host, [scope.product.service])).get(scope.product.service);
}

/** Null when it answers 200 at one of its health paths, else half a sentence. */
async function askHealth(scope: Scope): Promise<string | null> {
  let why = 'it does not answer';
  for (const path of scope.product.healthPaths) {
    const answer = await scope.host.http({ address: '127.0.0.1', port: port(scope), path, timeout: 5_000 });
    if (answer.ok && answer.status === 200) return null;
    why = answer.ok ? `${path} answers ${answer.status}` : `${path}: ${answer.why}`;
  }
  return why;
}

/**
 * Is the listener the unit's own? No request is sent before it is. For a moment after a start only systemd holds the
 * socket: then it is asked again. E_FOREIGN_LISTENER where somebody else holds it.
 */
function isOwnListener(scope: Scope, status: UnitStatus): boolean {
  if (isListenerOf(scope.host, port(scope), status.mainPid)) return true;
  const others = receiversOn(scope.host, port(scope)).filter(
    ({ pid }) => pid !== status.mainPid && pid !== 1,
  );
  if (others.length === 0) return false;
  const who = others.map(({ name, pid }) => `${name}, process ${pid}`).join('; ');
  throw new InstallerError('E_FOREIGN_LISTENER', { address: `127.0.0.1:${port(scope)}`, who });
}

const failing = (status: UnitStatus): string | null => {
  if (status.activeState === 'failed') return `it failed (${status.result})`;
  if (status.subState === 'auto-restart' || status.restarts > 0)
    return `it crashes and is restarted (${status.restarts} times)`;
  return null;
};

/**
 * Waits until the service answers, at most `timeout` milliseconds; gives up at once where it crashes.
 *
 * @returns the status of the process that answered
 * @throws InstallerError E_UNHEALTHY, E_FOREIGN_LISTENER
 */
export async function untilHealthy(scope: Scope, timeout: number): Promise<UnitStatus> {
  const unit = scope.product.service;
  const deadline = Date.now() + timeout;
  // What was restarted before this run asked is no crash of now.
  let first: number | null = null;
  let why = 'it is not running';
  do {
    const status = await statusOf(scope);
    if (status !== undefined) {
      first ??= scope.state.restarted.has(unit) ? 0 : status.restarts;
      const crash = failing({ ...status, restarts: status.restarts - first });
      if (crash !== null) throw new InstallerError('E_UNHEALTHY', { why: crash, unit });
      if (isRunning(status) && status.mainPid > 0 && isOwnListener(scope, status)) {
        const problem = await askHealth(scope);
        if (problem === null) return status;
        why = problem;
      }
    }
    await scope.host.pause(pollEvery);
  } while (Date.now() < deadline);
  throw new InstallerError('E_UNHEALTHY', { why: `${why} (waited ${timeout / 1000} s)`, unit });
}

/** What a product may ask the service and the backend behind it. Only made after the listener was proven. */
export function createProbe(scope: Scope, settings: Settings): ServiceProbe {
  return {
    request: async ({ path, method, headers, body }) => {
      const answer = await scope.host.http({
        address: '127.0.0.1',
        port: port(scope),
        path,
        method: method ?? 'GET',
        headers: headers ?? {},
        ...(body === undefined ? {} : { body }),
      });
      return answer.ok ? { status: answer.status, body: answer.body } : { status: null, body: '' };
    },
    backend: async (headers) => {
      const url = new URL(settings['BACKEND_URL'] ?? '');
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
