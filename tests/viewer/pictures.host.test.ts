/** The pictures of the viewer in docs/images: made by `npm run docs:screenshots`; otherwise made and thrown away. */
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Frame } from '../../src/inspector/frames.ts';
import { temporaryRoot } from '../support/installer.ts';
import { launch, openPage, shown } from './support/browser.ts';
import { makeRuns, type Runs } from './support/runs.ts';
import { serveViewer } from './support/server.ts';

let browser: Browser;
let runs: Runs;
beforeAll(async () => {
  browser = await launch();
  runs = await makeRuns();
});
afterAll(() => browser.close());

/** Up to where so many changes are made. */
const after = (frames: readonly Frame[], changes: number): readonly Frame[] =>
  frames.slice(0, 1 + frames.findIndex((frame) => frame.kind === 'step' && frame.context.next === changes));

const pictures = {
  live: [{ colorScheme: 'light', viewport: { width: 1120, height: 760 } }, () => after(runs.fresh.live, 17)],
  failed: [{ colorScheme: 'dark', viewport: { width: 1120, height: 760 } }, () => runs.failing.live],
  narrow: [{ colorScheme: 'light', viewport: { width: 360, height: 740 } }, () => runs.rotate.replay],
} as const;

test.each(Object.entries(pictures))('%s', async (name, [options, framesOf]) => {
  using elsewhere = temporaryRoot();
  const directory = process.env['VIEWER_PICTURES'] ?? elsewhere.path;
  mkdirSync(directory, { recursive: true });
  const frames = framesOf();
  await using server = await serveViewer(frames);
  await using tab = await openPage(browser, server.url, { ...options, reducedMotion: 'reduce' });
  await shown(tab.page, frames.length - 1);
  const file = path.join(directory, `viewer-${name}.png`);
  await tab.page.screenshot({ path: file });
  expect(statSync(file).size).toBeGreaterThan(20_000);
  expect(statSync(file).size).toBeLessThan(150_000);
});
