/** Tables of bad requests: what each is answered with, and what holds after all of them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { suites, type Suite } from './base.ts';
import { until } from './host.ts';
import { localOrigin } from './oauth.ts';
import { expectAnswering, mainPid } from './observe.ts';
import { ask, bearer, isJson } from './ask.ts';
import { Target } from './target.ts';
import type { Answer, Request } from './wire.ts';

/** The same on both, or what each answers. */
type Either<T> = T | Readonly<Record<Suite, T>>;

export type Row = readonly [
  name: string,
  request: (it: Target) => Request | Promise<Request>,
  status: Either<number>,
  /** As `errorOf` tells it. */
  error: Either<string>,
  /** The audit line's; none where the service does not look at the request, or nginx answers. */
  reason?: Either<string>,
];

/** An answer's error in one word: OAuth's, JSON-RPC's message, a page's, nginx's own, what a client is redirected with. */
export function errorOf({ headers, body }: Answer): string {
  const { location, 'content-type': type = '' } = headers;
  if (location !== undefined) return new URL(location).searchParams.get('error') ?? location;
  if (type.includes('json') && body !== '') {
    const { error } = JSON.parse(body) as { error?: string | { message: string } };
    return typeof error === 'object' ? error.message : (error ?? body);
  }
  const [, words] = /class="problem"[^>]*>([^:<]+)|<center><h1>([^<]+)</u.exec(body)?.filter(Boolean) ?? [];
  return words ?? body.trim();
}

/** RFC 6750 section 3: no error code where no token was shown. */
function challengeOf({ status, body }: Answer, target: string): string | undefined {
  const { error = '', error_description: words = '' } = body.startsWith('{"error":"')
    ? (JSON.parse(body) as Readonly<Record<string, string>>)
    : {};
  if (target === '/token') return status === 401 ? 'Basic realm="mcp"' : undefined;
  const metadata = `${localOrigin}/.well-known/oauth-protected-resource/mcp`;
  const challenge = `Bearer resource_metadata="${metadata}", scope="mcp"`;
  if (error === 'unauthorized') return challenge;
  const isTold =
    target === '/mcp' && ['invalid_request', 'invalid_token', 'insufficient_scope'].includes(error);
  return isTold ? `${challenge}, error="${error}", error_description="${words}"` : undefined;
}

/** What holds for every refusal, whatever it is about. */
function expectHarmless(answer: Answer, { text }: Request): void {
  const { headers, body, status } = answer;
  const [, target = '', query = ''] = /^\S+ ([^ ?]+)\??(\S*)/u.exec(text) ?? [];
  const isOfNginx = headers['content-type'] === 'text/html' && headers['server'] !== undefined;
  expect(headers['www-authenticate']).toBe(challengeOf(answer, target));
  expect(headers).not.toHaveProperty('access-control-allow-origin');
  if (!isOfNginx && headers['content-type']?.startsWith('text/plain') !== true)
    expect(headers['cache-control']).toBe('no-store');
  if (status === 405 && !isOfNginx) expect(headers).toHaveProperty('allow');
  if (status === 429) expect(headers['retry-after']).toBe('60');
  // What a stranger made up is not told back, but for the client's own state, by redirect.
  expect(body).not.toMatch(/canary/iu);
  if (status === 302) {
    const location = new URL(headers['location'] ?? '');
    expect(location.searchParams.get('iss')).toBe(localOrigin);
    expect(location.searchParams.get('state')).toBe(new URLSearchParams(query).get('state'));
    expect(location.searchParams.has('code')).toBe(false);
  }
}

/** Lines of the journal for which a client was refused, each by its reason. */
async function refusals(it: Target): Promise<readonly string[]> {
  const lines = (await it.journal())
    .split('\n')
    .filter((line) => /^\{"audit": "[a-z]+\.refused"/u.test(line));
  return lines.map((line) => (JSON.parse(line) as { reason: string }).reason);
}

const suspicious = (journal: string): readonly string[] =>
  journal.split('\n').filter((line) => /Traceback|ERROR/u.test(line) || /canary/iu.test(line));

export interface AbuseOptions {
  readonly ownerPassword?: string;
  /** Nobody gets in after the rows. */
  readonly isLocked?: boolean;
}

/** A host for each suite, and all rows in their order on it. */
export function abuse(
  name: string,
  tables: Readonly<Record<string, readonly Row[]>>,
  { ownerPassword, isLocked = false }: AbuseOptions = {},
): void {
  describe.each(suites)('%s', (suite) => {
    let it: Target;
    let process = '';
    const here = <T extends string | number>(value: Either<T>): T =>
      typeof value === 'object' ? value[suite] : value;

    beforeAll(async () => {
      it = await Target.on(suite, name, ownerPassword);
      process = await mainPid(it.host);
    });
    afterAll(() => it[Symbol.asyncDispose]());

    for (const [subject, rows] of Object.entries(tables)) {
      describe(subject, () => {
        for (const [what, request, status, error] of rows) {
          test(what, async () => {
            const sent = await request(it);
            const began = Date.now();
            const answer = await it.answer(sent);
            expect({ status: answer.status, error: errorOf(answer) }).toEqual({
              status: here(status),
              error: here(error),
            });
            expectHarmless(answer, sent);
            expect(Date.now() - began).toBeLessThan(5_000);
          });
        }
      });
    }

    test('none of it reached the backend, harmed the service, or left a secret in its journal', async () => {
      expect(await it.host.must('cat /run/seen 2>/dev/null || true')).toBe('');
      await expectAnswering(it.host);
      expect(await mainPid(it.host)).toBe(process);
      const expected = Object.values(tables).flatMap((rows) =>
        rows.flatMap(([, , , , reason]) => (reason === undefined ? [] : [here(reason)])),
      );
      await until('the journal is written', async () =>
        (await refusals(it)).length < expected.length ? undefined : true,
      ).catch(() => undefined);
      expect(await refusals(it)).toEqual(expected);
      const journal = await it.journal();
      expect(suspicious(journal)).toEqual([]);
      for (const secret of it.planted) expect(journal.includes(secret), secret).toBe(false);
      if (isLocked) return;
      // The recorder records, and the service is there for those who may.
      const { access_token: token } = await it.tokens('of somebody else');
      expect((await it.answer(ask('POST /mcp', [isJson, bearer(token)], '{}'))).status).toBe(200);
      expect(await it.host.must('cat /run/seen')).toMatch(/^\(connection\)\nPOST \/mcp /u);
    });
  });
}
