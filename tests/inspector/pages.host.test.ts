/** What is served, in a real browser: the page that frames Stately's, and the viewer. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { build } from 'esbuild';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as v from 'valibot';
import { createMemoryHost } from '../../src/effects/host/memory.ts';
import { install } from '../../src/install.ts';
import { launch, openPage, shown } from '../viewer/support/browser.ts';
import { repositoryRoot } from '../hosts/support/base.ts';
import { statelyEvent } from './support/protocol.ts';
import { opened } from './support/watch.ts';

/** Stands for the hosted page: the receiver that it is made with, and a list of what that hears. */
async function receiver(): Promise<AsyncDisposable & { readonly url: URL }> {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { createBrowserReceiver } from '@statelyai/inspect';
window.heard = [];
createBrowserReceiver({ window }).subscribe((event) => window.heard.push(event));`,
      resolveDir: repositoryRoot,
    },
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    define: { global: 'window' },
    logLevel: 'error',
  });
  const server = createServer((request, response) => {
    const script = request.url === '/receiver.js';
    response.setHeader('Content-Type', script ? 'text/javascript' : 'text/html');
    response.end(
      script
        ? outputFiles[0]?.text
        : '<!doctype html><title>receiver</title><script src="receiver.js"></script>',
    );
  });
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://localhost:${port}/inspect`),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

test('Stately’s page hears the run in its protocol, once it has said that it is there, also after a reload', async () => {
  await using framed = await receiver();
  await using open = await opened({ stately: framed.url });
  const { inspector } = open;
  await install({ host: createMemoryHost(), onRecord: inspector.record });
  await using tab = await openPage(browser, `${inspector.url}stately`);
  const { page, complaints } = tab;
  const heard = async (): Promise<unknown[]> => {
    const frame = page.frames().find((each) => each.url() === framed.url.href)!;
    await frame.waitForFunction("window.heard?.at(-1)?.snapshot?.status === 'done'");
    return frame.evaluate<unknown[]>('window.heard');
  };
  await page.waitForFunction("document.getElementById('status').hidden");
  const events = (await heard()).map((event) => v.parse(statelyEvent, event));
  expect(events.map(({ type }) => type).slice(0, 3)).toEqual([
    '@xstate.actor',
    '@xstate.event',
    '@xstate.snapshot',
  ]);
  await page.frames()[1]!.evaluate('location.reload()');
  await page.frames()[1]!.waitForLoadState();
  expect(await heard()).toEqual(events);
  expect(complaints).toEqual([]);
});

test('the viewer shows the run that is served, and nothing of it is blocked', async () => {
  await using open = await opened();
  const { inspector } = open;
  const { records } = await install({ host: createMemoryHost(), onRecord: inspector.record });
  inspector.finish();
  await using tab = await openPage(browser, inspector.url);
  // Hello, the start, a step for each event, the end.
  await shown(tab.page, 2 + records.filter(({ k }) => k === 'event').length);
  expect(tab.complaints).toEqual([]);
  expect(
    tab.requests.every((address) => address.startsWith(inspector.url) || address.startsWith('data:')),
  ).toBe(true);
});
