/** Debian's Chromium, with this machine's files and a host's network: what it opens is what the host serves. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium, type Page } from 'playwright-core';
import type { Host } from './host.ts';
import { needProgram } from './packages.ts';

export interface HostBrowser extends AsyncDisposable {
  /** A page in a profile of its own: no cookie of an earlier one. */
  newPage(options?: { readonly width?: number }): Promise<Page>;
  /** What the browser complained of on any page: blocked styles, failed loads, errors. */
  readonly complaints: readonly string[];
}

export async function openBrowser(host: Host): Promise<HostBrowser> {
  const program = needProgram('/usr/bin/chromium', 'chromium');
  const directory = mkdtempSync(path.join(tmpdir(), 'mcp-installer-browser-'));
  const inside = path.join(directory, 'chromium');
  writeFileSync(inside, `#!/bin/sh\nexec ${host.inNetwork([program]).join(' ')} "$@"\n`);
  chmodSync(inside, 0o755);
  const complaints: string[] = [];
  const browser = await chromium.launch({
    executablePath: inside,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // The certificate is of a test's own authority; who it is for is judged by the other clients.
      '--ignore-certificate-errors',
      '--host-resolver-rules=MAP mcp.test 127.0.0.1',
    ],
  });
  return {
    complaints,
    async newPage({ width = 1024 } = {}) {
      const context = await browser.newContext({ viewport: { width, height: 700 } });
      const page = await context.newPage();
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(error.message));
      return page;
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
