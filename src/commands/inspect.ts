/** `--inspect`: what was asked for, where it is served, and how long. Loaded only where it is asked for. */
import { hostname } from 'node:os';
import { errnoOf } from '../errno.ts';
import { InstallerError } from '../errors.ts';
import { defaultPort, openInspector, type Inspector, type InspectorOptions } from '../inspector/index.ts';
import type { Run } from '../journal/reader.ts';
import type { Options } from './inputs.ts';
import type { CommandOutput } from './output.ts';
import { shown, usage } from './usage.ts';

interface Wanted {
  /** null where none was named. */
  readonly port: number | null;
  readonly stately: URL;
}

const statelyPage = 'https://stately.ai/inspect';

function portOf(value: unknown): number | null {
  if (typeof value !== 'string') return null;
  const port = /^\d{1,5}$/u.test(value) ? Number(value) : NaN;
  if (port <= 65_535) return port;
  throw usage(
    `--inspect ${shown(value)} is no port.`,
    `Valid: 1 to 65535, 0 for any that is free; without a number ${defaultPort} or one that is free.`,
  );
}

const isLoopback = ({ hostname: name }: URL): boolean => ['127.0.0.1', 'localhost', '[::1]'].includes(name);

function pageOf(value: unknown): URL {
  if (typeof value !== 'string') return new URL(statelyPage);
  const url = URL.canParse(value) ? new URL(value) : null;
  const safe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url));
  if (url !== null && safe && url.username === '' && url.password === '') return url;
  throw usage(
    `--inspect-stately ${shown(value)} is no address of a page that is safe.`,
    `Valid: https://…, or http://… on this machine; the default is ${statelyPage}.`,
  );
}

/** @throws InstallerError E_USAGE */
export function wantedOf({ inspect, inspectStately }: Options): Wanted {
  if (inspect !== undefined) return { port: portOf(inspect), stately: pageOf(inspectStately) };
  throw usage('--inspect-stately does nothing without --inspect.', 'Add --inspect.');
}

function portTaken(port: number, code: string): InstallerError {
  return new InstallerError('E_PORT_TAKEN', {
    port: String(port),
    address: '127.0.0.1',
    who: code === 'EADDRINUSE' ? 'another program' : `nobody, but cannot be taken (${code})`,
    remedy:
      'Choose another port with --inspect PORT, or leave the number out: then one is taken that is free.',
  });
}

/** Whoever asks for a port by its number gets that one or an error; the rest of what goes wrong is only told. */
async function open(
  { port, stately }: Wanted,
  about: InspectorOptions['about'],
  output: CommandOutput,
): Promise<Inspector | null> {
  const warn = (why: string): void =>
    output.emit({
      v: 1,
      type: 'note',
      code: 'inspector-failed',
      level: 'warning',
      text: `The inspector does not work (${why}); the run is not concerned.`,
    });
  try {
    const onProblem = (error: unknown): void =>
      warn(error instanceof Error && !('code' in error) ? `an unexpected ${error.name}` : errnoOf(error));
    const inspector = await openInspector({ port, stately, about, onProblem });
    const local = inspector.port;
    const ssh = `ssh -L ${local}:127.0.0.1:${local} ${hostname()}`;
    output.emit({ v: 1, type: 'inspector', url: inspector.url, ssh });
    return inspector;
  } catch (error) {
    if (port !== null) throw portTaken(port, errnoOf(error));
    warn(errnoOf(error));
    return null;
  }
}

/** Ctrl-C, or what ends a program otherwise. Heard from now on. */
function nextSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
}

const tellToStop = (output: CommandOutput): void =>
  output.emit({
    v: 1,
    type: 'note',
    code: 'inspector-serves',
    level: 'info',
    text: 'The run can be watched until Ctrl-C.',
  });

export interface Watched extends Pick<Inspector, 'record' | 'told'> {
  /**
   * The run has ended, its journal is whole and its lock is free.
   *
   * @param stay serve until a signal comes; otherwise nothing is waited for
   */
  end(stay: boolean): Promise<void>;
}

/**
 * Serves a run that is about to begin.
 *
 * @returns null where it cannot be served; that was told
 * @throws InstallerError E_PORT_TAKEN for a port that was asked for by its number
 */
export async function watchLive(
  wanted: Wanted,
  about: Omit<InspectorOptions['about'], 'source'>,
  output: CommandOutput,
): Promise<Watched | null> {
  const inspector = await open(wanted, { ...about, source: 'live' }, output);
  if (inspector === null) return null;
  return {
    record: inspector.record,
    told: inspector.told,
    end: async (stay) => {
      inspector.finish();
      if (stay) {
        const signal = nextSignal();
        inspector.keep();
        tellToStop(output);
        await signal;
      }
      await inspector.close();
    },
  };
}

/**
 * Serves a recorded run.
 *
 * @returns what serves it until a signal comes; null where it cannot be served, which was told
 * @throws InstallerError E_PORT_TAKEN for a port that was asked for by its number
 */
export async function watchReplay(
  wanted: Wanted,
  { id, records }: Pick<Run, 'id' | 'records'>,
  output: CommandOutput,
): Promise<(() => Promise<void>) | null> {
  // Whoever read the address may end it at once.
  const signal = nextSignal();
  // What is recorded on disk was no dry run.
  const about = { source: 'replay', product: null, root: null, dryRun: false } as const;
  const inspector = await open(wanted, about, output);
  if (inspector === null) return null;
  for (const record of records) inspector.record(record, id);
  inspector.finish();
  inspector.keep();
  tellToStop(output);
  return async () => {
    await signal;
    await inspector.close();
  };
}
