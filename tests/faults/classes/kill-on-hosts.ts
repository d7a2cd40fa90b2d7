/**
 * A sample of class 1 on hosts that run: killed at moments spread over the whole run, some of them between what it does to
 * files, to units and to nginx. What a host below a root cannot show is looked at here: the service runs with the secrets
 * of the file, and answers (V2, V7), and the run that has nothing to do does not restart it (V8).
 *
 * V3, that every consumer of the secrets agrees, has nothing more to compare: no second file holds them, which V9 looks for.
 */
import { createHost, type Host } from '../../hosts/support/host.ts';
import { secretNames, secretsInFile, type Secrets } from '../../hosts/support/secrets.ts';
import { files, hostTree } from '../../support/host-tree.ts';
import type { FaultClass, Injection, Verdict } from '../fault-class.ts';
import { newestRun } from '../journals.ts';
import { resultIn } from '../judge.ts';
import { tracedOnHost } from '../on-hosts.ts';
import { changes, pointsOf, struckAt, type Point } from '../points.ts';
import { serves, usualPorts } from '../serves.ts';

interface HostScenario {
  readonly name: string;
  /** Before it is struck; afterwards the host has what its command needs. */
  prepare(host: Host): Promise<void>;
  command(host: Host): readonly string[];
  /** What is typed afterwards, where that is something else. */
  readonly next?: readonly string[];
  readonly rotates?: boolean;
  /** Takes the service away: whether it serves is asked once it has been installed again. */
  readonly removes?: boolean;
  readonly ports?: readonly number[];
}

async function install(host: Host, args: readonly string[] = []): Promise<void> {
  const { exitCode, output } = await host.installer(args);
  if (exitCode !== 0) throw new Error(`install ${args.join(' ')}: exit ${exitCode}\n${output}`);
}

const moved = ['--port', '9000'];
const own = '/root/mine.py';

const scenarios: readonly HostScenario[] = [
  { name: 'fresh', prepare: () => Promise.resolve(), command: () => [] },
  {
    name: 'repair',
    prepare: async (host) => {
      await install(host);
      await host.must(`rm ${files.service} ${files.siteLink} && chmod 644 ${files.env}`);
    },
    command: () => [],
  },
  { name: 'move', prepare: install, command: () => moved, ports: [9000, 9001] },
  {
    name: 'upgrade',
    prepare: async (host) => {
      await install(host);
      await host.write(own, `${host.read(files.code)}# a version of mine\n`);
    },
    command: () => ['--source', own],
  },
  {
    name: 'rotate-all',
    prepare: install,
    command: () => ['--force-rotate-tokens', '--yes'],
    next: [],
    rotates: true,
  },
  {
    name: 'rollback',
    prepare: async (host) => {
      await install(host);
      await install(host, moved);
    },
    command: (host) => ['rollback', newestRun(hostTree(host.tree))!, '--yes'],
  },
  { name: 'uninstall', prepare: install, command: () => ['uninstall', '--yes'], removes: true },
];

/** Calls that every run makes at the same number: those of others depend on how often the event loop is woken. */
const isSteady = ({ call, path }: Point): boolean =>
  !['write', 'openat'].includes(call) && !/^\/(?:proc|dev|sys)\//u.test(path);

/** Struck in each scenario: at so many points, evenly spread. */
const sample = 12;

async function prepared(scenario: HostScenario): Promise<Host> {
  const host = await createHost({ suite: 'bookworm', name: 'fault' });
  await scenario.prepare(host);
  return host;
}

async function pointsOn(scenario: HostScenario): Promise<readonly Point[]> {
  await using host = await prepared(scenario);
  const { exitCode, output, text } = await tracedOnHost(host, scenario.command(host), null);
  if (exitCode !== 0) throw new Error(`${scenario.name}: exit ${exitCode}\n${output}`);
  return pointsOf([{ trace: text, root: '' }]).filter((point) => changes(point) && isSteady(point));
}

/** Since when the service runs, in microseconds since the host booted. */
const servesSince = (host: Host): Promise<string> =>
  host.must('systemctl show --property=ActiveEnterTimestampMonotonic --value mcp-oauth-proxy.service');

function secretProblems(scenario: HostScenario, before: Secrets | null, after: Secrets): readonly string[] {
  if (before === null) return [];
  const changed = secretNames.filter((name) => before[name] !== after[name]);
  const allowed =
    changed.length === 0 || (scenario.rotates === true && changed.length === secretNames.length);
  return allowed ? [] : [`V1: changed: ${changed.join(', ')}`];
}

async function strike(scenario: HostScenario, point: Point): Promise<Verdict> {
  await using host = await prepared(scenario);
  const before = scenario.name === 'fresh' ? null : secretsInFile(host);
  const command = scenario.command(host);
  const ended = await tracedOnHost(host, command, `${point.call}:signal=KILL:when=${point.whens[0]}`);
  if (struckAt(ended.text, '', point).struck?.point !== point.name) return { fired: false, problems: [] };
  const problems: string[] = [];
  const next = scenario.next ?? command;
  const type = async (args: readonly string[], changed: boolean | undefined): Promise<void> => {
    const { exitCode, stdout, output } = await host.installer([...args, '--json']);
    const told = output.trim().split('\n').at(-1);
    if (exitCode !== 0) problems.push(`V8: ${args.join(' ')}: exit ${exitCode}: ${told}`);
    else if (changed !== undefined && resultIn(stdout)?.changed !== changed)
      problems.push(`V8: once more: ${told}`);
  };
  await type(next, undefined);
  if (scenario.removes === true) {
    await type(next, false);
    await type([], true);
  }
  problems.push(...(await serves(host, scenario.ports ?? usualPorts)));
  const since = await servesSince(host);
  await type(scenario.removes === true ? [] : next, false);
  if ((await servesSince(host)) !== since) problems.push('V8: once more: it restarted the service');
  return { fired: true, problems: [...problems, ...secretProblems(scenario, before, secretsInFile(host))] };
}

function injectionsOf(scenario: HostScenario): readonly Injection[] {
  let points: Promise<readonly Point[]> | null = null;
  return Array.from({ length: sample }, (_, index) => ({
    id: `1c/${scenario.name}/KILL/${index + 1}-of-${sample}`,
    quick: scenario.name === 'move' && index === 6,
    make: async () => {
      const all = await (points ??= pointsOn(scenario));
      return strike(scenario, all[Math.floor(((index + 0.5) * all.length) / sample)]!);
    },
  }));
}

export const killOnHosts: FaultClass = {
  id: '1c',
  title: 'kill -9 on hosts that run, at moments of the whole run',
  needs: ['strace'],
  scenarios: [],
  injections: () => Promise.resolve(scenarios.flatMap(injectionsOf)),
};
