/**
 * What the service costs: requests through nginx and the proxy, side by side with nginx straight to the backend.
 *
 * `npm run bench:load [-- SUITE …]`. The two take turns in one run, since machines are noisy: what counts is the ratio.
 * The second nginx server is the installed one with the backend's port in it. Then the service's memory (anonymous, so
 * without page cache), and many streams at once.
 */
import { createHost, until, type Host } from '../tests/hosts/support/host.ts';
import { suites } from '../tests/hosts/support/base.ts';
import { mainPid } from '../tests/hosts/support/observe.ts';
import {
  post,
  programs,
  signBearer,
  withBackend,
  type Posted,
  type Posts,
} from '../tests/hosts/support/programs.ts';
import { median } from './measure.ts';

const checkout = '/opt/mcp-installer';
const rounds = 5;
const seconds = 4;
const streams = 200;
const eventsEach = 20;

const ways = {
  'nginx, backend': 8090,
  'nginx, proxy, backend': 8084,
  'proxy, backend': 8083,
} as const;
type Way = keyof typeof ways;

/** @throws where one request was not answered with 200 */
async function load(host: Host, posts: Posts): Promise<Posted> {
  const posted = await post(host, posts);
  if (posted.non2xx + posted.errors > 0) throw new Error(JSON.stringify(posted));
  return posted;
}

async function prepare(host: Host): Promise<void> {
  await host.must(`node ${checkout}/dist/mcp-installer.mjs`);
  const snippet = host.read('/etc/nginx/snippets/mcp-oauth-proxy.conf').replaceAll(':8083', ':8000');
  await host.write('/etc/nginx/conf.d/bench.conf', `server {\nlisten 127.0.0.1:8090;\n${snippet}}\n`);
  await host.must('systemctl reload nginx');
  await withBackend(host);
  await signBearer(host);
}

/** MiB. */
async function memory(host: Host): Promise<number> {
  const kib = await host.must(
    `sed -n 's/^RssAnon:[^0-9]*\\([0-9]*\\) kB/\\1/p' /proc/${await mainPid(host)}/status`,
  );
  return Number(kib) / 1024;
}

const row = (...cells: readonly string[]): void =>
  void process.stdout.write(
    `${cells.map((cell, at) => (at === 0 ? cell.padEnd(24) : cell.padStart(15))).join('')}\n`,
  );

async function speed(host: Host): Promise<void> {
  const measured = new Map<Way, Posted[]>();
  for (let round = 0; round <= rounds; round += 1)
    for (const way of Object.keys(ways) as Way[]) {
      const one = await load(host, { port: ways[way], seconds });
      // The first round is the warm-up.
      if (round > 0) measured.set(way, [...(measured.get(way) ?? []), one]);
    }
  const straight = measured.get('nginx, backend') ?? [];
  row('', 'requests/s', 'p99 ms', 'requests / 1st', 'p99 / 1st');
  for (const [way, all] of measured) {
    const ratio = (read: (one: Posted) => number): string =>
      median(all.map((one, at) => read(one) / read(straight[at]!))).toFixed(3);
    row(
      way,
      median(all.map((one) => one.requests.average)).toFixed(0),
      median(all.map((one) => one.latency.p99)).toFixed(1),
      ratio((one) => one.requests.average),
      ratio((one) => one.latency.p99),
    );
  }
}

async function space(host: Host): Promise<void> {
  await host.must('systemctl restart mcp-oauth-proxy.service');
  row('memory', 'MiB', '/ 1st');
  let first = NaN;
  for (const [name, amount] of [
    ['after 100 requests', 100],
    ['after 10,000 requests', 9_900],
  ] as const) {
    await load(host, { port: ways['nginx, proxy, backend'], amount });
    const now = await memory(host);
    if (Number.isNaN(first)) first = now;
    row(name, now.toFixed(1), (now / first).toFixed(2));
  }
  const child = host.spawn(['node', `${programs}/streams.mjs`, `${streams}`, `${eventsEach}`, '8084']);
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await until('all streams have had their events', () => (out === '' ? undefined : true), 120_000);
  const now = await memory(host);
  row(`with ${streams} open streams`, now.toFixed(1), (now / first).toFixed(2));
  row(`streams that lost none of ${eventsEach} events`, out.trim().split(' ')[1] ?? '', `of ${streams}`);
  child.stdin.end();
  await ended;
}

const asked = process.argv.slice(2);
for (const suite of suites.filter((name) => asked.length === 0 || asked.includes(name))) {
  await using host = await createHost({ suite, name: 'bench-load' });
  await prepare(host);
  process.stdout.write(
    `\n${suite}: median of ${rounds} rounds of ${seconds} s, 16 connections, ways in turn\n`,
  );
  await speed(host);
  await space(host);
}
