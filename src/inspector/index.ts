/** The inspector as the commands use it: opened for one run, fed with what that run records and tells. */
import type { JournalRecord } from '../journal/record.ts';
import type { RunEvent } from '../run-events.ts';
import { createFeed, type About, type Feed } from './feed.ts';
import type { Frame } from './frames.ts';
import { Log } from './log.ts';
import { openServer, type InspectorServer } from './server.ts';

/** Tried where no port is asked for. */
export const defaultPort = 7433;

export interface InspectorOptions {
  /** null: the default one, or any that is free where that one is not. 0: any that is free. */
  readonly port: number | null;
  /** Address of the Stately inspector's page. */
  readonly stately: URL;
  readonly about: Omit<About, 'run'>;
  /** Hears once what went wrong with showing the run; the run itself is not concerned. */
  readonly onProblem: (error: unknown) => void;
}

export interface Inspector extends Pick<InspectorServer, 'url' | 'port' | 'keep'> {
  /** In the order of the journal, beginning with its first record. */
  readonly record: (record: JournalRecord, run: string) => void;
  readonly told: (event: RunEvent) => void;
  /** Nothing more comes. */
  finish(): void;
  close(): Promise<void>;
}

async function open(port: number | null, rest: Omit<Parameters<typeof openServer>[0], 'port'>) {
  if (port !== null) return openServer({ ...rest, port });
  try {
    return await openServer({ ...rest, port: defaultPort });
  } catch {
    return openServer({ ...rest, port: 0 });
  }
}

/** @throws system errors where it cannot listen */
export async function openInspector(options: InspectorOptions): Promise<Inspector> {
  const { about, stately } = options;
  const frames = new Log<Frame>();
  let [told, working] = [false, true];
  const onProblem = (error: unknown): void => {
    if (!told) options.onProblem(error);
    told = true;
  };
  const server = await open(options.port, { frames, stately, onProblem });
  let feed: Feed | null = null;
  /** A bug in here ends what is shown, and nothing else. */
  const push = (make: (feed: Feed) => readonly Frame[]): void =>
    frames.push(() => {
      if (feed === null || !working) return [];
      try {
        return make(feed);
      } catch (error) {
        working = false;
        onProblem(error);
        return [];
      }
    });
  return {
    url: server.url,
    port: server.port,
    keep: () => server.keep(),
    record: (record, run) => {
      feed ??= createFeed({ ...about, run });
      push((known) => known.record(record));
    },
    told: (event) => {
      const t = new Date().toISOString();
      push((known) => known.told(event, t));
    },
    finish: () => push((known) => known.finish()),
    close: () => server.close(),
  };
}
