/** The consent page as a person sees it, in a real browser. */
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { suites } from './support/base.ts';
import { openBrowser } from './support/browser.ts';
import { createHost, until, type Host } from './support/host.ts';
import {
  authorizationRequest,
  localOrigin,
  pkce,
  redirectUri,
  requestToken,
  type Fields,
} from './support/oauth.ts';
import { envFile, expectExit } from './support/observe.ts';

/** The client's own end of the flow, and a page of somebody else's. */
const elsewhere = `import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("content-type", "text/html"); self.end_headers()
        self.wfile.write(b"<title>elsewhere</title>arrived")
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", 3000), Handler).serve_forever()
`;

async function prepare(host: Host): Promise<void> {
  expectExit(await host.installer([]), 0);
  await host.write('/run/elsewhere.py', elsewhere);
  host.spawn(['python3', '/run/elsewhere.py']);
  await until('the client listens', async () =>
    (await host.sh('curl -s http://127.0.0.1:3000/')).exitCode === 0 ? true : undefined,
  );
}

const address = (host: Host, challenge: string): string =>
  `${localOrigin}/authorize?${new URLSearchParams(authorizationRequest(host, challenge)).toString()}`;

/** What the client is told once its page is reached. */
async function arrival(page: Page): Promise<Fields> {
  await page.waitForURL(`${redirectUri}?*`);
  return Object.fromEntries(new URL(page.url()).searchParams);
}

async function withPassword(host: Host, password: string): Promise<void> {
  await host.must(`printf 'OWNER_PASSWORD=${password}\\n' >>${envFile}`);
  await host.must('systemctl restart mcp-oauth-proxy.service');
}

describe.each(suites)('%s', (suite) => {
  test('names client, scope and redirect host; Allow brings a code that the secret turns into tokens, Deny an error', async () => {
    await using host = await createHost({ suite, name: 'consent' });
    await prepare(host);
    await using browser = await openBrowser(host);
    const { verifier, challenge } = pkce();

    const page = await browser.newPage();
    await page.goto(address(host, challenge));
    expect((await page.locator('main').innerText()).replace(/\n+/gu, '\n')).toBe(
      [
        'Connect to this MCP server?',
        'a program on this computer asks to use the MCP server at 127.0.0.1:8084.',
        'It may',
        'call every tool and read everything there (scope mcp)',
        'It answers at',
        'http://localhost:3000',
        'Allow this only if you have just pressed Connect there yourself.',
        'AllowDeny',
      ].join('\n'),
    );
    await page.getByRole('button', { name: 'Allow' }).click();
    const { code = '', ...others } = await arrival(page);
    expect(others).toEqual({ state: 'state of the client', iss: localOrigin });
    const form = {
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      code_verifier: verifier,
    };
    expect((await requestToken(host, form)).status).toBe(200);

    const again = await browser.newPage();
    await again.goto(address(host, challenge));
    await again.getByRole('button', { name: 'Deny' }).click();
    expect(await arrival(again)).toEqual({
      error: 'access_denied',
      error_description: 'it was denied',
      state: 'state of the client',
      iss: localOrigin,
    });
    expect(browser.complaints).toEqual([]);
  });

  test('the owner’s password is asked for, a wrong one is said, and the keyboard is enough', async () => {
    await using host = await createHost({ suite, name: 'consent-password' });
    await prepare(host);
    await withPassword(host, 'correct-horse-battery');
    await using browser = await openBrowser(host);
    const page = await browser.newPage({ width: 320 });
    await page.goto(address(host, pkce().challenge));
    const field = page.getByLabel('Password of this server’s owner');
    await field.waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320);
    await page.keyboard.type('correct-horse-batterie');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
    expect(await page.getByRole('alert').innerText()).toBe('That is not the password.');
    await page.keyboard.type('correct-horse-battery');
    await page.keyboard.press('Enter');
    expect(Object.keys(await arrival(page))).toEqual(['code', 'state', 'iss']);
  });

  test('no other page can show it in a frame, nor send its form', async () => {
    await using host = await createHost({ suite, name: 'consent-frame' });
    await prepare(host);
    await using browser = await openBrowser(host);
    const page = await browser.newPage();
    const url = address(host, pkce().challenge);
    await page.goto(url);
    const request = await page.locator('input[name=request]').getAttribute('value');

    await page.goto('http://localhost:3000/');
    await page.setContent(
      `<iframe src="${url.replaceAll('&', '&amp;')}"></iframe>
       <form method="post" action="${localOrigin}/authorize">
         <input name="request" value="${request ?? ''}"><button name="decision" value="allow">Win a prize</button>
       </form>`,
    );
    await until('the frame was refused', () =>
      browser.complaints.some((words) => words.includes('frame-ancestors')) ? true : undefined,
    );
    await page.getByRole('button').click();
    await page.waitForURL(`${localOrigin}/authorize`);
    expect(await page.locator('.problem').innerText()).toBe(
      'access_denied: the form was sent from elsewhere.',
    );
  });
});
