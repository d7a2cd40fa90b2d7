/** The machine as JSON is the machine again, as far as JSON can hold it. */
import {
  assign,
  createMachine,
  enqueueActions,
  initialTransition,
  transition,
  type AnyStateMachine,
} from 'xstate';
import { describe, expect, test } from 'vitest';
import { toJson } from '../../src/diagram/json.ts';
import { installerMachine } from '../../src/machines/installer.ts';
import { pathRequests, pathsOver } from '../../src/testing/paths.ts';
import { installed } from './runs.ts';

type Config = Parameters<typeof createMachine>[0];

const parsed = (text: string): Config => JSON.parse(text) as Config;
const loaded: AnyStateMachine = createMachine(parsed(toJson()));

/** Guards and actions are names, or names with parameters. */
const nameOf = (named: string | { readonly type: string } | undefined): string =>
  typeof named === 'object' ? named.type : (named ?? '');

/** Everything about states and transitions that is no code. */
const tableOf = (machine: AnyStateMachine) =>
  Object.values(machine.states).map((state) => ({
    name: state.key,
    type: state.type,
    description: state.description,
    tags: state.tags,
    invoke: state.invoke.map(({ id, src }) => ({ id, src: src as unknown })),
    ways: [...state.transitions.values()].flat().map((way) => ({
      event: way.eventType as string,
      targets: way.target?.map(({ key }) => key) ?? [],
      guard: nameOf(way.guard as Parameters<typeof nameOf>[0]),
      actions: way.actions.map((action) => nameOf(action as Parameters<typeof nameOf>[0])),
      reenter: way.reenter,
      description: way.description,
    })),
  }));

const implementations = installerMachine.implementations as unknown as {
  readonly guards: Record<string, (args: object, params: unknown) => boolean>;
  readonly actions: Record<string, never>;
};

interface AnyEvent {
  readonly type: string;
  readonly output?: { readonly error?: unknown };
  readonly error?: unknown;
}

/** What JSON cannot hold: how guards and actions get what they look at from the event. */
function parametersFor(name: string, event: AnyEvent): unknown {
  if (name === 'noteInterrupt') return event;
  if ('error' in event) return { error: event.error };
  return name === 'noteError' ? { error: event.output?.error } : event.output;
}

/** The loaded machine with the same guards and actions, by their names. */
function provided(): AnyStateMachine {
  const names = Object.keys(implementations.actions);
  const withContext = createMachine({
    ...parsed(toJson()),
    context: installerMachine.config.context,
  });
  return withContext.provide({
    guards: Object.fromEntries(
      Object.entries(implementations.guards).map(([name, guard]) => [
        name,
        (args: { readonly event: AnyEvent }) => guard(args, parametersFor(name, args.event)),
      ]),
    ),
    actions: {
      ...Object.fromEntries(names.map((name) => [`own ${name}`, implementations.actions[name]!])),
      ...Object.fromEntries(
        names.map((name) => [
          name,
          enqueueActions(({ event, enqueue }, params) =>
            enqueue({
              type: `own ${name}`,
              params: params ?? parametersFor(name, event as AnyEvent),
            }),
          ),
        ]),
      ),
      enterMode: assign((_, params: { mode: string }) => ({ mode: params.mode })) as never,
    },
    actors: installerMachine.implementations.actors as never,
  });
}

test('it has the same states, events, targets, guards, actions, actors, tags and descriptions', () => {
  expect(tableOf(loaded)).toEqual(tableOf(installerMachine));
  expect({ id: loaded.id, version: loaded.version, initial: loaded.config.initial }).toEqual({
    id: 'installer',
    version: installerMachine.version,
    initial: 'preflight',
  });
});

test('every guard and action that a way names is one that the machine has', () => {
  const ways = tableOf(loaded).flatMap(({ ways }) => ways);
  const guards = new Set(ways.flatMap(({ guard }) => (guard === '' ? [] : [guard])));
  expect([...guards].sort()).toEqual(Object.keys(implementations.guards).sort());
  const actions = new Set(ways.flatMap(({ actions: names }) => names));
  expect([...actions].sort()).toEqual(Object.keys(implementations.actions).sort());
});

describe('with its guards and actions provided by their names', () => {
  const machine = provided();
  // Between them they take every way of the machine.
  const both = [pathRequests.at(0)!, pathRequests.at(-1)!];
  test.each(both)('it goes the same ways: rotate $rotate, rollback $rollback, ask $ask', (request) => {
    const paths = pathsOver(request);
    expect(paths.length).toBeGreaterThan(50);
    for (const { steps } of paths) {
      let [snapshot] = initialTransition(machine, { request });
      const went = steps.map(({ event }) => {
        [snapshot] = transition(machine, snapshot, event);
        return snapshot.value as unknown;
      });
      expect(went).toEqual(steps.map(({ state }) => state));
    }
  });
});

test('the way of a run beside it changes nothing of the machine', () => {
  expect(tableOf(createMachine(parsed(toJson(installed))))).toEqual(tableOf(installerMachine));
});
