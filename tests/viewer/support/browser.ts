/** Debian's Chromium on this machine, and what it complained of. */
import axe from 'axe-core';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { needProgram } from '../../hosts/support/packages.ts';

export interface ViewerPage extends AsyncDisposable {
  readonly page: Page;
  /** Errors, blocked scripts and styles, dialogs, as the browser worded them. */
  readonly complaints: readonly string[];
  /** Addresses that the page asked for, in order. */
  readonly requests: readonly string[];
}

export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: needProgram('/usr/bin/chromium', 'chromium'),
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });

export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<ViewerPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(url);
  return {
    page,
    complaints,
    requests,
    [Symbol.asyncDispose]: () => context.close(),
  };
}

/** Waits until the page shows how things were at a position of the log. */
export const shown = async (page: Page, position: number): Promise<void> => {
  await page.locator(`html[data-position="${position}"]`).waitFor({ state: 'attached' });
};

/** What of the page keeps people out: rule and element of each violation of WCAG 2.2 AA and of good practice. */
export async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  return page.evaluate<string[]>(
    'axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target}`)))',
  );
}
