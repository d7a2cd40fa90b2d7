/** The frames of a run: the same whether it is watched while it works or read from its journal, whatever is in that. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMemoryHost } from '../../src/effects/host/memory.ts';
import { install } from '../../src/install.ts';
import { createFeed, type About } from '../../src/inspector/feed.ts';
import type { Frame } from '../../src/inspector/frames.ts';
import { readRun } from '../../src/journal/reader.ts';
import type { JournalRecord } from '../../src/journal/record.ts';
import { replay, type RecordedEvent } from '../../src/machines/replay.ts';
import type { Context, Input } from '../../src/machines/types.ts';
import { files, installed, place } from '../support/place.ts';

const about = (run: string): About => ({ source: 'replay', run, product: null, root: null, dryRun: false });

function framesOf(records: readonly JournalRecord[], who: About): Frame[] {
  const feed = createFeed(who);
  return [...records.flatMap((record) => feed.record(record)), ...feed.finish()];
}

const contextOf = (frames: readonly Frame[]): Partial<Context> =>
  frames.reduce<Partial<Context>>(
    (context, frame) => (frame.kind === 'step' ? { ...context, ...frame.context } : context),
    {},
  );

const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test('a live run and its journal give the same frames, beginning with hello and ending with how it ended', async () => {
  using root = place();
  const records: JournalRecord[] = [];
  let id = '';
  const { output, run } = await install({
    root: root.path,
    onRecord: (record, from) => {
      records.push(record);
      id = from;
    },
  });
  expect(id).toBe(run);
  const live = framesOf(records, about(id));
  const recorded = readRun(root.at(files.journal), id);
  expect(asJson(framesOf(recorded.records, about(id)))).toEqual(asJson(live));
  expect(live[0]).toMatchObject({
    kind: 'hello',
    v: 1,
    run: id,
    command: 'install',
    product: 'mcp-oauth-proxy',
    machine: { id: 'installer' },
  });
  expect(live.at(-1)).toMatchObject({
    kind: 'ended',
    outcome: output.outcome,
    exitCode: 0,
    mode: 'fresh',
    changed: true,
    plan: output.plan?.hash,
    error: null,
  });
  const steps = live.flatMap((frame) => (frame.kind === 'step' ? [frame] : []));
  expect(steps.map(({ n }) => n)).toEqual(steps.map((_, at) => at));
  expect(steps[0]).toMatchObject({ event: { type: 'start' }, from: null, state: 'preflight' });
  expect(steps.slice(1).map(({ from }) => from)).toEqual(steps.slice(0, -1).map(({ state }) => state));
  const events = records.flatMap((record): RecordedEvent[] => (record.k === 'event' ? [record.event] : []));
  const [started] = records;
  if (started?.k !== 'run.started') throw new Error('no start');
  expect(contextOf(live)).toEqual(replay(started.input as Input, events).context);
  // Only what changed: the request never does.
  expect(steps.filter(({ context }) => 'request' in context)).toHaveLength(1);
});

test('a dry run and a refusal end with how they ended, though nothing is written', async () => {
  for (const options of [{ dryRun: true }, { interrupt: AbortSignal.abort('SIGTERM') }]) {
    const records: JournalRecord[] = [];
    const { output } = await install({
      host: createMemoryHost(),
      ...options,
      onRecord: (record) => records.push(record),
    });
    expect(framesOf(records, about('x')).at(-1)).toMatchObject({
      kind: 'ended',
      outcome: output.outcome,
      exitCode: output.exitCode,
    });
  }
});

test('a recorded run that was cut off has no end', async () => {
  using root = await installed();
  const [id = ''] = root.runs();
  const { records } = readRun(root.at(files.journal), id);
  expect(framesOf(records.slice(0, -1), about(id)).at(-1)?.kind).toBe('step');
});

test('a run of another version of the machine is not folded', async () => {
  using root = await installed();
  const [id = ''] = root.runs();
  const records = readRun(root.at(files.journal), id).records.map((record) =>
    record.k === 'run.started' ? { ...record, machine: { id: 'installer', version: '0' } } : record,
  );
  expect(framesOf(records, about(id)).map(({ kind }) => kind)).toEqual(['hello', 'ended']);
});

test('a listener of records that throws hears no more, and the run goes on', async () => {
  const bugs: unknown[] = [];
  let heard = 0;
  const { output } = await install({
    host: createMemoryHost(),
    onRecord: () => {
      heard += 1;
      throw new Error('nobody there');
    },
    onBug: (bug) => bugs.push(bug),
  });
  expect([output.exitCode, heard, bugs.length]).toEqual([0, 1, 1]);
});

test('telling what is told changes no step', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (texts) => {
      const feed = createFeed(about('x'));
      const frames = texts.flatMap((text) => feed.told({ v: 1, type: 'activity', text }, 't'));
      expect(frames).toEqual(
        texts.map((text) => ({ kind: 'told', t: 't', event: { v: 1, type: 'activity', text } })),
      );
      expect(feed.finish()).toEqual([]);
    }),
    { numRuns: 20 },
  );
});
