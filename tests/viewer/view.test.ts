/** What the page makes of frames, without a page: how things stood at each of them, and moving through them. */
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Frame } from '../../src/inspector/frames.ts';
import { FrameLog } from '../../src/viewer/page/log.ts';
import { Player } from '../../src/viewer/page/player.ts';
import { viewAt, type View } from '../../src/viewer/page/view.ts';
import { duration, spaced } from '../../src/viewer/page/words.ts';
import { makeRuns, unwritable, type Runs } from './support/runs.ts';

let runs: Runs;
beforeAll(async () => {
  runs = await makeRuns();
});

const logOf = (frames: readonly Frame[]): FrameLog => {
  const log = new FrameLog();
  for (const [id, frame] of frames.entries()) log.take(id, frame);
  return log;
};

describe('the log', () => {
  test('takes each position once, in order, and tells what does not fit', () => {
    const [hello, first, second] = runs.fresh.live as [Frame, Frame, Frame];
    const log = new FrameLog();
    expect([log.take(0, hello), log.take(2, second), log.take(1, first), log.take(1, first)]).toEqual([
      'new',
      'gap',
      'new',
      'known',
    ]);
    expect(log.frames).toEqual([hello, first]);
  });

  test('what was told after a step belongs to it', () => {
    const { live } = runs.fresh;
    const log = logOf(live);
    const kinds = log.steps.map((at, step) => ({
      starts: live[at]?.kind,
      others: live.slice(at + 1, log.endOf(step) + 1).some(({ kind }) => kind === 'step'),
      steps: [log.stepAt(at), log.stepAt(log.endOf(step))],
    }));
    expect(kinds).toEqual(kinds.map((_, step) => ({ starts: 'step', others: false, steps: [step, step] })));
    expect([log.stepAt(0), log.endOf(log.steps.length - 1)]).toEqual([-1, live.length - 1]);
  });
});

describe('how things stood', () => {
  const views = (frames: readonly Frame[]): View[] => frames.map((_, at) => viewAt(frames, at));
  const lastOf = (frames: readonly Frame[]): View => viewAt(frames, frames.length - 1);

  test.each(['live', 'replay'] as const)('each operation goes from waiting to done (%s)', (source) => {
    const seen = views(runs.fresh[source])
      .filter(({ step }, at, all) => step !== null && step !== all[at - 1]?.step)
      .filter(({ state }) => state === 'writing' || state === 'reloading');
    const { operations } = seen[0]!.plan!;
    expect(seen.map((view) => view.operations)).toEqual(
      Array.from({ length: operations.length + 1 }, (_, made) =>
        operations.map((__, at) => (at < made ? 'changed' : at === made ? 'underWay' : 'waiting')),
      ),
    );
    expect(lastOf(runs.fresh[source])).toMatchObject({
      state: 'installed',
      verifying: 'deferred',
      ended: { outcome: 'installed', exitCode: 0 },
    });
  });

  test('a dry run predicts, a run with nothing to do plans nothing, a rotation names what it rotated', () => {
    const dry = lastOf(runs.dryRun.live);
    expect(new Set(dry.operations)).toEqual(new Set(['predicted']));
    const nothing = lastOf(runs.existing.live);
    expect([nothing.state, nothing.operations]).toEqual(['unchanged', []]);
    const { context } = lastOf(runs.rotate.replay);
    expect(context.secrets?.map(({ name, origin }) => `${name} ${origin}`)).toEqual([
      'MCP_TOKEN rotated',
      'CLIENT_ID rotated',
      'CLIENT_SECRET rotated',
      'TOKEN_SECRET rotated',
    ]);
  });

  test('what failed, what was put back and what it never came to are told apart', () => {
    const view = lastOf(runs.failing.live);
    const { operations } = view.plan!;
    const failed = operations.findIndex(({ path }) => path === unwritable);
    expect(view.operations).toEqual(
      operations.map((_, at) => (at < failed ? 'putBack' : at === failed ? 'failed' : 'notMade')),
    );
    expect([view.state, view.context.error?.code, view.reloading, view.verifying]).toEqual([
      'rolledBack',
      'E_WRITE_FAILED',
      'notMade',
      'notMade',
    ]);
  });

  test('an interrupt stops what was under way', () => {
    const { live } = runs.fresh;
    const writing = live.findIndex((frame) => frame.kind === 'step' && frame.state === 'writing');
    const interrupt: Frame = {
      kind: 'step',
      n: 0,
      t: '2026-11-23T22:49:34.000Z',
      event: { type: 'interrupt', signal: 'SIGINT' },
      from: 'writing',
      state: 'rollingBack',
      context: {},
    };
    const { operations } = lastOf([...live.slice(0, writing + 1), interrupt]);
    expect(operations.slice(0, 2)).toEqual(['stopped', 'notMade']);
  });

  test('going back shows exactly what was shown there before', () => {
    const { live } = runs.failing;
    const forward = views(live);
    const back = live.map((_, at) => viewAt(live, live.length - 1 - at)).toReversed();
    expect(back).toEqual(forward);
  });

  test('a note that is told again at the end stands once', () => {
    const texts = lastOf(runs.fresh.live).notes.map(({ text }) => text);
    expect(texts.length).toBeGreaterThan(0);
    expect(new Set(texts).size).toBe(texts.length);
  });
});

describe('the player', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const moves: number[] = [];
  const playerOf = (log: FrameLog): Player => {
    moves.length = 0;
    const player: Player = new Player(log, () => moves.push(player.cursor));
    player.arrived();
    return player;
  };
  const at = (second: number): string => new Date(Date.UTC(2026, 10, 23) + second * 1000).toISOString();
  const timed = (source: 'live' | 'replay', times: readonly number[], isOver = true): FrameLog => {
    const steps = times.map((time, n) => ({
      kind: 'step' as const,
      n,
      t: at(time),
      event: { type: 'start' },
      from: null,
      state: 'preflight',
      context: {},
    }));
    const [hello] = runs.fresh.replay as [Frame];
    const ended = { ...runs.fresh.replay.at(-1), t: at(times.at(-1) ?? 0) } as Frame;
    return logOf([{ ...hello, source, started: at(0) } as Frame, ...steps, ...(isOver ? [ended] : [])]);
  };

  test('goes with a live run; pausing stays where it is while the log grows; the last step follows again', () => {
    const log = timed('live', [0, 1], false);
    const player = playerOf(log);
    player.toggle();
    log.take(3, { ...(log.frames[2] as Frame & { kind: 'step' }), n: 2, t: at(2) });
    player.arrived();
    expect([player.cursor, player.following, player.step]).toEqual([2, false, 1]);
    player.toLast();
    expect([player.cursor, player.following]).toEqual([3, true]);
  });

  test('steps stop at both ends', () => {
    const player = playerOf(timed('replay', [0, 1, 2]));
    player.goTo(0);
    player.back();
    const first = player.step;
    for (let press = 0; press < 5; press += 1) player.forward();
    expect([first, player.step, player.cursor]).toEqual([0, 2, 4]);
  });

  test.each([1, 4])('plays in the pace of the run, %d times as fast', (speed) => {
    const player = playerOf(timed('replay', [0, 1, 5]));
    player.setSpeed(speed);
    player.toggle();
    moves.length = 0;
    vi.advanceTimersByTime(1000 / speed - 1);
    expect(moves).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(moves).toEqual([2]);
    vi.advanceTimersByTime(4000 / speed + 1);
    expect([moves, player.playing, player.step]).toEqual([[2, 3, 4], false, 2]);
  });

  test('play is paused where it is; play again goes on from there', () => {
    const player = playerOf(timed('replay', [0, 1, 2, 3]));
    player.toggle();
    vi.advanceTimersByTime(1500);
    player.toggle();
    vi.advanceTimersByTime(60_000);
    expect([player.step, player.playing]).toEqual([1, false]);
    player.toggle();
    vi.advanceTimersByTime(1000);
    expect(player.step).toBe(2);
  });

  test('playing a run that is under way ends in following it', () => {
    const player = playerOf(timed('live', [0, 1, 2], false));
    player.goTo(0);
    player.toggle();
    vi.advanceTimersByTime(2000);
    expect([player.cursor, player.following, player.playing]).toEqual([3, true, false]);
  });
});

test('durations and names are written for people', () => {
  expect([-5, 0, 3210, 59_940, 65_000, 3_725_000].map(duration)).toEqual([
    '0.00 s',
    '0.00 s',
    '3.21 s',
    '59.9 s',
    '1 min 05 s',
    '1 h 02 min',
  ]);
  expect(['writing', 'forceRotate'].map(spaced)).toEqual(['Writing', 'Force rotate']);
});
