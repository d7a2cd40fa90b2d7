/** Hosts with copies of what runs replaced, and what is left of these. */
import { existsSync, readdirSync } from 'node:fs';
import { expect } from 'vitest';
import { install } from '../../src/install.ts';
import { mcpOauthProxy } from '../../src/products/mcp-oauth-proxy/index.ts';
import type { RunEvent } from '../../src/run-events.ts';
import { files, place, type Place } from './place.ts';
import { eventsOf } from './run-events.ts';

export const folder = (run: string): string => `${files.journal}/runs/${run}/before`;

/** Copies on disk, oldest run first. */
export const copiesIn = (root: Place): readonly string[] =>
  root.runs().flatMap((run) => {
    const before = root.at(folder(run));
    return existsSync(before) ? readdirSync(before).map((name) => `${run} ${name}`) : [];
  });

export const withCopies = (root: Place): readonly string[] => [
  ...new Set(copiesIn(root).map((copy) => copy.split(' ')[0] ?? '')),
];

/** Changing runs, each of which keeps a copy of the code of the one before. */
export async function upgrades(root: Place, count: number, from = 0, product = mcpOauthProxy): Promise<void> {
  for (let nth = from; nth < from + count; nth += 1) {
    const source = Buffer.from(`# version ${nth}\n`);
    const { output } = await install({ product, root: root.path, request: { source: 'file' }, source });
    expect(output.error).toBeNull();
  }
}

/** On a host that had code and a unit of its own: both are originals. */
export async function legacy(
  count: number,
): Promise<Place & { readonly originals: ReadonlyMap<string, string> }> {
  const root = place();
  root.write(files.code, '# of before\n', 0o640);
  root.write(files.service, '[Service]\nExecStart=/bin/true\n');
  const originals = contents(root);
  // Whoever has units and no secrets has lost them.
  const secret = 'ab'.repeat(32);
  const keys = ['MCP_TOKEN', 'CLIENT_ID', 'CLIENT_SECRET', 'TOKEN_SECRET'];
  root.write(files.env, keys.map((key) => `${key}=${secret}\n`).join(''), 0o600);
  expect((await install({ root: root.path })).output.error).toBeNull();
  await upgrades(root, count);
  return { ...root, originals };
}

/** Mode, owner and content of each path. */
export const contents = (root: Place): ReadonlyMap<string, string> =>
  new Map(
    [...root.look()].map(([path, words]) => {
      const [mode, uid, gid, , , , , content] = words.split(' ');
      return [path, `${mode} ${uid} ${gid} ${content}`] as const;
    }),
  );

export async function prune(root: Place, ...args: readonly string[]) {
  const ran = await root.run('history', ['--prune', ...args, '--json']);
  const events = eventsOf(ran.stdout);
  return {
    exitCode: ran.exitCode,
    result: events.at(-1) as Extract<RunEvent, { type: 'result' }>,
    pruned: events.flatMap((event) => (event.type === 'pruned' ? [event] : [])),
  };
}
