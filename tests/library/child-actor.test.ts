/** An installation as a child of somebody's machine: its progress, its result, and its end before the end. */
import { existsSync } from 'node:fs';
import { assign, createActor, sendTo, setup, toPromise, waitFor, type SnapshotFrom } from 'xstate';
import { describe, expect, test } from 'vitest';
import { createMemoryHost, fromInstall, InstallerError, type InstallTold } from '../../src/index.ts';
import type { InstallLogic } from '../../src/embed/from-install.ts';
import type { InstallOptions } from '../../src/install.ts';
import { createFaultyHost } from '../../src/testing.ts';
import { files, installed, place } from '../support/place.ts';

/** Installs, counts what it hears, can cancel, and leaves when it is told to. */
const parentOf = (install: InstallLogic) =>
  setup({
    types: {
      context: {} as { readonly told: readonly string[]; readonly outcome: string | null },
      events: {} as InstallTold | { readonly type: 'cancel' } | { readonly type: 'leave' },
      input: {},
    },
    actors: { install },
  }).createMachine({
    context: { told: [], outcome: null },
    initial: 'installing',
    states: {
      installing: {
        entry: assign({ told: [] }),
        invoke: {
          id: 'child',
          src: 'install',
          input: ({ self, event }) => ({
            ...('input' in event ? (event.input as { root?: string }) : {}),
            tell: self,
          }),
          onDone: {
            target: 'ended',
            actions: assign({ outcome: ({ event }) => event.output.output.outcome }),
          },
          onError: {
            target: 'ended',
            actions: assign({ outcome: ({ event }) => (event.error as InstallerError).code }),
          },
        },
        on: {
          'install.event': {
            actions: assign({
              told: ({ context, event }) => [...context.told, `${event.actor} ${event.event.type}`],
            }),
          },
          cancel: { actions: sendTo('child', { type: 'install.cancel', signal: 'SIGINT' }) },
          leave: 'left',
        },
      },
      ended: { type: 'final' },
      left: {},
    },
    output: ({ context }) => context,
  });

const kinds = (told: readonly string[]): string[] => [...new Set(told)];

describe('a parent', () => {
  test('hears what the run tells, and is given its result', async () => {
    using root = place();
    const parent = createActor(parentOf(fromInstall()), { input: { root: root.path } }).start();
    const { told, outcome } = (await toPromise(parent)) as SnapshotFrom<typeof parent>['context'];
    expect(outcome).toBe('installed');
    expect(kinds(told)).toEqual([
      'child run',
      'child state',
      'child mode',
      'child secret',
      'child plan',
      'child operation',
      'child reloaded',
      'child verified',
      'child note',
    ]);
    expect(root.runs()).toHaveLength(1);
  });

  test('is told of bad usage as an error with a code', async () => {
    const logic = fromInstall({ host: createMemoryHost(), request: { settings: { DOMIAN: 'x' } } });
    const parent = createActor(parentOf(logic), { input: {} }).start();
    expect(await toPromise(parent)).toMatchObject({ outcome: 'E_USAGE', told: [] });
  });

  test('that cancels gets a result that says so, and a host as it was', async () => {
    using root = await installed();
    const before = { secrets: root.secrets(), paths: [...root.look().keys()] };
    const parent = createActor(parentOf(fromInstall({ request: { rotate: 'all' } })), {
      input: { root: root.path },
    }).start();
    await waitFor(parent, ({ context }) => context.told.includes('child operation'));
    parent.send({ type: 'cancel' });
    const { told, outcome } = (await toPromise(parent)) as SnapshotFrom<typeof parent>['context'];
    expect({ outcome, undone: told.includes('child undone') }).toEqual({
      outcome: 'interrupted',
      undone: true,
    });
    expect({ secrets: root.secrets(), paths: [...root.look().keys()] }).toEqual(before);
    expect(await root.run('status')).toMatchObject({ exitCode: 0 });
  });
});

describe('an actor that is stopped', () => {
  test.each(['its parent leaves the state', 'its parent is stopped'] as const)(
    'since %s leaves nothing half done',
    async (how) => {
      using root = place();
      const logic = fromInstall();
      const parent = createActor(parentOf(logic), { input: { root: root.path } }).start();
      await waitFor(parent, ({ context }) => context.told.includes('child operation'));
      if (how === 'its parent is stopped') parent.stop();
      else parent.send({ type: 'leave' });
      const { told } = parent.getSnapshot().context;
      await logic.settled();
      // Nobody is told of what a stopped run still does, and it is done.
      expect(parent.getSnapshot().context.told).toEqual(told);
      expect(existsSync(root.at(files.env))).toBe(false);
      expect([...root.look().keys()].filter((name) => name.includes('mcp-oauth-proxy'))).toEqual([]);
      const journal = root.read(root.journal());
      expect(journal).toContain('"outcome":"interrupted","exitCode":143');
      expect(await root.install()).toMatchObject({ exitCode: 0 });
    },
  );

  test('before it was started does nothing', async () => {
    const host = createMemoryHost();
    const logic = fromInstall({ host });
    createActor(logic).stop();
    await logic.settled();
    expect(host.nodes.size).toBe(1);
  });
});

describe('the actor itself', () => {
  const run = async (options: InstallOptions) => {
    const actor = createActor(fromInstall(options));
    const emitted: string[] = [];
    const states: (string | null)[] = [];
    actor.on('*', ({ type }) => emitted.push(type));
    actor.subscribe(({ progress }) => {
      if (states.at(-1) !== progress.state) states.push(progress.state);
    });
    actor.start();
    await waitFor(actor, ({ status }) => status === 'done');
    return { actor, emitted, states };
  };

  test('emits what the run tells, and shows how far it is', async () => {
    const { actor, emitted, states } = await run({ host: createMemoryHost() });
    expect(emitted.slice(0, 3)).toEqual(['run', 'state', 'state']);
    expect(states).toEqual([
      null,
      'preflight',
      'detecting',
      'fresh',
      'planning',
      'writing',
      'reloading',
      'verifying',
      'installed',
    ]);
    const { progress } = actor.getSnapshot();
    expect(progress).toEqual({
      state: 'installed',
      mode: 'fresh',
      plan: actor.getSnapshot().output?.output.plan?.hash,
      operations: { done: 25, total: 25 },
      cancelled: null,
    });
  });

  test('shows that it was cancelled while it puts back', async () => {
    const actor = createActor(fromInstall({ host: createMemoryHost() })).start();
    await waitFor(actor, ({ progress }) => progress.operations.done > 0);
    actor.send({ type: 'install.cancel' });
    expect(actor.getSnapshot()).toMatchObject({ status: 'active', progress: { cancelled: 'SIGTERM' } });
    const { output } = await waitFor(actor, ({ status }) => status === 'done');
    expect(output?.output).toMatchObject({ outcome: 'interrupted', exitCode: 143 });
  });

  test('is done once: a cancel after its end changes nothing', async () => {
    const { actor } = await run({ host: createMemoryHost() });
    const before = actor.getSnapshot();
    const logic = fromInstall();
    const scope = { self: actor, defer: () => undefined } as never;
    expect(logic.transition(before, { type: 'install.cancel' }, scope)).toBe(before);
  });

  test('has a failure as its result, since the host was put back', async () => {
    const host = createFaultyHost(createMemoryHost(), [{ call: 'writeFile', nth: 2, why: 'ENOSPC' }]);
    const { actor } = await run({ host });
    expect(actor.getSnapshot().output?.output).toMatchObject({ outcome: 'rolledBack', exitCode: 12 });
    expect(host.failed).toHaveLength(1);
  });

  test('one listener that throws does not keep the others from hearing', async () => {
    const bugs: unknown[] = [];
    const heard: string[] = [];
    const actor = createActor(
      fromInstall({
        host: createMemoryHost(),
        onEvent: ({ type }) => heard.push(type),
        onBug: (bug) => bugs.push(bug),
      }),
      {
        input: {
          tell: {
            send: () => {
              throw new Error('nobody there');
            },
          },
        },
      },
    ).start();
    await waitFor(actor, ({ status }) => status === 'done');
    expect(bugs).toEqual([new Error('nobody there')]);
    expect(heard.slice(-1)).toEqual(['note']);
    expect(actor.getSnapshot().progress.state).toBe('installed');
  });

  test('that was persisted in the middle installs again when it is restored, and is persisted without a secret', async () => {
    const host = createMemoryHost();
    const value = 'a-secret-of-somebody-0123456789';
    const logic = fromInstall({ host, supplied: new Map([['MCP_TOKEN', value]]) });
    const first = createActor(logic, {
      input: { request: { settings: { LISTEN_PORT: '9000' } }, tell: { send: () => undefined } },
    });
    first.start();
    await waitFor(first, ({ progress }) => progress.operations.done > 3);
    const persisted = JSON.stringify(first.getPersistedSnapshot());
    first.stop();
    await logic.settled();
    expect(persisted).not.toContain(value);
    const second = createActor(logic, { snapshot: JSON.parse(persisted) as never }).start();
    const { output } = await waitFor(second, ({ status }) => status === 'done');
    expect(output?.output).toMatchObject({
      outcome: 'installed',
      plan: { settings: { LISTEN_PORT: '9000' } },
    });
    expect(JSON.stringify(second.getPersistedSnapshot())).not.toContain(value);
  });
});
