/** An installed service before a backend that records, and requests to it: right ones, but for what a test changes. */
import type { Suite } from './base.ts';
import { createHost, until, type Host } from './host.ts';
import { authorizationRequest, consentOf, localOrigin, pkce, redirectUri, type Tokens } from './oauth.ts';
import { expectExit, secretsInFile, type Secrets } from './observe.ts';
import { ask, form, isForm, type Changes } from './ask.ts';
import { Wire, type Answer, type Request } from './wire.ts';

export interface Grant {
  readonly grant_type: string;
  readonly code: string;
  readonly redirect_uri: string;
  readonly code_verifier: string;
}

/** Writes every byte that it is sent to /run/seen, and that somebody came. */
const recorder = `import asyncio
async def serve(reader, writer):
    with open("/run/seen", "ab", buffering=0) as seen:
        seen.write(b"(connection)\\n")
        while part := await reader.read(65536):
            seen.write(part)
            writer.write(b"HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\nconnection: close\\r\\n\\r\\n{}")
    writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 8000)
    await server.serve_forever()
asyncio.run(main())
`;

export class Target implements AsyncDisposable {
  readonly host: Host;
  readonly wire: Wire;
  readonly secrets: Secrets;
  /** What must be in no log. */
  readonly planted: string[];
  private readonly kept = new Map<string, Promise<unknown>>();

  private constructor(host: Host, wire: Wire) {
    this.host = host;
    this.wire = wire;
    this.secrets = secretsInFile(host);
    const { MCP_TOKEN, CLIENT_SECRET, TOKEN_SECRET } = this.secrets;
    this.planted = [MCP_TOKEN, CLIENT_SECRET, TOKEN_SECRET];
  }

  static async on(suite: Suite, name: string, ownerPassword = ''): Promise<Target> {
    const host = await createHost({ suite, name });
    expectExit(await host.installer([]), 0);
    if (ownerPassword !== '') {
      await host.sh('cat >>/etc/mcp-oauth-proxy/.env', { input: `OWNER_PASSWORD=${ownerPassword}\n` });
      await host.must('systemctl restart mcp-oauth-proxy.service');
    }
    await host.write('/run/recorder.py', recorder);
    host.spawn(['python3', '/run/recorder.py']);
    await until('the recorder listens', async () =>
      (await host.must("ss -tlnH 'sport = 8000'")) === '' ? undefined : true,
    );
    return new Target(host, await Wire.to(host));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.wire.close();
    await this.host[Symbol.asyncDispose]();
  }

  /** The one answer to a request. */
  async answer(request: Request): Promise<Answer> {
    const answers = await this.wire.send(request);
    if (answers.length !== 1) throw new Error(`${answers.length} answers: ${JSON.stringify(answers)}`);
    return answers[0]!;
  }

  /** What is made by `make` when it is first asked for by this name. */
  keep<T>(name: string, make: () => Promise<T>): Promise<T> {
    const known = this.kept.get(name) ?? make();
    this.kept.set(name, known);
    return known as Promise<T>;
  }

  /** An authorization request that is right but for `changes`. */
  authorize(changes: Changes = {}, more = '', headers: readonly string[] = []): Request {
    const right = authorizationRequest(this.host, pkce().challenge);
    return ask(`GET /authorize?${form({ ...right, state: 'canary state', ...changes })}${more}`, headers);
  }

  /** A consent page, opened by the browser of this name. */
  page(name: string, challenge = pkce().challenge): Promise<{ request: string; cookie: string }> {
    return this.keep(`page ${name}`, async () => {
      const page = consentOf(await this.answer(this.authorize({ code_challenge: challenge })));
      this.planted.push(page.request, page.cookie);
      return page;
    });
  }

  /** What the consent page sends, right but for `changes`; the cookie is one of them. */
  async consent(
    name: string,
    changes: Changes = {},
    headers: readonly string[] = [`Origin: ${localOrigin}`],
  ): Promise<Request> {
    const page = await this.page(name);
    const { cookie = page.cookie, ...fields } = changes;
    const body = form({ request: page.request, decision: 'allow', ...fields });
    return ask(
      'POST /authorize',
      [isForm, ...headers, ...(cookie === '' ? [] : [`Cookie: ${cookie}`])],
      body,
    );
  }

  /** A right token request for a code that nobody has used yet. */
  code(name: string): Promise<Grant> {
    return this.keep(`code ${name}`, async () => {
      const { verifier, challenge } = pkce();
      await this.page(`for code ${name}`, challenge);
      const { headers } = await this.answer(await this.consent(`for code ${name}`));
      const code = new URL(headers['location'] ?? 'none:').searchParams.get('code') ?? '';
      this.planted.push(code, verifier);
      return { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier };
    });
  }

  /** A token request by HTTP Basic, or with `headers` instead. */
  token(fields: Changes, headers: readonly string[] = [this.basic()]): Request {
    return ask('POST /token', [isForm, ...headers], form(fields));
  }

  refresh(token: string, changes: Changes = {}, headers?: readonly string[]): Request {
    return this.token({ grant_type: 'refresh_token', refresh_token: token, ...changes }, headers);
  }

  basic(user = `${this.secrets.CLIENT_ID}:${this.secrets.CLIENT_SECRET}`): string {
    return `Authorization: Basic ${Buffer.from(user).toString('base64')}`;
  }

  /** A new connection's tokens. */
  tokens(name: string): Promise<Tokens> {
    return this.keep(`tokens ${name}`, async () => this.exchange({ ...(await this.code(name)) }));
  }

  async exchange(fields: Changes): Promise<Tokens> {
    const { status, body } = await this.answer(this.token(fields));
    if (status !== 200) throw new Error(`${status} ${body}`);
    const tokens = JSON.parse(body) as Tokens;
    this.planted.push(tokens.access_token, tokens.refresh_token);
    return tokens;
  }

  journal(): Promise<string> {
    return this.host.must('journalctl --sync; journalctl --no-pager -o cat -u mcp-oauth-proxy.service');
  }
}
