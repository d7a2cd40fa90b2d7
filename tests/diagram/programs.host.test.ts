/** What others make of the formats: Graphviz of dot, a browser of the picture. */
import { execFileSync } from 'node:child_process';
import { chromium, type Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toDot } from '../../src/diagram/dot.ts';
import { toSvg } from '../../src/diagram/svg.ts';
import { stateSummaries } from '../../src/machines/diagram.ts';
import { needProgram } from '../hosts/support/packages.ts';
import { cutOff, installed } from './runs.ts';

describe('Graphviz', () => {
  const draw = (text: string): string =>
    execFileSync(needProgram('/usr/bin/dot', 'graphviz'), ['-Tsvg'], { input: text, encoding: 'utf8' });

  test.each([
    ['the machine', toDot()],
    ['a run', toDot(installed)],
  ])('draws %s, with every state', (_, text) => {
    const svg = draw(text);
    const nodes = [...svg.matchAll(/class="node">\s*<title>(\w+)<\/title>/gu)].map(([, name]) => name);
    expect(nodes.sort()).toEqual([...stateSummaries().map(({ name }) => name), 'start'].sort());
  });
});

describe('a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    const executablePath = needProgram('/usr/bin/chromium', 'chromium');
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  });
  afterAll(() => browser.close());

  test.each(['DejaVu Sans', 'sans-serif', 'system-ui'])('keeps all text in its box in %s', async (font) => {
    const page = await browser.newPage();
    await page.setContent(`<!doctype html><body>${toSvg({ standalone: true, path: cutOff })}</body>`);
    await page.addStyleTag({ content: `svg { font-family: ${font} !important; }` });
    const outside: string[] = [];
    for (const state of await page.locator('g.state').all()) {
      const box = (await state.locator('rect.box').boundingBox())!;
      for (const text of await state.locator('.name, .description').all()) {
        const { x, y, width, height } = (await text.boundingBox())!;
        const fits =
          x > box.x && y > box.y && x + width < box.x + box.width && y + height < box.y + box.height;
        if (!fits) outside.push(await text.innerHTML());
      }
    }
    expect(outside).toEqual([]);
  });

  /** What the browser complains of where the picture stands in a page that allows nothing. */
  async function complaintsAbout(svg: string): Promise<string[]> {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    const policy = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'">`;
    await page.setContent(`<!doctype html>${policy}<body>${svg}</body>`);
    expect(await page.locator('g.state').count()).toBe(stateSummaries().length);
    return complaints;
  }

  test('takes the picture without style under a strict Content-Security-Policy, and only that', async () => {
    expect(await complaintsAbout(toSvg({ path: installed }))).toEqual([]);
    expect(await complaintsAbout(toSvg({ standalone: true }))).not.toEqual([]);
  });
});
