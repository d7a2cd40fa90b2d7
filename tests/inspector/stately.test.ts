/** The Stately inspector is sent what its library's types promise, and the whole machine. */
import { createMachine } from 'xstate';
import { expect, test } from 'vitest';
import * as v from 'valibot';
import { createMemoryHost } from '../../src/effects/host/memory.ts';
import { install } from '../../src/install.ts';
import { installerMachine } from '../../src/machines/installer.ts';
import { onTerminal, keys } from '../support/terminal.ts';
import { temporaryRoot } from '../support/installer.ts';
import { statelyEvent, type StatelyEvent } from './support/protocol.ts';
import { messages, opened } from './support/watch.ts';

const isDone = (items: readonly unknown[]): boolean =>
  (items.at(-1) as { snapshot?: { status?: string } } | undefined)?.snapshot?.status === 'done';

const checked = (items: readonly unknown[]): StatelyEvent[] =>
  items.map((item) => v.parse(statelyEvent, item));

/** Actor first, then each event with the snapshot that it leads to. */
function expectOrder(events: readonly StatelyEvent[], end: string): void {
  expect(events[0]).toMatchObject({
    type: '@xstate.actor',
    name: 'installer',
    snapshot: { value: 'preflight' },
  });
  const rest = events.slice(1);
  expect(rest.map(({ type }) => type)).toEqual(
    rest.map((_, at) => (at % 2 === 0 ? '@xstate.event' : '@xstate.snapshot')),
  );
  expect(events.at(-1)).toMatchObject({ snapshot: { status: 'done', value: end, output: { outcome: end } } });
  expect(new Set(events.map(({ sessionId, rootId }) => `${sessionId} ${rootId}`)).size).toBe(1);
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
}

test('a real installation, watched from a terminal while it works', async () => {
  using root = temporaryRoot();
  using terminal = onTerminal([
    '--root',
    root.path,
    '--inspect',
    '0',
    '--domain',
    'mcp.example.org',
    '--insecure-http',
  ]);
  await terminal.until('From another machine');
  const [, url = ''] = /Inspector: (\S+)/u.exec(terminal.shown()) ?? [];
  using page = messages(url);
  // The run waits for an answer, so the page is there before it goes on.
  await page.received.until((items) => items.length > 0);
  await terminal.until('(backend-url)');
  terminal.type(keys.enter);
  const events = checked(await page.received.until(isDone));
  expectOrder(events, 'installed');
  await terminal.until('until Ctrl-C');
  terminal.type(keys.ctrlC);
  expect(await terminal.exitCode).toBe(0);
});

test('a run on a memory host; whoever connects late gets everything', async () => {
  await using open = await opened();
  const { inspector } = open;
  await install({
    host: createMemoryHost(),
    request: { unset: ['DOMAIN'] },
    onRecord: inspector.record,
    onEvent: inspector.told,
  });
  inspector.finish();
  using page = messages(inspector.url);
  const events = checked(await page.received.until(isDone));
  using again = messages(inspector.url);
  await again.received.until(isDone);
  expect(again.wire()).toBe(page.wire());
  const snapshots = events.flatMap((event) =>
    event.type === '@xstate.snapshot' ? [event.snapshot.value] : [],
  );
  expectOrder(events, snapshots.at(-1) ?? '');
  expect(open.problems).toEqual([]);
});

test('the definition is the whole machine: it loads, with what its states and transitions are for', async () => {
  await using open = await opened();
  const { inspector } = open;
  await install({ host: createMemoryHost(), onRecord: inspector.record });
  using page = messages(inspector.url);
  const [actor] = checked(await page.received.until((items) => items.length > 0));
  if (actor?.type !== '@xstate.actor') throw new Error('no actor');
  const config = JSON.parse(actor.definition) as Parameters<typeof createMachine>[0];
  const machine = createMachine(config);
  const described = (states: typeof machine.states) =>
    Object.fromEntries(
      Object.entries(states).map(([name, { description, tags, type }]) => [
        name,
        { description, tags, type },
      ]),
    );
  expect(described(machine.states)).toEqual(described(installerMachine.states as typeof machine.states));
  const guards = (states: typeof machine.states) =>
    Object.values(states).flatMap(({ transitions }) =>
      [...transitions.values()].flat().map(({ guard, description }) => ({
        guard: typeof guard === 'string' ? guard : (guard as { type?: string } | undefined)?.type,
        description,
      })),
    );
  expect(guards(machine.states)).toEqual(guards(installerMachine.states as typeof machine.states));
});
