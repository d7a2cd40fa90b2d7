/** Pages come and go, read slowly or not at all; the run does not notice, and nobody misses anything. */
import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createMemoryHost } from '../../src/effects/host/memory.ts';
import { install, type InstallOptions } from '../../src/install.ts';
import type { RunEvent } from '../../src/run-events.ts';
import type { Frame } from '../../src/inspector/frames.ts';
import { Log } from '../../src/inspector/log.ts';
import { openServer } from '../../src/inspector/server.ts';
import { place } from '../support/place.ts';
import { last, messages, neverReads, opened, stream } from './support/watch.ts';

const big = (): RunEvent => ({ v: 1, type: 'activity', text: 'x'.repeat(1024 * 1024) });

test('a page that lost its connection goes on where it was; one that says nonsense gets everything', async () => {
  await using open = await opened();
  const { inspector } = open;
  await install({ host: createMemoryHost(), onRecord: inspector.record, onEvent: inspector.told });
  inspector.finish();
  using whole = stream(inspector.url);
  const all = await whole.frames.until(last);
  expect(all.map(({ id }) => id)).toEqual(all.map((_, at) => at));
  for (const from of [0, 5, all.length - 2]) {
    using rest = stream(inspector.url, { 'Last-Event-ID': String(from) });
    expect(await rest.frames.until(last)).toEqual(all.slice(from + 1));
  }
  for (const nonsense of ['-1', 'x', '999999999', '1e3', '0x1']) {
    using again = stream(inspector.url, { 'Last-Event-ID': nonsense });
    expect(await again.frames.until(last)).toEqual(all);
  }
});

test('a page that has everything gets what comes next, and only that', async () => {
  await using open = await opened();
  const { inspector } = open;
  await install({ host: createMemoryHost(), onRecord: inspector.record });
  using first = stream(inspector.url);
  const before = await first.frames.until((items) => items.length > 1);
  const known = await first.frames.until((items) => items.length >= before.length);
  using second = stream(inspector.url, { 'Last-Event-ID': String(known.length - 1) });
  inspector.told({ v: 1, type: 'activity', text: 'later' });
  const [next] = await second.frames.until((items) => items.length > 0);
  expect(next).toMatchObject({ id: known.length, frame: { kind: 'told', event: { text: 'later' } } });
});

describe('a run ends the same, and says the same, with', () => {
  type Attach = (url: string) => Promise<readonly (Disposable | Socket)[]>;

  /** The run asks, and goes on only when whoever watches is there. */
  const run = async (attach: Attach | null) => {
    using root = place();
    await using open = await opened();
    const { inspector } = open;
    let watching: readonly (Disposable | Socket)[] = [];
    const told: RunEvent[] = [];
    const options: InstallOptions =
      attach === null
        ? {}
        : {
            onRecord: inspector.record,
            onBug: (bug) => {
              throw bug;
            },
          };
    const { output } = await install({
      root: root.path,
      request: { ask: true },
      asker: {
        settings: async () => {
          watching = (await attach?.(inspector.url)) ?? [];
          return {};
        },
        confirm: () => Promise.resolve(true),
        edits: () => Promise.resolve('keep'),
      },
      ...options,
      onEvent: (event) => {
        told.push(event);
        if (attach === null) return;
        inspector.told(event);
        // Far more than any buffer between two programs holds.
        for (let at = 0; at < 3; at += 1) inspector.told(big());
      },
    });
    inspector.finish();
    const installed = existsSync(root.at('/etc/mcp-oauth-proxy/.env'));
    await inspector.close();
    for (const each of watching) if (!(Symbol.dispose in each)) each.destroy();
    const plain = JSON.stringify(told)
      .replaceAll(root.path, 'ROOT')
      .replaceAll(/"fingerprint":"[0-9a-f]+"/gu, '"fingerprint":""');
    return {
      outcome: output.outcome,
      exitCode: output.exitCode,
      installed,
      told: plain,
      problems: open.problems,
    };
  };

  test('nobody, a page that reads nothing, and a page that is closed', async () => {
    const alone = await run(null);
    expect(alone).toMatchObject({ outcome: 'installed', exitCode: 0, installed: true, problems: [] });
    const stalled = await run(async (url) => [await neverReads(url), await neverReads(url)]);
    expect(stalled).toEqual(alone);
    const closed = await run(async (url) => {
      const page = stream(url);
      const socket = messages(url);
      await page.frames.until((items) => items.length > 0);
      await socket.received.until((items) => items.length > 0);
      page[Symbol.dispose]();
      socket[Symbol.dispose]();
      return [];
    });
    expect(closed).toEqual(alone);
  });
});

test('one page that reads nothing does not keep another one from reading all', async () => {
  await using open = await opened();
  const { inspector } = open;
  await install({ host: createMemoryHost(), onRecord: inspector.record, onEvent: inspector.told });
  const stalled = await neverReads(inspector.url);
  using page = stream(inspector.url);
  await page.frames.until((items) => items.length > 0);
  for (let at = 0; at < 20; at += 1) inspector.told(big());
  inspector.finish();
  const all = await page.frames.until(last);
  expect(
    all.filter(({ frame }) => frame.kind === 'told' && frame.event.type === 'activity').length,
  ).toBeGreaterThanOrEqual(20);
  stalled.destroy();
});

test('what came at once at the very end reaches every page that reads, before the connection ends as it should', async () => {
  await using open = await opened();
  const { inspector } = open;
  await install({ host: createMemoryHost(), onRecord: inspector.record });
  const stalled = await neverReads(inspector.url);
  using page = stream(inspector.url);
  using socket = messages(inspector.url);
  const before = (await page.frames.until((items) => items.length > 1)).length;
  await socket.received.until((items) => items.length > 1);
  for (let at = 0; at < 200; at += 1)
    inspector.told({ v: 1, type: 'activity', text: `${at} ${'x'.repeat(4096)}` });
  inspector.finish();
  await inspector.close();
  const all = await page.frames.untilEnd();
  await socket.received.untilEnd();
  expect({
    told: all.slice(before).filter(({ frame }) => frame.kind === 'told').length,
    last: all.at(-1)?.frame.kind,
    complete: page.complete(),
  }).toEqual({ told: 200, last: 'ended', complete: true });
  stalled.destroy();
});

test('connections that do not show the capability in time are closed, and those that did are served on', async () => {
  const frames = new Log<Frame>();
  const problems: unknown[] = [];
  const server = await openServer({
    port: 0,
    frames,
    stately: new URL('https://stately.ai/inspect'),
    onProblem: (problem) => problems.push(problem),
    patience: 500,
  });
  const hello: Frame = { kind: 'told', t: '', event: { v: 1, type: 'activity', text: 'first' } };
  frames.push(() => [hello]);
  using page = stream(server.url);
  using socket = messages(server.url);
  await page.frames.until((items) => items.length === 1);
  const closed = ['', 'GET / HT', 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'].map(
    (text) =>
      new Promise((resolve) => {
        const idle = connect({ host: '127.0.0.1', port: server.port }, () => void idle.write(text));
        idle.resume();
        idle.on('error', () => undefined).on('close', resolve);
      }),
  );
  await Promise.all(closed);
  frames.push(() => [hello]);
  await page.frames.until((items) => items.length === 2);
  expect({ problems, ended: [page.frames.ended, socket.received.ended] }).toEqual({
    problems: [],
    ended: [false, false],
  });
  await server.close();
});

describe('the log of what is sent', () => {
  test('hands nothing more to a reader that has enough, until it asks', () => {
    const log = new Log<number>();
    log.push(() => [1, 2, 3]);
    const seen: number[] = [];
    const reading = log.read(0, { take: (item) => seen.push(item) < 0, end: () => seen.push(0) });
    expect(seen).toEqual([1]);
    reading.resume();
    expect(seen).toEqual([1, 2]);
    reading.stop();
    reading.resume();
    expect(seen).toEqual([1, 2]);
  });

  test('makes nothing as long as nobody reads', () => {
    const log = new Log<number>();
    let made = 0;
    log.push(() => [(made += 1)]);
    log.end();
    expect(made).toBe(0);
    const seen: number[] = [];
    log.read(0, { take: (item) => seen.push(item) > 0, end: () => seen.push(0) });
    expect({ made, seen }).toEqual({ made: 1, seen: [1, 0] });
  });

  test('tells each reader once, when it has everything, that nothing more comes', () => {
    const log = new Log<number>();
    log.push(() => [1, 2]);
    const [slow, quick, left]: [number[], number[], number[]] = [[], [], []];
    const reading = log.read(0, { take: (item) => slow.push(item) < 0, end: () => slow.push(0) });
    log.read(0, { take: (item) => quick.push(item) > 0, end: () => quick.push(0) });
    log.read(0, { take: (item) => left.push(item) < 0, end: () => left.push(0) }).stop();
    log.end();
    expect([slow, quick, left]).toEqual([[1], [1, 2, 0], [1]]);
    for (let at = 0; at < 3; at += 1) reading.resume();
    expect(slow).toEqual([1, 2, 0]);
  });
});
