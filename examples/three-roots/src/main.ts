/** Installs below three directories at once, and prints one report. The third one asks for what does not exist. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createActor, toPromise } from 'xstate';
import { fleet } from './fleet.js';

const below = mkdtempSync(path.join(tmpdir(), 'three-roots-'));
const root = (): string => mkdtempSync(path.join(below, 'root-'));

const actor = createActor(fleet, {
  input: {
    east: { root: root(), request: {} },
    west: { root: root(), request: { settings: { DOMAIN: 'mcp.example.org', LISTEN_PORT: '9000' } } },
    south: { root: root(), request: { settings: { LISTEN_PORT: 'none' } } },
  },
});

try {
  actor.start();
  const report = await toPromise(actor);
  for (const site of ['east', 'west', 'south']) {
    const line = report.find((each) => each.site === site);
    if (line === undefined) continue;
    console.log(
      `${site}: ${line.outcome}, ${line.changes} changes${line.error === null ? '' : `, ${line.error}`}`,
    );
    for (const secret of line.secrets) console.log(`  ${secret}`);
  }
} finally {
  rmSync(below, { recursive: true });
}
