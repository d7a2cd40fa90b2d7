/** Streams through the bundled service: many, dropped, unread, and open while it is stopped. */
import { describe, expect, test } from 'vitest';
import { suites } from './support/base.ts';
import { createHost, until, type Host } from './support/host.ts';
import {
  ageRefreshTokens,
  connect,
  curl,
  requestToken,
  signAccessToken,
  type Tokens,
} from './support/oauth.ts';
import { expectExit } from './support/observe.ts';

/** GET: a stream that says hello and stays open; `silent` never answers, `flood` never ends; POST answers at once. */
const backend = `import asyncio
STREAM = b"HTTP/1.1 200 OK\\r\\ncontent-type: text/event-stream\\r\\nconnection: close\\r\\n\\r\\n"
async def serve(reader, writer):
    head = await reader.readuntil(b"\\r\\n\\r\\n")
    try:
        if b"silent" in head:
            await reader.read(65536)
            await reader.read()
        elif b"flood" in head:
            writer.write(STREAM)
            while True:
                writer.write(b"data: " + 65536 * b"x" + b"\\n\\n")
                await writer.drain()
        elif b"split" in head:
            writer.write(STREAM.replace(b"connection: close", b"transfer-encoding: chunked") + b"b\\r\\ndata: your \\r\\n")
            await writer.drain()
            await asyncio.sleep(0.1)
            writer.write(b"5\\r\\nid: x\\r\\n")
        elif head.startswith(b"GET"):
            writer.write(STREAM + b"data: hello\\n\\n")
            await reader.read()
        else:
            length = [line.split(b":")[1] for line in head.lower().split(b"\\r\\n") if line.startswith(b"content-length:")]
            await reader.readexactly(int(length[0]))
            status = b"500 A cookie" if b"\\r\\ncookie:" in head.lower() else b"200 OK"
            writer.write(b"HTTP/1.1 " + status + b"\\r\\nset-cookie: of=one; Path=/\\r\\ncontent-length: 2\\r\\nconnection: close\\r\\n\\r\\n{}")
    except ConnectionError:
        pass
    writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 8000)
    await server.serve_forever()
asyncio.run(main())
`;

/**
 * `client.py COUNT PORT SESSION METHOD EXPECT SIZE`: opens COUNT requests with a body of SIZE bytes, reads until each has
 * shown EXPECT (nothing for `-`), prints `open`, and drops all of them when its input ends.
 */
const client = `import socket, sys
count, port, session, method, expected, size = sys.argv[1:]
bearer = open("/run/bearer").read().strip()
sockets = []
for _ in range(int(count)):
    s = socket.create_connection(("127.0.0.1", int(port)))
    s.settimeout(20)
    s.sendall(f"{method} /mcp HTTP/1.1\\r\\nhost: x\\r\\nauthorization: Bearer {bearer}\\r\\nmcp-session-id: {session}\\r\\ncontent-length: {size}\\r\\n\\r\\n".encode() + b"{}".rjust(int(size)))
    sockets.append(s)
for s in sockets:
    seen = b""
    while expected != "-" and expected.encode() not in seen:
        part = s.recv(65536)
        if not part:
            sys.exit(f"closed after {seen}")
        seen += part
print("open", flush=True)
sys.stdin.read()
`;

async function prepare(host: Host): Promise<void> {
  expectExit(await host.installer([]), 0);
  await host.write('/run/backend.py', backend);
  await host.write('/run/client.py', client);
  host.spawn(['python3', '/run/backend.py']);
  await until('the backend answers', async () =>
    (await host.sh('curl -s -d {} http://127.0.0.1:8000/')).exitCode === 0 ? true : undefined,
  );
  await host.write('/run/bearer', signAccessToken(host));
}

interface Requests {
  readonly count: number;
  readonly port?: number;
  readonly session?: string;
  readonly method?: string;
  /** What each of them is waited for to show; `-`: nothing. */
  readonly expected?: string;
  /** Of the body, in bytes. */
  readonly size?: number;
}

/** Opens requests and returns what drops them all at once. */
async function open(host: Host, requests: Requests): Promise<() => Promise<void>> {
  const { count, port = 8083, session = 'stream', method = 'GET', expected = 'hello', size = 2 } = requests;
  const words = [`${count}`, `${port}`, session, method, expected, `${size}`];
  const child = host.spawn(['python3', '/run/client.py', ...words]);
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (out += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await until(
    `${count} requests are open`,
    () => {
      if (child.exitCode !== null) throw new Error(out);
      return out === 'open\n' ? true : undefined;
    },
    60_000,
  );
  return () => {
    child.stdin.end();
    return ended;
  };
}

/** Connections of the service to its backend. */
const toBackend = async (host: Host): Promise<number> =>
  Number(await host.must("ss -tnH state established 'dport = 8000' | wc -l"));

const untilToBackend = (host: Host, count: number): Promise<true> =>
  until(`${count} connections to the backend`, async () =>
    (await toBackend(host)) === count ? true : undefined,
  );

const post = (host: Host): Promise<string> =>
  host.must(
    'curl -s -m 10 -w " %{http_code}" -d {} -H "Authorization: Bearer $(cat /run/bearer)" http://127.0.0.1:8083/mcp',
  );

const journal = (host: Host): Promise<string> =>
  host.must('journalctl --no-pager -o cat -u mcp-oauth-proxy.service');

describe.each(suites)('%s', (suite) => {
  test('a client that leaves takes its connection to the backend with it, however many do', async () => {
    await using host = await createHost({ suite, name: 'dropped' });
    await prepare(host);
    for (const port of [8083, 8084, 8083]) {
      const drop = await open(host, { count: 40, port });
      expect(await toBackend(host)).toBe(40);
      await drop();
      await untilToBackend(host, 0);
    }
    // Also where the backend has not begun to answer, and where it is faster than the client.
    for (const requests of [
      { session: 'silent', method: 'POST', expected: '-' },
      { session: 'silent', expected: '-' },
      { session: 'flood', expected: 'data' },
      { size: 300_000 },
    ]) {
      const drop = await open(host, { count: 5, ...requests });
      await untilToBackend(host, 5);
      await drop();
      await untilToBackend(host, 0);
    }
    // In the middle of a request as well, which never reaches the backend.
    await host.must(
      `printf 'POST /mcp HTTP/1.1\\r\\nhost: x\\r\\nauthorization: Bearer %s\\r\\ncontent-length: 9\\r\\n\\r\\n{' "$(cat /run/bearer)" >/run/cut &&
       bash -c 'exec 3<>/dev/tcp/127.0.0.1/8083; cat /run/cut >&3'`,
    );
    await until('no client is left', async () =>
      (await host.must("ss -tnH 'sport = 8083' state established state close-wait | wc -l")) === '0'
        ? true
        : undefined,
    );
    expect(await post(host)).toBe('{} 200');
    expect(await journal(host)).not.toMatch(/Traceback|ERROR/u);
  });

  test('a stream that a client listens on ends with its connection, and with its token', async () => {
    await using host = await createHost({ suite, name: 'over' });
    await prepare(host);
    const { access_token: token, refresh_token: first } = await connect(host);
    await host.write('/run/bearer', token);
    const drop = await open(host, { count: 3, port: 8084 });
    await untilToBackend(host, 3);
    const refresh = async (refresh_token: string): Promise<Tokens> =>
      JSON.parse((await requestToken(host, { grant_type: 'refresh_token', refresh_token })).body) as Tokens;
    const second = await refresh(first);
    await ageRefreshTokens(host, 31);
    await refresh(second.refresh_token);
    expect(await toBackend(host)).toBe(3);
    await refresh(first);
    await untilToBackend(host, 0);
    await drop();

    const exp = Math.floor(Date.now() / 1000) + 3;
    await host.write('/run/bearer', signAccessToken(host, { claims: { exp } }));
    const dropOther = await open(host, { count: 3 });
    await untilToBackend(host, 0);
    expect(Date.now()).toBeGreaterThanOrEqual(exp * 1000);
    await dropOther();
  });

  test('an answer as events that breaks off ends with an error for the request, and cookies are nobody’s', async () => {
    await using host = await createHost({ suite, name: 'broken-off' });
    await prepare(host);
    const request = JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'ping' });
    const { body } = await curl(host, [
      ...['-H', `Authorization: Bearer ${signAccessToken(host)}`, '-H', 'Mcp-Session-Id: split'],
      ...['--data-binary', request, 'http://127.0.0.1:8084/mcp'],
    ]);
    const error = { code: -32000, message: 'the MCP server broke off' };
    expect(body).toBe(
      `data: your id: x\n\nevent: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', id: 7, error }).replaceAll(/([:,])(?=["\d{-])/gu, '$1 ')}\n\n`,
    );
    for (const answer of [await post(host), await post(host)]) expect(answer).toBe('{} 200');
  });

  test('open streams keep nobody else out', async () => {
    await using host = await createHost({ suite, name: 'many' });
    await prepare(host);
    const drop = await open(host, { count: 110 });
    expect(await toBackend(host)).toBe(110);
    expect(await post(host)).toBe('{} 200');
    await drop();
  });

  test('a request that is too large is refused before the backend sees it', async () => {
    await using host = await createHost({ suite, name: 'large' });
    await prepare(host);
    const large = (bytes: number, more = ''): Promise<string> =>
      host.must(
        `head -c ${bytes} /dev/zero | curl -s -o /dev/null -w '%{http_code}' ${more} --data-binary @- -H "Authorization: Bearer $(cat /run/bearer)" http://127.0.0.1:8083/mcp`,
      );
    expect(await large(4 * 1024 * 1024 + 1)).toBe('413');
    expect(await large(4 * 1024 * 1024)).toBe('200');
    const unknownLength = "-H 'Transfer-Encoding: chunked'";
    expect(await large(4 * 1024 * 1024 + 1, unknownLength)).toBe('413');
    expect(await large(4 * 1024 * 1024, unknownLength)).toBe('200');
  });

  test('a stop waits for no stream, nor for a client or backend that does nothing', async () => {
    await using host = await createHost({ suite, name: 'stop' });
    await prepare(host);
    const service = 'mcp-oauth-proxy.service';
    for (const kinds of [
      [{ count: 20 }, { count: 20, port: 8084 }],
      [
        { count: 2, session: 'silent', method: 'POST', expected: '-' },
        { count: 2, session: 'flood', expected: 'data' },
      ],
    ]) {
      const drops: (() => Promise<void>)[] = [];
      for (const requests of kinds) drops.push(await open(host, requests));
      await untilToBackend(
        host,
        kinds.reduce((sum, { count }) => sum + count, 0),
      );
      const began = Date.now();
      await host.must(`systemctl stop ${service}`);
      expect(Date.now() - began).toBeLessThan(5_000);
      expect(await host.must(`systemctl show -p Result,ActiveState ${service}`)).toBe(
        'Result=success\nActiveState=inactive',
      );
      for (const drop of drops) await drop();
      await host.must(`systemctl start ${service}`);
    }
    expect(await journal(host)).not.toMatch(/Traceback|SIGKILL/u);
  });
});
