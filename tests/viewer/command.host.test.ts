/** The command line and a browser: an installation that is watched while it goes on, and afterwards. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installed } from '../support/place.ts';
import { keys, onTerminal, type Terminal } from '../support/terminal.ts';
import { launch, openPage } from './support/browser.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

async function addressOn(terminal: Terminal): Promise<string> {
  await terminal.until('http://127.0.0.1:');
  await terminal.until('\n');
  return /http:\/\/127\.0\.0\.1:\S+/u.exec(terminal.shown())?.[0] ?? '';
}

const lit = (page: Page, state: string): Promise<void> =>
  page.locator(`.machine .state.now[data-state="${state}"]`).waitFor();

test('a rotation is watched while it waits for an answer, to its end, and replayed', async () => {
  using root = await installed();
  using terminal = onTerminal(['--root', root.path, '--force-rotate-tokens', '--inspect', '0']);
  await using live = await openPage(browser, await addressOn(terminal));
  await terminal.until('Go on?');
  await lit(live.page, 'confirming');
  expect(await live.page.locator('#connection').innerText()).toBe('Live');
  expect(await live.page.locator('#secrets-rows td[data-origin="rotated"]').count()).toBe(4);
  terminal.type('y');
  await lit(live.page, 'installed');
  await live.page.getByText('Exit code 0, the host was changed').waitFor();
  await terminal.until('The run can be watched until Ctrl-C.');
  terminal.type(keys.ctrlC);
  await live.page.getByText('The server has gone.').waitFor();
  expect(await terminal.exitCode).toBe(0);
  const way = await live.page.locator('#events-list .step .way').allInnerTexts();

  using again = onTerminal(['replay', 'last', '--root', root.path, '--inspect', '0']);
  await using recorded = await openPage(browser, await addressOn(again));
  await lit(recorded.page, 'installed');
  expect(await recorded.page.locator('#connection').innerText()).toBe('Recorded run');
  expect(await recorded.page.locator('#events-list .step .way').allInnerTexts()).toEqual(way);
  await recorded.page.keyboard.press('Home');
  await lit(recorded.page, 'preflight');
  again.type(keys.ctrlC);
  await recorded.page.getByText('The server has gone.').waitFor();
  expect(await again.exitCode).toBe(0);

  const ofNetwork = (complaint: string): boolean => complaint.includes('net::ERR_');
  expect([...live.complaints, ...recorded.complaints].filter((each) => !ofNetwork(each))).toEqual([]);
  const secrets = Object.values(root.secrets());
  const pages = await Promise.all([live, recorded].map(({ page }) => page.content()));
  expect(secrets.filter((secret) => pages.some((page) => page.includes(secret)))).toEqual([]);
});
