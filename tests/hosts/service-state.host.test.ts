/** The service's state: a full disk, a damaged file, a file of another version, two requests at once. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { suites } from './support/base.ts';
import { until } from './support/host.ts';
import { errorOf } from './support/abuse.ts';
import { ageRefreshTokens, localOrigin, signAccessToken, type Tokens } from './support/oauth.ts';
import { expectAnswering, mainPid } from './support/observe.ts';
import { ask, bearer, isJson } from './support/ask.ts';
import { Target } from './support/target.ts';
import type { Answer } from './support/wire.ts';

const directory = '/var/lib/private/mcp-oauth-proxy';
const service = 'mcp-oauth-proxy.service';
/** As often as a test likes: systemd allows five starts a minute. */
const start = `systemctl reset-failed ${service}; systemctl restart ${service}`;

const version = (number: number): string =>
  `python3 -c 'import sqlite3; sqlite3.connect("${directory}/state.db").execute("PRAGMA user_version=${number}")'`;

const told = (answer: Answer): readonly [number, string] => [answer.status, errorOf(answer)];
const unavailable = [503, 'temporarily_unavailable'];

describe.each(suites)('%s', (suite) => {
  let it: Target;
  beforeAll(async () => {
    it = await Target.on(suite, 'state');
  });
  afterAll(() => it[Symbol.asyncDispose]());

  const mcp = async (token: string): Promise<number> =>
    (await it.answer(ask('POST /mcp', [isJson, bearer(token)], '{}'))).status;

  const refreshed = async (token: string): Promise<Tokens> => {
    const answer = await it.answer(it.refresh(token));
    expect(answer.status, answer.body).toBe(200);
    return JSON.parse(answer.body) as Tokens;
  };

  test('two requests at once with one refresh token both get one; long afterwards the connection has one future', async () => {
    const { refresh_token: token } = await it.tokens('twins');
    const [left, right] = await Promise.all([refreshed(token), refreshed(token)]);
    await ageRefreshTokens(it.host, 31);
    await refreshed(left.refresh_token);
    expect(await mcp(right.access_token)).toBe(200);
    expect(told(await it.answer(it.refresh(right.refresh_token)))).toEqual([400, 'invalid_grant']);
    expect(await mcp(left.access_token)).toBe(401);
  });

  test('refreshes that overtake each other end nothing, for half a minute', async () => {
    const { refresh_token: token } = await it.tokens('overtaken');
    const left = await refreshed(token);
    const right = await refreshed(token);
    const newest = await refreshed(left.refresh_token);
    // One that was sent before, and the one that the client got last.
    await refreshed(token);
    await refreshed(right.refresh_token);
    await ageRefreshTokens(it.host, 31);
    await refreshed(newest.refresh_token);
    expect(told(await it.answer(it.refresh(token)))).toEqual([400, 'invalid_grant']);
    expect(await mcp(newest.access_token)).toBe(401);
  });

  test('two requests at once with one code get one connection at most, and it has ended', async () => {
    const code = await it.code('twice');
    const answers = await Promise.all([0, 1].map(() => it.answer(it.token({ ...code }))));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400]);
    const { access_token: token } = JSON.parse(answers.find(({ status }) => status === 200)?.body ?? '') as {
      access_token: string;
    };
    expect(await mcp(token)).toBe(401);
  });

  test('a full disk is told as such, and uses nothing up', async () => {
    const before = await it.tokens('before');
    await it.host.must(
      `systemctl stop ${service} && cp -a ${directory} /root/state && mount -t tmpfs -o size=256k,mode=0700 none ${directory} &&
       cp -a /root/state/. ${directory}/ && { ${start}; }`,
    );
    const code = await it.code('for later');
    const process = await mainPid(it.host);
    const page = await it.consent('of a browser');
    await it.host.sh(`head -c 1M /dev/zero >${directory}/full`);
    expect(told(await it.answer(it.token({ ...code })))).toEqual(unavailable);
    expect(told(await it.answer(it.refresh(before.refresh_token)))).toEqual(unavailable);
    expect(told(await it.answer(page))).toEqual(unavailable);
    expect(await mcp(before.access_token)).toBe(200);
    await expectAnswering(it.host);
    await it.host.must(`rm ${directory}/full`);
    const after = await it.exchange({ ...code });
    expect(await mcp(after.access_token)).toBe(200);
    await it.exchange({ grant_type: 'refresh_token', refresh_token: before.refresh_token });
    expect(await mainPid(it.host)).toBe(process);
    expect(await it.journal()).not.toContain('Traceback');
    await it.host.must(`systemctl stop ${service} && umount ${directory} && { ${start}; }`);
  });

  test.each([
    ['damaged', `head -c 8192 /dev/urandom | dd of=${directory}/state.db bs=1 seek=4096 conv=notrunc`],
    ['of noise', `head -c 20000 /dev/urandom >${directory}/state.db`],
    ['cut off', `truncate -s 5000 ${directory}/state.db`],
    ['of another version', version(2)],
    ['of no version, but full', version(0)],
  ])('a file that is %s is set aside, and clients can connect again', async (what, damage) => {
    const { access_token: token, refresh_token: refresh } = await it.tokens(what);
    await it.host.must(`systemctl stop ${service}; rm -f ${directory}/state.db.set-aside; ${damage}`);
    await it.host.must(start);
    expect(told(await it.answer(it.refresh(refresh)))).toEqual([400, 'invalid_grant']);
    expect(await mcp(token)).toBe(200);
    expect(await mcp((await it.tokens(`after ${what}`)).access_token)).toBe(200);
    expect(await it.host.must(`ls --ignore='*-wal' --ignore='*-shm' ${directory}`)).toBe(
      'state.db\nstate.db.set-aside',
    );
    expect((await it.journal()).match(/"state\.replaced"/gu)).not.toBeNull();
    await it.host.must(start);
    expect(await mcp((await it.tokens(`after ${what}`)).access_token)).toBe(200);
  });

  test('a file that gets damaged under the running service is set aside as well', async () => {
    const { refresh_token: refresh } = await it.tokens('running');
    await it.host.must(
      `python3 -c 'import sqlite3; sqlite3.connect("${directory}/state.db").execute("PRAGMA wal_checkpoint(TRUNCATE)")' &&
       rm -f ${directory}/state.db.set-aside && head -c 20000 /dev/urandom | dd of=${directory}/state.db conv=notrunc`,
    );
    await until('the state was replaced', async () => {
      await it.answer(it.refresh(refresh));
      return it.host.exists(`${directory}/state.db.set-aside`) ? true : undefined;
    });
    expect(await mcp((await it.tokens('after running')).access_token)).toBe(200);
  });

  test('who looks into the file keeps nobody waiting; who locks it makes tokens fail soon, and nothing else', async () => {
    const { access_token: token, refresh_token: refresh } = await it.tokens('locked');
    for (const [begin, status] of [
      ['BEGIN; SELECT * FROM refresh', 200],
      ['BEGIN EXCLUSIVE', 503],
    ] as const) {
      const words = `import sqlite3, sys
db = sqlite3.connect("${directory}/state.db", isolation_level=None)
for words in "${begin}".split(";"): db.execute(words).fetchall()
print("locked", flush=True)
sys.stdin.read()`;
      const holder = it.host.spawn(['python3', '-c', words]);
      await new Promise((resolve) => holder.stdout.once('data', resolve));
      const began = Date.now();
      expect((await it.answer(it.refresh(refresh))).status).toBe(status);
      expect(await mcp(token)).toBe(200);
      expect(Date.now() - began).toBeLessThan(2_000);
      const closed = new Promise((resolve) => holder.once('close', resolve));
      holder.stdin.end();
      await closed;
    }
  });

  test('a connection that is over stays so after a restart', async () => {
    const { access_token: token } = await it.tokens('over');
    await it.answer(it.token({ ...(await it.code('over')) }));
    await it.host.must(start);
    expect(await mcp(token)).toBe(401);
    expect(await mcp(signAccessToken(it.host, { origin: localOrigin }))).toBe(200);
  });
});
