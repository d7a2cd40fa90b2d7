/** Frames of real runs, as the inspector makes them: of one that is watched while it goes on, and of its journal alone. */
import { createFeed, type About } from '../../../src/inspector/feed.ts';
import type { Frame } from '../../../src/inspector/frames.ts';
import { install, type InstallOptions } from '../../../src/install.ts';

export interface Recorded {
  readonly live: readonly Frame[];
  readonly replay: readonly Frame[];
}

/** Runs an installation and returns its frames. */
export async function recorded(options: InstallOptions): Promise<Recorded> {
  const about: About = {
    source: 'live',
    run: '20261123T224934Z-3f2a',
    product: 'mcp-oauth-proxy',
    root: '/',
    dryRun: options.dryRun ?? false,
  };
  const watched = createFeed(about);
  const live: Frame[] = [];
  const { records } = await install({
    ...options,
    onRecord: (record) => void live.push(...watched.record(record)),
    onEvent: (event) => void live.push(...watched.told(event, new Date().toISOString())),
  });
  live.push(...watched.finish());
  const again = createFeed({ ...about, source: 'replay' });
  const replay = records.flatMap((record) => again.record(record));
  return { live, replay: [...replay, ...again.finish()] };
}
