/** Every path of the real machine, driven down a live actor with scripted actors, and replayed from its journal. */
import { createActor, fromPromise, type AnyActorRef } from 'xstate';
import { describe, expect, test } from 'vitest';
import { isErrorCode, toPublicError } from '../../src/errors.ts';
import { emptyMemory } from '../../src/memory.ts';
import { Journal } from '../../src/journal/journal.ts';
import { parseJournal } from '../../src/journal/record.ts';
import { transitions } from '../../src/machines/diagram.ts';
import { installerMachine, machineVersion } from '../../src/machines/installer.ts';
import { replay, replaySteps, type RecordedEvent, type Snapshot } from '../../src/machines/replay.ts';
import type { Input } from '../../src/machines/types.ts';
import { pathRequests, pathsOver, type MachinePath, type PathEvent } from '../../src/testing.ts';
import { journalText } from '../support/journal-text.ts';

const paths = pathRequests.flatMap(pathsOver);

interface Scripted {
  answer(event: PathEvent): void;
}

/** The machine with actors that wait to be told what they answer. */
function liveRun(path: MachinePath) {
  const waiting: Scripted[] = [];
  const scripted = fromPromise<never, never>(
    () =>
      new Promise((resolve, reject) => {
        waiting.push({
          answer: (event) => {
            if (event.type.startsWith('xstate.done')) resolve(event.output as never);
            // The machine must cope with whatever is thrown.
            // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- scripted failures
            else reject(event.error);
          },
        });
      }),
  );
  const names = [
    'preflight',
    'detect',
    'secrets',
    'plan',
    'confirm',
    'write',
    'reload',
    'verify',
    'purge',
    'undo',
  ];
  const machine = installerMachine.provide({
    // One script for all of them: the path says what each one answers.
    actors: Object.fromEntries(names.map((name) => [name, scripted])),
  });
  const journal = new Journal({
    machine: { id: installerMachine.id, version: machineVersion },
    installer: '0.1.0',
    command: 'install',
    input: { request: path.request },
    inherited: emptyMemory,
    lastId: null,
  });
  let root: AnyActorRef | null = null;
  const actor = createActor(machine, {
    input: { request: path.request },
    inspect: (inspection) => {
      root ??= inspection.actorRef as AnyActorRef;
      if (inspection.type !== '@xstate.event' || inspection.actorRef !== root) return;
      const event = inspection.event as PathEvent & { actorId?: string };
      if (event.type === 'xstate.init') return;
      journal.event({
        type: event.type,
        ...(event.actorId === undefined ? {} : { actorId: event.actorId }),
        ...('output' in event ? { output: event.output } : {}),
        ...('error' in event ? { error: toPublicError(event.error) } : {}),
        ...(event.signal === undefined ? {} : { signal: event.signal }),
      });
    },
  });
  return { actor, journal, waiting };
}

/** The journal's records, written as lines and read again. */
function recorded(journal: Journal): RecordedEvent[] {
  const parsed = parseJournal(journalText(journal.records));
  expect(parsed).toMatchObject({ torn: false, damage: null });
  return parsed.records.flatMap((record) => (record.k === 'event' ? [record.event] : []));
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

async function drive(path: MachinePath): Promise<void> {
  const { actor, journal, waiting } = liveRun(path);
  actor.start();
  for (const { event, state } of path.steps) {
    if (event.type === 'interrupt') actor.send(event as never);
    else {
      const changed = new Promise<void>((resolve) => {
        actor.subscribe({ next: () => resolve(), complete: () => resolve() });
      });
      waiting.at(-1)!.answer(event);
      await changed;
    }
    expect(actor.getSnapshot().value).toEqual(state);
  }
  const live = actor.getSnapshot();
  expect(live.status).not.toBe('error');
  const replayed = replay({ request: path.request } satisfies Input, recorded(journal));
  expect({
    value: replayed.value,
    status: replayed.status,
    context: plain(replayed.context),
    output: plain(replayed.output ?? null),
  }).toEqual({
    value: live.value,
    status: live.status,
    context: plain(live.context),
    output: plain(live.output ?? null),
  });
  actor.stop();
}

/** Which of the machine's ways a walk took: by state, event and target, guards told apart by where they lead. */
function covered(): Set<string> {
  const taken = new Set<string>();
  const short = (type: string): string =>
    type.startsWith('xstate.done') ? 'done' : type.startsWith('xstate.error') ? 'error' : type;
  for (const path of paths) {
    let from = 'preflight';
    for (const { event, state } of path.steps) {
      taken.add(`${from} ${short(event.type)} ${state}`);
      from = state;
    }
  }
  return taken;
}

describe('every path of the machine', () => {
  test(`ends where the graph says, without an error, and its journal folds to the same end (${paths.length} paths)`, async () => {
    for (const path of paths) await drive(path);
    const ways = new Set(transitions().map(({ from, event, to }) => `${from} ${event} ${to}`));
    const walked = [...covered()].filter((way) => ways.has(way)).length;
    process.stdout.write(
      `machine: ${paths.length} paths walked, ${walked} of ${ways.size} transitions covered\n`,
    );
  });

  test('takes every transition that the machine has', () => {
    const taken = covered();
    const missing = transitions()
      .map(({ from, event, to }) => `${from} ${event} ${to}`)
      .filter((way) => !taken.has(way));
    expect(missing).toEqual([]);
  });

  test('takes every guarded branch, not only one of those that lead to the same state', () => {
    // The order of the branches decides, so each is tried against the real guards of the machine as it is folded.
    const branches = new Set<string>();
    for (const path of paths) {
      let before: Snapshot | null = null;
      let at = 0;
      for (const snapshot of replaySteps(
        { request: path.request },
        path.steps.map(({ event }) => event),
      )) {
        if (before !== null) {
          const { event } = path.steps[at - 1]!;
          branches.add(`${before.value} ${event.type} ${snapshot.value} ${String(snapshot.context.changed)}`);
        }
        before = snapshot;
        at += 1;
      }
    }
    const ends = [...branches].filter((branch) => branch.startsWith('verifying xstate.error.actor.verify'));
    expect(ends.sort()).toEqual([
      'verifying xstate.error.actor.verify failed false',
      'verifying xstate.error.actor.verify failed true',
      'verifying xstate.error.actor.verify rollingBack true',
    ]);
  });

  test('ends in a final state whose output names a known outcome, exit code and error', () => {
    const exits = new Map<string, Set<number>>();
    for (const path of paths) {
      const { status, output } = replay(
        { request: path.request },
        path.steps.map(({ event }) => event),
      );
      // A path that comes back to where it was does not end.
      if (output === undefined) continue;
      expect(status).toBe('done');
      if (output.error !== null) expect(isErrorCode(output.error.code)).toBe(true);
      // A signal while a failure is being put back does not make an interrupt of it.
      const { outcome, error } = output;
      if (outcome === 'interrupted') expect(error?.code).toBe('E_INTERRUPTED');
      if (outcome === 'rolledBack') expect(error?.code).not.toBe('E_INTERRUPTED');
      exits.set(output.outcome, (exits.get(output.outcome) ?? new Set()).add(output.exitCode));
    }
    expect(
      Object.fromEntries([...exits].map(([outcome, codes]) => [outcome, [...codes].sort((a, b) => a - b)])),
    ).toEqual({
      installed: [0],
      unchanged: [0],
      refused: [10, 11, 70],
      busy: [11],
      declined: [10],
      interrupted: [129, 130, 143],
      // A bug stays a bug, whatever was saved from it.
      rolledBack: [12, 70],
      failed: [13, 70],
    });
  });
});
