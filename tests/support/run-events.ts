/** What `--json` printed. */
import type { RunEvent } from '../../src/run-events.ts';

export const eventsOf = (stdout: string): readonly RunEvent[] =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as RunEvent);
