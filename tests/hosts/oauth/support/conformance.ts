/** The official conformance suite on a host, and what it found, scenario by scenario. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { testNode } from '../../support/form.ts';
import { until, type Host } from '../../support/host.ts';
import { programs } from './mcp-server.ts';
import { authority, mcpUrl } from './site.ts';

interface Check {
  readonly id: string;
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';
  readonly errorMessage?: string;
  readonly [more: string]: unknown;
}

/** By the scenario's name, in the order in which they were run. */
export type Results = ReadonlyMap<string, readonly Check[]>;

/** The suite, while it runs. */
export interface Running {
  readonly printed: string;
  readonly hasEnded: boolean;
}

const trusting = { NODE_EXTRA_CA_CERTS: authority };

/** Each scenario has a directory of its name and the time when it was begun. */
function resultsIn(directory: string): Results {
  const found = readdirSync(directory).map((name) => {
    const [, scenario, begun] =
      /^(?:server|authorization-server)-(.*)-(\d{4}-\d\d-\d\dT.*)$/u.exec(name) ?? [];
    if (scenario === undefined || begun === undefined) throw new Error(`no result of the suite: ${name}`);
    const file = path.join(directory, name, 'checks.json');
    // A scenario that throws leaves nothing in its directory.
    const thrown: readonly Check[] = [
      { id: scenario, status: 'FAILURE', errorMessage: 'it did not come to its end' },
    ];
    const checks = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Check[]) : thrown;
    return { begun, scenario, checks };
  });
  found.sort((one, other) => (one.begun < other.begun ? -1 : 1));
  return new Map(found.map(({ scenario, checks }) => [scenario, checks]));
}

/**
 * Runs the suite with these arguments. What it finds wrong is in the results.
 *
 * @param meanwhile what a person does while it runs
 */
export async function conformance(
  host: Host,
  args: readonly string[],
  meanwhile: (running: () => Running) => Promise<unknown> = () => Promise.resolve(),
): Promise<Results> {
  const directory = await host.must('mktemp -d /root/conformance.XXXXXX');
  const command = ['timeout', '240', testNode, `${programs}/conformance.mjs`, ...args, '-o', directory];
  const child = host.spawn(command, { env: trusting });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const closed = new Promise((resolve) => child.on('close', resolve));
  try {
    await meanwhile(() => ({ printed, hasEnded: child.exitCode !== null }));
    await closed;
    return resultsIn(path.join(host.tree, directory));
  } catch (error) {
    child.kill();
    throw new Error(`the suite:\n${printed}`, { cause: error });
  }
}

/** A person's part in the suite: opens the authorization URL, if it comes to print one, and presses Allow. */
export async function pressAllow(host: Host, running: () => Running): Promise<void> {
  const address = await until('an authorization URL', () => {
    const { printed, hasEnded } = running();
    return /^(https:\S+)\n/mu.exec(printed)?.[1] ?? (hasEnded ? '' : undefined);
  });
  if (address === '') return;
  const { exitCode, output } = await host.run([testNode, `${programs}/press-allow.mjs`, address], {
    env: trusting,
  });
  if (exitCode !== 0) throw new Error(output);
}

/** A line for each scenario: its name, and how many checks came out how. */
export const summary = (results: Results): readonly string[] =>
  [...results].map(([scenario, checks]) => {
    const counts = new Map<string, number>();
    for (const { status } of checks) counts.set(status, (counts.get(status) ?? 0) + 1);
    return `${scenario}: ${[...counts].map(([status, count]) => `${count} ${status}`).join(', ')}`;
  });

/** Where the MCP server is, and where it is with the service in between and an access token added. */
export const direct = 'http://127.0.0.1:8000/mcp';
export const throughService = 'http://127.0.0.1:8090/mcp';

async function start(host: Host, name: string, args: readonly string[], url: string): Promise<void> {
  const unit = `test-${name}`;
  await host.sh(`systemctl -q stop ${unit}`);
  const environment = Object.entries(trusting).map(([key, value]) => `--setenv=${key}=${value}`);
  const command = [testNode, `${programs}/${name}.mjs`, ...args];
  const started = await host.run([
    ...['systemd-run', '--quiet', '--collect', `--unit=${unit}`, ...environment],
    ...command,
  ]);
  if (started.exitCode !== 0) throw new Error(`${name}: ${started.output}`);
  await until(`${name} answers`, async () =>
    (await host.run(['curl', '-s', '-o', '/dev/null', url])).exitCode === 0 ? true : undefined,
  );
}

/** Starts the MCP server with everything that the suite asks for; one that runs is replaced by a fresh one. */
export const startEverythingServer = (host: Host): Promise<void> =>
  start(host, 'everything-server', [new URL(direct).port], direct);

/** Starts what adds the token, since the suite cannot send one. */
export const startBearer = (host: Host, token: string): Promise<void> =>
  start(host, 'bearer', [new URL(throughService).port, token, mcpUrl], throughService);

/** What differs from one run to the next even where nothing is in between: times, and what is made of them. */
const everNew = new Set([
  'timestamp',
  'date',
  'requestState',
  'subscriptionId',
  'io.modelcontextprotocol/subscriptionId',
]);

/** Where, what it is directly, and what it is through the service. */
export type Difference = readonly [where: string, one: unknown, other: unknown];

/** Without the address that the suite was given, and without the order in which requests at the same time came in. */
function anywhere(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const hosts = [direct, throughService].map((url) => new URL(url).host);
  return hosts
    .reduce((words, host) => words.replaceAll(host, 'HOST'), value)
    .replaceAll(/\bevent-\d+\b/gu, 'EVENT');
}

function compare(where: string, one: unknown, other: unknown): readonly Difference[] {
  const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
    typeof value === 'object' && value !== null;
  if (isObject(one) && isObject(other))
    return [...new Set([...Object.keys(one), ...Object.keys(other)])]
      .filter((name) => !(everNew.has(name) && typeof one[name] === typeof other[name]))
      .flatMap((name) => compare(`${where}.${name}`, one[name], other[name]));
  return Object.is(anywhere(one), anywhere(other)) ? [] : [[where, one, other]];
}

/** Everything in which two runs of the suite differ: scenarios, checks, their results, their details. */
export const differences = (one: Results, other: Results): readonly Difference[] => [
  ...compare('scenarios', [...one.keys()], [...other.keys()]),
  ...[...one].flatMap(([scenario, checks]) => compare(scenario, checks, other.get(scenario))),
];
