/** The bundled service, and the proof of a rotation, with a real MCP backend behind it. */
import { describe, expect, test } from 'vitest';
import { suites } from './support/base.ts';
import { createHost, until, type Host } from './support/host.ts';
import { connect } from './support/oauth.ts';
import { expectAnswering, expectExit, secretNames, secretsInFile } from './support/observe.ts';

/** Tells what it was asked with; /stream never ends. */
const backend = `import http.server, json, os
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0)) if not self.headers.get("transfer-encoding") else b"chunked"
        if self.headers.get("mcp-session-id") == "stream":
            self.send_response(200); self.send_header("content-type", "text/event-stream"); self.send_header("connection", "close"); self.end_headers()
            self.wfile.write(b"data: hello\\n\\n"); self.wfile.flush()
            import time
            time.sleep(600)
            return
        text = json.dumps({"authorization": self.headers.get("authorization"), "method": self.command, "path": self.path}).encode()
        allowed, refusal = (open("/run/expected").read().split() + ["401"])[:2] if os.path.exists("/run/expected") else (None, None)
        status = int(refusal) if allowed and self.headers.get("authorization") != "Bearer " + allowed else 200
        self.send_response(status); self.send_header("content-type", "application/json"); self.send_header("content-length", str(len(text)))
        if self.headers.get("mcp-session-id"): self.send_header("mcp-session-id", self.headers["mcp-session-id"])
        self.end_headers()
        self.wfile.write(text)
    do_GET = do_POST = do_DELETE = answer
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", 8000), Handler).serve_forever()
`;

async function withBackend(host: Host): Promise<void> {
  await host.write('/run/backend.py', backend);
  host.spawn(['python3', '/run/backend.py']);
  await until('the backend answers', async () =>
    (await host.sh('curl -s http://127.0.0.1:8000/')).exitCode === 0 ? true : undefined,
  );
}

const token = (host: Host, form: string, more = ''): Promise<string> =>
  host.must(`curl -s -w '\\n%{http_code}' ${more} http://127.0.0.1:8084/token -d '${form}'`);

describe.each(suites)('%s', (suite) => {
  test('checks clients as OAuth errors require, and forwards with MCP_TOKEN and never with the client’s token', async () => {
    await using host = await createHost({ suite, name: 'service' });
    expectExit(await host.installer([]), 0);
    const secrets = secretsInFile(host);
    const form = `client_id=${secrets.CLIENT_ID}&client_secret=${secrets.CLIENT_SECRET}`;
    const basic = `-u ${secrets.CLIENT_ID}:${secrets.CLIENT_SECRET}`;
    expect(
      await token(
        host,
        `grant_type=refresh_token&refresh_token=x&client_id=${secrets.CLIENT_ID}&client_secret=wrong`,
      ),
    ).toMatch(/"invalid_client".*\n401$/u);
    expect(await token(host, 'grant_type=refresh_token&refresh_token=x')).toMatch(
      /"invalid_client".*\n401$/u,
    );
    expect(await token(host, `grant_type=authorization_code&code=x&${form}`)).toMatch(
      /"redirect_uri, code_verifier are missing".*\n400$/u,
    );
    expect(await token(host, 'grant_type=refresh_token&refresh_token=x', basic)).toMatch(
      /"invalid_grant".*\n400$/u,
    );
    for (const grant of ['password', 'client_credentials'])
      expect(await token(host, `grant_type=${grant}&${form}`)).toMatch(/"unsupported_grant_type".*\n400$/u);
    const { access_token: bearer } = await connect(host);

    // RFC 6749 sections 2.3 and 5.2: one method a request, and a challenge where Basic failed.
    for (const both of ['client_id=x', `client_id=${secrets.CLIENT_ID}&client_secret=x`])
      expect(await token(host, `grant_type=refresh_token&refresh_token=x&${both}`, basic)).toMatch(
        /"invalid_request".*\n400$/u,
      );
    expect(
      await token(host, `grant_type=refresh_token&refresh_token=x&client_id=${secrets.CLIENT_ID}`, basic),
    ).toMatch(/"invalid_grant".*\n400$/u);
    for (const header of ['é', '!!!', '', 'gA==', 'YQ=='])
      expect(
        await token(
          host,
          'grant_type=refresh_token&refresh_token=x',
          `-D - -o /dev/null -H 'Authorization: Basic ${header}'`,
        ),
        header,
      ).toMatch(/^www-authenticate: Basic realm="mcp"\r$[^]*\n401$/mu);

    const mcp = (how: string): Promise<string> =>
      host.must(`curl -s -w '\\n%{http_code}' http://127.0.0.1:8084/mcp ${how}`);
    expect(await mcp("-d '{}'")).toMatch(/"unauthorized".*\n401$/u);
    expect(await mcp(`-d '{}' -H 'Authorization: Bearer ${bearer}'`)).toMatch(/"jsonrpc":"2.0".*\n502$/u);
    await withBackend(host);
    const forwarded = await mcp(`-d '{}' -H 'Authorization: Bearer ${bearer}'`);
    expect(JSON.parse(forwarded.split('\n')[0] ?? '')).toEqual({
      authorization: `Bearer ${secrets.MCP_TOKEN}`,
      method: 'POST',
      path: '/mcp',
    });

    // No byte in a header that is passed on makes the service fail, in either direction.
    const oddly = `-d '{}' -H 'Authorization: Bearer ${bearer}' -H 'Mcp-Session-Id: é'`;
    expect(await mcp(`-D - -o /dev/null ${oddly}`)).toMatch(/^mcp-session-id: é\r$[^]*\n200$/mu);
    expect(await mcp("-d '{}' -H 'Authorization: Bearer é'")).toMatch(/"invalid_token".*\n401$/u);

    // The backend's refusal is about MCP_TOKEN; as 401 it would send the client to log in again, for ever.
    for (const status of ['401', '403']) {
      await host.write('/run/expected', `another ${status}`);
      const refused = await mcp(`-d '{}' -H 'Authorization: Bearer ${bearer}'`);
      expect(refused.split('\n').at(-1)).toBe('502');
      expect(JSON.parse(refused.split('\n')[0] ?? '')).toEqual({
        jsonrpc: '2.0',
        id: null,
        error: { code: -32000, message: 'the MCP server refuses MCP_TOKEN' },
      });
    }
    await host.must('rm /run/expected');
    expect(await host.must('journalctl --no-pager -o cat -u mcp-oauth-proxy.service')).not.toContain(
      'Traceback',
    );

    // A stream that is open does not hold up a stop.
    const stream = host.spawn([
      'curl',
      '-sN',
      'http://127.0.0.1:8084/mcp',
      '-H',
      `Authorization: Bearer ${bearer}`,
      '-H',
      'Mcp-Session-Id: stream',
    ]);
    let received = '';
    stream.stdout.on('data', (chunk: Buffer) => (received += chunk.toString()));
    await until('the stream has begun', () => (received.includes('data: hello') ? true : undefined));
    const began = Date.now();
    await host.must('systemctl restart mcp-oauth-proxy.service');
    expect(Date.now() - began).toBeLessThan(5_000);
    expect(await host.must('systemctl show -p Result --value mcp-oauth-proxy.service')).toBe('success');
    stream.kill();
  });

  test('refuses to start without its four secrets and names those that are missing', async () => {
    await using host = await createHost({ suite, name: 'service-secrets' });
    const { exitCode, stderr } = await host.sh(
      'cd /opt/mcp-installer/src/products/mcp-oauth-proxy && MCP_TOKEN=a CLIENT_ID=b python3 -B -m uvicorn oauth_proxy:app',
    );
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('mcp-oauth-proxy refuses to start without CLIENT_SECRET, TOKEN_SECRET');
  });

  test('a rotation is proven against service and backend, and what could not be proven is said', async () => {
    await using host = await createHost({ suite, name: 'proof' });
    expectExit(await host.installer([]), 0);
    expect(expectExit(await host.installer(['--force-rotate-tokens']), 0).output).toContain(
      'MCP_TOKEN: http://127.0.0.1:8000/mcp does not answer',
    );
    await withBackend(host);
    expect(expectExit(await host.installer(['--force-rotate-tokens']), 0).output).not.toContain(
      'could not be tried',
    );
    await host.must(`grep MCP_TOKEN /etc/mcp-oauth-proxy/.env | cut -d= -f2 >/run/expected`);
    expect(expectExit(await host.installer(['--force-rotate-tokens', 'MCP_TOKEN']), 0).output).toContain(
      'refuses the new MCP_TOKEN (401)',
    );

    // The service is proven though its backend refuses it.
    expect(expectExit(await host.installer(['--force-rotate-tokens']), 0).output).not.toContain(
      'not proven to have taken effect',
    );
  });

  test('a service that goes on accepting old credentials has not rotated: everything is put back', async () => {
    await using host = await createHost({ suite, name: 'stubborn' });
    // Keeps the client that it was first started with, beside what it is told later.
    await host.write(
      '/root/stubborn.py',
      `import base64, os, pathlib
first = pathlib.Path(os.environ["STATE_DIRECTORY"]) / "client"
told = os.environ["CLIENT_ID"] + ":" + os.environ["CLIENT_SECRET"]
if not first.exists():
    first.write_text(told)
known = [("Basic " + base64.b64encode(pair.encode()).decode()).encode() for pair in (first.read_text(), told)]
async def app(scope, receive, send):
    if scope["type"] == "http":
        status, body = 200, b"{}"
        if scope["path"] == "/token":
            right = dict(scope["headers"]).get(b"authorization") in known
            status, body = (400, b'{"error":"invalid_grant"}') if right else (401, b'{"error":"invalid_client"}')
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})
`,
    );
    expectExit(await host.installer(['--source', '/root/stubborn.py']), 0);
    const before = secretsInFile(host);
    const { output } = expectExit(await host.installer(['--force-rotate-tokens']), 12);
    expect(output).toContain(
      'E_ROTATION_UNPROVEN: The rotation did not take effect: the service still accepts the old client credentials.',
    );
    expect(secretsInFile(host)).toEqual(before);
    await expectAnswering(host);
  });

  test('a service that answers in its own ways may rotate, and what it leaves unproven is said', async () => {
    await using host = await createHost({ suite, name: 'own-ways' });
    // Takes client credentials in the form alone; has no POST at /mcp.
    await host.write(
      '/root/form.py',
      `import os
from urllib.parse import parse_qs
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
app = FastAPI()
@app.get("/healthz")
def healthz(): return "ok"
@app.get("/mcp")
def mcp(): return "ok"
@app.post("/token")
async def token(request: Request):
    form = parse_qs((await request.body()).decode())
    if any(form.get(name.lower()) != [os.environ[name]] for name in ("CLIENT_ID", "CLIENT_SECRET")):
        return JSONResponse({"error": "invalid_client"}, 401)
    return JSONResponse({"error": "invalid_grant"}, 400)
`,
    );
    expectExit(await host.installer(['--source', '/root/form.py']), 0);
    const before = secretsInFile(host);
    const { output } = expectExit(await host.installer(['--force-rotate-tokens']), 0);
    expect(output.split('\n').filter((line) => line.includes('not proven'))).toEqual([
      '[!] TOKEN_SECRET: /mcp answers 405 to the new, 405 to the old, 405 to a wrong one: not proven to have taken effect.',
    ]);
    expect(secretsInFile(host)).not.toEqual(before);
  });

  test('the unit keeps the service in a narrow sandbox, and nobody but root reads its secrets (security 8, 25, 26)', async () => {
    await using host = await createHost({ suite, name: 'sandbox' });
    expectExit(await host.installer([]), 0);
    const score = /: ([\d.]+) /u.exec(
      await host.must('systemd-analyze security --no-pager mcp-oauth-proxy.service | tail -n 1'),
    )?.[1];
    expect(Number(score)).toBeLessThanOrEqual(1.0);
    const secrets = secretsInFile(host);
    const shown = await host.sh(
      'setpriv --reuid=nobody --regid=nogroup --clear-groups sh -c "systemctl show mcp-oauth-proxy.service; cat /etc/mcp-oauth-proxy/.env"',
    );
    for (const name of secretNames) expect(shown.stdout + shown.stderr).not.toContain(secrets[name]);
    // Its user is made by systemd as it starts, and has nothing of what root reads or executes.
    const uid = await host.must('stat -c %u /proc/$(systemctl show -P MainPID mcp-oauth-proxy.service)');
    expect(Number(uid)).toBeGreaterThanOrEqual(61_184);
    const owned = await host.must(`find / -xdev -uid ${uid}`);
    expect(owned.split('\n').filter((file) => !file.startsWith('/var/lib/private/mcp-oauth-proxy'))).toEqual(
      [],
    );
  });
});
