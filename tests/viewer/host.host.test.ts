/** A host with systemd, nginx and the service, whose installation is watched in a browser while it works. */
import type { ChildProcess } from 'node:child_process';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { suites } from '../hosts/support/base.ts';
import { openBrowser } from '../hosts/support/browser.ts';
import { createHost, until, type Host } from '../hosts/support/host.ts';
import { envFile, expectAnswering, expectExit } from '../hosts/support/observe.ts';

interface Watched {
  readonly url: string;
  readonly output: () => string;
  readonly exitCode: Promise<number | null>;
  readonly child: ChildProcess;
}

/** Starts the command line and comes back with the address that it prints first. */
async function start(host: Host, args: readonly string[]): Promise<Watched> {
  const child = host.spawn(host.installerCommand([...args, '--inspect']));
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes: Buffer) => (text += bytes.toString('utf8')));
  const exitCode = new Promise<number | null>((resolve) => child.on('close', resolve));
  const url = await until('the address is printed', () => /http:\/\/127\.0\.0\.1:\S+(?=\n)/u.exec(text)?.[0]);
  return { url, output: () => text, exitCode, child };
}

/** @throws Error with what the page shows instead */
async function lit(page: Page, state: string): Promise<void> {
  try {
    await page.locator(`.machine .state.now[data-state="${state}"]`).waitFor({ timeout: 60_000 });
  } catch (error) {
    throw new Error(`${state} is not lit; the page shows:\n${await page.locator('body').innerText()}`, {
      cause: error,
    });
  }
}

const ways = (page: Page): Promise<string[]> => page.locator('#events-list .step .way').allInnerTexts();

describe.each(suites)('%s', (suite) => {
  test('an installation and one that is put back are watched while they work, and replayed alike', async () => {
    await using host = await createHost({ suite, name: 'watched' });
    await using browser = await openBrowser(host);
    const page = await browser.newPage({ width: 1280 });

    // Both services begin when the page is open: the run waits for them.
    const waiting = `import os, time\nwhile not os.path.exists("/run/go"): time.sleep(0.05)\n`;
    const ours = await host.must('cat /opt/mcp-installer/src/products/mcp-oauth-proxy/oauth_proxy.py');
    await host.write('/root/slow.py', waiting + ours);
    const fresh = await start(host, ['--source', '/root/slow.py']);
    await page.goto(fresh.url);
    await lit(page, 'verifying');
    await host.must('touch /run/go');
    await lit(page, 'installed');
    await page.getByText('Exit code 0, the host was changed').waitFor();
    expect({ exitCode: await fresh.exitCode, output: fresh.output() }).toEqual({
      exitCode: 0,
      output: expect.stringContaining('[OK] Installation complete') as string,
    });
    await expectAnswering(host);

    await host.must('rm /run/go');
    await host.write('/root/broken.py', `${waiting}raise SystemExit("broken")\n`);
    const broken = await start(host, ['--source', '/root/broken.py']);
    await page.goto(broken.url);
    await lit(page, 'verifying');
    await host.must('touch /run/go');
    await lit(page, 'rolledBack');
    await page.getByText('Exit code 12, the host is as it was').waitFor();
    expect(await broken.exitCode).toBe(12);
    expect(await page.locator('body').innerText()).toContain('E_UNHEALTHY');
    const watched = await ways(page);
    const seen = [await page.content()];
    await expectAnswering(host);

    const replay = await start(host, ['replay', 'last']);
    await page.goto(replay.url);
    await lit(page, 'rolledBack');
    expect(await ways(page)).toEqual(watched);
    await page.keyboard.press('Home');
    await lit(page, 'preflight');
    seen.push(await page.content());
    await host.must('pkill -INT -f "[m]cp-installer(.mjs|-linux.*)? replay"');
    expect(await replay.exitCode).toBe(0);

    // Sent to a colleague: elsewhere, without root or a journal, the same way is seen.
    expectExit(await host.installer(['show', 'last', '--export', '/root/run.jsonl']), 0);
    const secrets = host
      .read(envFile)
      .split('\n')
      .flatMap((line) => /^(?:MCP_TOKEN|CLIENT_ID|CLIENT_SECRET|TOKEN_SECRET)=(\S+)$/u.exec(line)?.[1] ?? []);
    expect(secrets).toHaveLength(4);
    seen.push(host.read('/root/run.jsonl'));
    expect(secrets.filter((secret) => seen.some((text) => text.includes(secret)))).toEqual([]);
    expect(browser.complaints.filter((each) => !each.includes('net::ERR_'))).toEqual([]);
  });
});
