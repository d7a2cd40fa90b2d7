/** The programs that run on a test's host: a backend, and clients. */
import { checkout, testNode } from './form.ts';
import { until, type Host } from './host.ts';

export const programs = `${checkout}/tests/hosts/programs`;

export async function withBackend(host: Host): Promise<void> {
  host.spawn([testNode, `${programs}/backend.mjs`]);
  await until('the backend answers', async () =>
    (await host.sh('curl -s -d {} http://127.0.0.1:8000/')).exitCode === 0 ? true : undefined,
  );
}

/** A token of an hour for {@link post}. */
export const signBearer = (host: Host): Promise<string> =>
  host.must(`${testNode} ${programs}/token.mjs >/run/bearer`);

export interface Posted {
  readonly '2xx': number;
  readonly non2xx: number;
  readonly errors: number;
  readonly requests: { readonly average: number };
  readonly latency: { readonly p99: number };
}

export interface Posts {
  readonly port: number;
  /** So many, or for so many seconds. */
  readonly amount?: number;
  readonly seconds?: number;
}

const message = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"bytes":64}}';

/** Quick requests from 16 connections, by autocannon on the host. */
export async function post(host: Host, { port, amount, seconds }: Posts): Promise<Posted> {
  const end = amount === undefined ? `-d ${seconds ?? 1}` : `-a ${amount}`;
  const text = await host.must(
    `${testNode} ${checkout}/node_modules/autocannon/autocannon.js -j -n -c 16 ${end} -m POST \
       -H "authorization=Bearer $(cat /run/bearer)" -H content-type=application/json -b '${message}' \
       http://127.0.0.1:${port}/mcp 2>/dev/null`,
  );
  return JSON.parse(text) as Posted;
}
