/** A purge deletes the service's own state, of which no copy is kept: last of all, and from then on there is no way back. */
import { expect, test } from 'vitest';
import { install } from '../../src/install.ts';
import type { RunEvent } from '../../src/run-events.ts';
import { place, type Place } from '../support/place.ts';

const stateFile = '/var/lib/private/mcp-oauth-proxy/clients.db';

async function withState(): Promise<Place> {
  const root = place();
  await install({ root: root.path });
  root.write(stateFile, 'clients\n');
  return root;
}

/** Purges, and is told to end by a signal as soon as it comes to this. */
async function interruptedAt(root: Place, isThere: (event: RunEvent) => boolean) {
  const interrupt = new AbortController();
  const told: RunEvent[] = [];
  const { output } = await install({
    root: root.path,
    request: { undo: { kind: 'uninstall', purge: true } },
    interrupt: interrupt.signal,
    onEvent: (event) => {
      told.push(event);
      if (isThere(event)) interrupt.abort('SIGINT');
    },
  });
  const { outcome, exitCode } = output;
  return { outcome, exitCode, told };
}

const left = (root: Place): readonly string[] =>
  [...root.look().keys()].filter((file) => file.includes('mcp-oauth-proxy'));

test.each(['writing', 'reloading', 'verifying'])(
  'a signal while it is %s has everything put back, and the state was never touched',
  async (state) => {
    using root = await withState();
    const before = left(root);
    const ended = await interruptedAt(root, (event) => event.type === 'state' && event.state === state);
    expect(ended).toMatchObject({ outcome: 'interrupted', exitCode: 130 });
    expect(left(root)).toEqual(before);
    expect(root.read(stateFile)).toBe('clients\n');
  },
);

test('a signal while the state is deleted is waited out: nothing is put back around what is gone', async () => {
  using root = await withState();
  const ended = await interruptedAt(root, (event) => event.type === 'state' && event.state === 'purging');
  expect(ended).toMatchObject({ outcome: 'installed', exitCode: 0 });
  expect(left(root)).toEqual([]);
});

test('what was deleted is told after it is', async () => {
  using root = await withState();
  const { told } = await interruptedAt(root, () => false);
  const at = (isIt: (event: RunEvent) => boolean): number => told.findIndex(isIt);
  const removed = at(
    (event) => event.type === 'reloaded' && event.reloads.some(({ what }) => what === 'removeState'),
  );
  expect(removed).toBeGreaterThan(at((event) => event.type === 'state' && event.state === 'purging'));
  expect(removed).toBeGreaterThan(at((event) => event.type === 'verified'));
});
