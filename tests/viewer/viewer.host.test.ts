/** The page in a real browser: a run that goes on, one that failed, one that is recorded. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Frame, StepFrame } from '../../src/inspector/frames.ts';
import { launch, openPage, shown, violations } from './support/browser.ts';
import { makeRuns, type Runs } from './support/runs.ts';
import { serveViewer } from './support/server.ts';

let browser: Browser;
let runs: Runs;
beforeAll(async () => {
  browser = await launch();
  runs = await makeRuns();
});
afterAll(() => browser.close());

const isStep = (frame: Frame): frame is StepFrame => frame.kind === 'step';
const stepsOf = (frames: readonly Frame[]): readonly StepFrame[] => frames.filter(isStep);
const texts = (page: Page, selector: string): Promise<string[]> => page.locator(selector).allInnerTexts();
const text = (page: Page, selector: string): Promise<string> => page.locator(selector).innerText();
const lit = (page: Page): Promise<string | null> =>
  page.locator('.machine .state.now').getAttribute('data-state');
const ways = async (page: Page): Promise<readonly string[]> => {
  const taken = await page.evaluate<string[]>(
    '[...document.querySelectorAll(".machine .arrow.taken")].map(({ dataset }) => `${dataset.from} ${dataset.to}`)',
  );
  return taken.sort();
};
const progress = (page: Page): Promise<readonly string[]> =>
  page.evaluate<string[]>(
    '[...document.querySelectorAll("#plan-list li")].map(({ dataset }) => dataset.progress)',
  );

/** Up to the first step into a state, and what was told of it. */
const until = (frames: readonly Frame[], state: string): readonly Frame[] =>
  frames.slice(0, frames.findIndex((frame) => isStep(frame) && frame.state === state) + 1);

describe('a live run, frame by frame:', () => {
  test('the state is lit, ways are marked, the plan goes on, and the end is told', async () => {
    const { live } = runs.fresh;
    await using server = await serveViewer();
    await using tab = await openPage(browser, server.url);
    const { page } = tab;
    const expected: unknown[] = [];
    const seen: unknown[] = [];
    const taken = new Set<string>();
    let made = 0;
    for (const [at, frame] of live.entries()) {
      server.send(frame);
      await shown(page, at);
      if (!isStep(frame)) continue;
      const { from, state } = frame;
      if (from !== null) taken.add(`${from} ${state}`);
      if (from === 'writing') made += 1;
      expected.push({ state, current: state, ways: [...taken].sort(), made });
      const marks = await progress(page);
      seen.push({
        state: await lit(page),
        current: await page.locator('#states .now').getAttribute('data-state'),
        ways: await ways(page),
        made: marks.slice(0, -1).filter((mark) => mark === 'changed').length,
      });
    }
    expect(seen).toEqual(expected);
    expect(await text(page, '#state')).toBe('Installed');
    expect(await text(page, '#outcome')).toBe('Exit code 0, the host was changed');
    expect(await text(page, '#connection')).toBe('Ended');
    expect(await page.title()).toBe('Installed – mcp-oauth-proxy');
    expect(await texts(page, '#secrets-rows th')).toEqual([
      'MCP_TOKEN',
      'CLIENT_ID',
      'CLIENT_SECRET',
      'TOKEN_SECRET',
    ]);
    // The end of this run is that of its last frame, not of the clock.
    const elapsed = await text(page, '#elapsed');
    const { started } = live[0] as Frame & { kind: 'hello' };
    const { t } = live.at(-1) as Frame & { kind: 'ended' };
    expect(elapsed).toBe(`${((Date.parse(t) - Date.parse(started)) / 1000).toFixed(2)} s`);
    expect(tab.complaints).toEqual([]);
    expect(
      tab.requests
        .map((address) => address.replace(server.url, '/'))
        .filter((path) => !path.startsWith('data:')),
    ).toEqual(['/', '/viewer.css', '/viewer.js', '/events']);
  });

  test('pausing keeps the page where it is while frames arrive; following goes to the newest', async () => {
    const { live } = runs.fresh;
    const half = until(live, 'planning');
    await using server = await serveViewer(half);
    await using tab = await openPage(browser, server.url);
    const { page } = tab;
    await shown(page, half.length - 1);
    expect(await text(page, '#connection')).toBe('Live');
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'Play' }).waitFor();
    server.send(...live.slice(half.length, -1));
    const newer = stepsOf(live).length - stepsOf(half).length;
    await page.getByText(`${newer} newer`).waitFor();
    expect([await lit(page), await page.getAttribute('html', 'data-position')]).toEqual([
      'planning',
      String(half.length - 1),
    ]);
    expect(server.lastEventIds).toEqual([null]);
    await page.getByRole('button', { name: 'Follow live' }).click();
    await shown(page, live.length - 2);
    expect(await lit(page)).toBe('installed');
    server.send(live.at(-1)!);
    await shown(page, live.length - 1);
    expect(await page.getByRole('button', { name: 'Follow live' }).isVisible()).toBe(false);
    expect(tab.complaints).toEqual([]);
  });
});

describe('a recorded run', () => {
  const statesShown = async (
    page: Page,
    presses: number,
    press: () => Promise<void>,
  ): Promise<(string | null)[]> => {
    const states = [await lit(page)];
    for (let count = 0; count < presses; count += 1) {
      const before = await page.getAttribute('html', 'data-position');
      await press();
      await page.locator(`html:not([data-position="${before ?? ''}"])`).waitFor({ state: 'attached' });
      states.push(await lit(page));
    }
    return states;
  };

  test('is stepped through by keys, by buttons and by the slider', async () => {
    const { replay } = runs.rotate;
    const states = stepsOf(replay).map(({ state }) => state);
    await using server = await serveViewer(replay);
    await using tab = await openPage(browser, server.url);
    const { page } = tab;
    await shown(page, replay.length - 1);
    expect(await text(page, '#connection')).toBe('Recorded run');
    const presses = states.length - 1;
    const key = (name: string) => () => page.keyboard.press(name);
    expect(await statesShown(page, presses, key('ArrowLeft'))).toEqual(states.toReversed());
    expect(await page.getByRole('button', { name: 'Step back' }).isDisabled()).toBe(true);
    const forward = page.getByRole('button', { name: 'Step forward' });
    expect(await statesShown(page, presses, () => forward.click())).toEqual(states);
    await page.keyboard.press('Home');
    await shown(page, 1);
    expect([await lit(page), await ways(page), await texts(page, '#plan-list li')]).toEqual([
      'preflight',
      [],
      [],
    ]);
    await page.keyboard.press('End');
    await shown(page, replay.length - 1);
    await page.getByRole('slider', { name: 'Step' }).fill('2');
    await shown(page, 3);
    expect(await lit(page)).toBe(states[2]);
    await page.getByRole('slider', { name: 'Step' }).press('ArrowRight');
    await shown(page, 4);
    await page.locator('#events-list li.step .jump').first().click();
    await shown(page, 1);
    expect(tab.complaints).toEqual([]);
  });

  test('is played from its beginning to its end', async () => {
    const { replay } = runs.fresh;
    await using server = await serveViewer(replay);
    await using tab = await openPage(browser, server.url);
    const { page } = tab;
    await shown(page, replay.length - 1);
    await page.keyboard.press('Home');
    await shown(page, 1);
    await page.getByLabel('Speed of playing').selectOption('16');
    await page.getByRole('button', { name: 'Play' }).click();
    await shown(page, replay.length - 1);
    expect([await lit(page), (await ways(page)).length]).toEqual(['installed', 8]);
    expect(tab.complaints).toEqual([]);
  });

  test('a failure tells what happened and what to do, and what became of each change', async () => {
    const { replay } = runs.failing;
    await using server = await serveViewer(replay);
    await using tab = await openPage(browser, server.url);
    const { page } = tab;
    await shown(page, replay.length - 1);
    expect(await texts(page, '#error > *')).toEqual([
      '/etc/nginx/conf.d/mcp-oauth-proxy.conf could not be written: ENOSPC: no space left on device.',
      'Put the cause right and run this again.',
      'E_WRITE_FAILED',
    ]);
    expect(await text(page, '#outcome')).toBe('Exit code 12, the host is as it was');
    const marks = await progress(page);
    const failed = marks.indexOf('failed');
    expect(marks).toEqual(
      marks.map((_, at) => (at < failed ? 'putBack' : at === failed ? 'failed' : 'notMade')),
    );
    expect(await text(page, '#announcement')).toContain('Rolled back.');
  });
});

describe('the connection:', () => {
  const withoutNetworkErrors = (complaints: readonly string[]): readonly string[] =>
    complaints.filter((complaint) => !complaint.includes('net::ERR_'));

  test('lost in the middle is told, and the page goes on where it was', async () => {
    const { live } = runs.fresh;
    const half = until(live, 'writing');
    await using server = await serveViewer(half);
    await using tab = await openPage(browser, server.url);
    const { page } = tab;
    await shown(page, half.length - 1);
    await server.cut();
    await page.getByText('Connection lost, trying again.').waitFor();
    expect([await text(page, '#connection'), await lit(page)]).toEqual(['Not connected', 'writing']);
    server.send(...live.slice(half.length));
    await server.lay();
    await shown(page, live.length - 1);
    expect([server.lastEventIds, await page.locator('#events-list > li').count()]).toEqual([
      [null, String(half.length - 1)],
      live.length,
    ]);
    expect(await page.locator('#banner').isVisible()).toBe(false);
    expect(withoutNetworkErrors(tab.complaints)).toEqual([]);
  });

  test('gone after the end is told, and all can still be looked at', async () => {
    const { live } = runs.fresh;
    await using server = await serveViewer(live);
    await using tab = await openPage(browser, server.url);
    const { page } = tab;
    await shown(page, live.length - 1);
    await server.close();
    await page.getByText('The server has gone.').waitFor();
    await page.keyboard.press('Home');
    await page.locator('.machine .state.now[data-state="preflight"]').waitFor();
    await page.keyboard.press('End');
    await shown(page, live.length - 1);
    const details = page.locator('#events-list li.ended details');
    await details.locator('summary').click();
    expect(await details.innerText()).toContain('"installed"');
    expect(withoutNetworkErrors(tab.complaints)).toEqual([]);
  });
});

test('hostile data is text: no element, no script, no request', async () => {
  const evil = `<img src=x onerror="alert('x')"><script>alert(1)</script>\u202e"'&amp;`;
  const hostile = (value: unknown): unknown =>
    typeof value === 'string'
      ? evil
      : Array.isArray(value)
        ? value.map(hostile)
        : value !== null && typeof value === 'object'
          ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, hostile(each)]))
          : value;
  const { live } = runs.fresh;
  const last = stepsOf(runs.failing.live).at(-1)!;
  const frames = until(live, 'reloading').map((frame): Frame => {
    if (frame.kind === 'hello') return { ...frame, product: evil, root: evil, run: evil, installer: evil };
    if (!isStep(frame)) return frame;
    const { plan, secrets } = frame.context;
    const context = {
      ...frame.context,
      notes: [{ code: evil, level: 'warning', text: evil }],
      error: { ...last.context.error, message: evil, remedy: evil, code: evil },
      ...(plan == null
        ? {}
        : {
            plan: {
              ...plan,
              hash: evil,
              operations: plan.operations.map((each) => ({
                ...each,
                path: evil,
                role: evil,
                detail: [evil],
              })),
              settings: { [evil]: evil },
            },
          }),
      ...(secrets === undefined
        ? {}
        : { secrets: secrets.map((each) => ({ ...each, name: evil, fingerprint: evil })) }),
    };
    return {
      ...frame,
      event: hostile(frame.event) as StepFrame['event'],
      context: context as StepFrame['context'],
    };
  });
  const told: Frame = {
    kind: 'told',
    t: '2026-11-23T22:49:34.000Z',
    event: { v: 1, type: 'activity', text: evil },
  };
  await using server = await serveViewer([...frames, told]);
  await using tab = await openPage(browser, server.url);
  const { page } = tab;
  await shown(page, frames.length);
  await page.locator('#everything').check();
  // Elements and not their positions: what is opened brings in more of the same.
  const summaries = await page.locator('#events-list details > summary').elementHandles();
  for (const summary of summaries) await summary.click();
  const places = ['#product', '#doing', '#plan-hash', '#error .what', '#error .remedy', '#notes-list .text'];
  const shownTexts = await Promise.all(places.map((place) => page.locator(place).first().textContent()));
  expect(shownTexts).toEqual(places.map(() => evil));
  expect(await page.locator('img, script:not([src="viewer.js"])').count()).toBe(0);
  expect(tab.complaints).toEqual([]);
  expect(server.requests.toSorted()).toEqual(['/', '/events', '/viewer.css', '/viewer.js']);
});

test('what a run that somebody sent should not hold is named, and the rest can be looked at', async () => {
  const { replay } = runs.rotate;
  const odd = (context: object): Frame[] =>
    replay.map((frame) =>
      isStep(frame) && frame.context.plan != null
        ? { ...frame, context: { ...frame.context, ...context } }
        : frame,
    );
  for (const [context, problem] of [
    [{ plan: { operations: 'none' } }, 'how the run stood.'],
    [{ secrets: { name: 'x' } }, 'secrets, notes and settings.'],
  ] as const) {
    await using server = await serveViewer(odd(context));
    await using tab = await openPage(browser, server.url);
    const { page } = tab;
    await page.getByText(`This run holds what cannot be shown: ${problem}`).waitFor();
    expect(await page.locator('#events-list > li').count()).toBe(replay.length);
    await page.keyboard.press('Home');
    await shown(page, 1);
    expect([await lit(page), await page.locator('#banner').isVisible()]).toEqual(['preflight', false]);
    expect(tab.complaints).toEqual([]);
  }
});

describe('for everyone:', () => {
  const looks = [
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['narrow', { colorScheme: 'light', viewport: { width: 360, height: 740 } }],
    ['narrow and dark', { colorScheme: 'dark', viewport: { width: 360, height: 740 } }],
  ] as const;
  const states = {
    live: () => until(runs.fresh.live, 'writing'),
    failed: () => runs.failing.live,
    finished: () => runs.rotate.replay,
    predicted: () => runs.dryRun.live,
  } as const;

  test.each(looks)('%s: axe finds nothing, and nothing is wider than the screen', async (_, options) => {
    for (const [name, frames] of Object.entries(states)) {
      await using server = await serveViewer(frames());
      await using tab = await openPage(browser, server.url, { ...options, bypassCSP: true });
      const { page } = tab;
      await shown(page, frames().length - 1);
      for (const summary of ['#shortcuts > summary', '.words > summary']) await page.locator(summary).click();
      await page.locator('#everything').check();
      await page.locator('#events-list details summary').last().click();
      expect({ name, found: await violations(page) }).toEqual({ name, found: [] });
      const wide = await page.evaluate<number>('document.documentElement.scrollWidth');
      expect(wide).toBe((options as { viewport?: { width: number } }).viewport?.width ?? 1280);
    }
  });

  test('colours are those of the system until the button says otherwise, also after a reload', async () => {
    await using server = await serveViewer(runs.fresh.live);
    await using tab = await openPage(browser, server.url, { colorScheme: 'dark' });
    const { page } = tab;
    const paper = (): Promise<string> =>
      page.evaluate<string>('getComputedStyle(document.documentElement).backgroundColor');
    const dark = await paper();
    await page.emulateMedia({ colorScheme: 'light' });
    expect(await paper()).not.toBe(dark);
    await page.getByRole('button', { name: 'Dark colours' }).click();
    expect(await paper()).toBe(dark);
    await page.reload();
    expect(await paper()).toBe(dark);
    expect(await page.getByRole('button', { name: 'Dark colours' }).getAttribute('aria-pressed')).toBe(
      'true',
    );
  });

  test('every control is reached by the keyboard, and what has the focus can be seen', async () => {
    await using server = await serveViewer(until(runs.fresh.live, 'writing'));
    await using tab = await openPage(browser, server.url);
    const { page } = tab;
    await page.getByText('Live', { exact: true }).waitFor();
    const reached = new Set<string>();
    for (let press = 0; press < 80; press += 1) {
      await page.keyboard.press('Tab');
      const [name, outline] = await page.evaluate<[string, string]>(
        '[document.activeElement.id, getComputedStyle(document.activeElement).outlineStyle]',
      );
      if (name === '') continue;
      reached.add(name);
      expect({ name, outline }).toEqual({ name, outline: 'solid' });
    }
    const wanted = [
      'theme',
      'chart',
      'fit',
      'plan-list',
      'events-list',
      'everything',
      'first',
      'back',
      'toggle',
      'position',
      'speed',
      'follow',
    ];
    expect(wanted.filter((name) => !reached.has(name))).toEqual([]);
    // Space on a button is the button's own: it is not pressed twice.
    await page.locator('#fit').focus();
    await page.keyboard.press('Space');
    expect(await page.locator('#fit').getAttribute('aria-pressed')).toBe('true');
    expect(await page.getByRole('button', { name: 'Pause' }).isVisible()).toBe(true);
  });

  test('nothing moves where less motion is asked for', async () => {
    const frames = until(runs.fresh.live, 'writing');
    const moving = async (reducedMotion: 'reduce' | 'no-preference'): Promise<number> => {
      await using server = await serveViewer(frames);
      await using tab = await openPage(browser, server.url, { reducedMotion });
      await shown(tab.page, frames.length - 1);
      return await tab.page.evaluate<number>(
        "document.getAnimations().filter(({ animationName }) => animationName === 'breathe').length",
      );
    };
    expect([await moving('reduce'), await moving('no-preference')]).toEqual([0, 2]);
  });
});
