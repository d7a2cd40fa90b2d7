/** A scenario made ready: its host to copy from, the places where its command can be struck, and where it may end. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { hostTree, type HostTree } from '../support/host-tree.ts';
import { run } from '../support/installer.ts';
import { traced, type Traced, type TraceOptions } from '../support/trace.ts';
import { journalBytes, type JournalBytes } from './journals.ts';
import { lookAtHost, secretsOf, type Look, type Secrets } from './looks.ts';
import { changesByOthers, pointsOf, type OneTrace, type Point } from './points.ts';
import type { Scenario } from './scenarios.ts';

/** A copy of a prepared host, removed afterwards. */
export type Copy = HostTree & Disposable;

export interface Prepared {
  readonly scenario: Scenario;
  /** Where the campaign makes its hosts. */
  readonly work: string;
  /** Ids of the runs that made the host. */
  readonly runs: readonly string[];
  readonly look: Look;
  readonly secrets: Secrets;
  readonly journals: JournalBytes;
  /** After the command, undisturbed. */
  readonly undisturbed: Look;
  /** What the next command may lead to: from the host as it was, and from what the undisturbed command made of it. */
  readonly ends: readonly Look[];
  /** Every call of the command that opens or changes something below its root. */
  readonly points: readonly Point[];
  /** @param into a directory that does not exist; a place of the campaign's own where it is left out */
  copy(into?: string): Copy;
  /** The scenario's command on a copy of the host. */
  disturb(host: HostTree, options: TraceOptions): Promise<Traced>;
}

/** Runs whose calls are counted. */
const countingRuns = 3;

let copies = 0;

function mustBeDone(what: string, { exitCode, output }: { exitCode: number; output: string }): void {
  if (exitCode !== 0) throw new Error(`${what} ended with ${exitCode}:\n${output}`);
}

/**
 * @param work where hosts are made; nobody else's
 * @throws Error where the command does not succeed undisturbed: then no fault of it can be told from that
 */
export async function prepare(scenario: Scenario, work: string): Promise<Prepared> {
  const origin = hostTree(path.join(work, scenario.name));
  mkdirSync(origin.path, { recursive: true, mode: 0o755 });
  const step = async (args: readonly string[]): Promise<void> =>
    mustBeDone(`${scenario.name}: ${args.join(' ')}`, await run([...args, '--root', origin.path]));
  await scenario.prepare(origin, step);
  const runs = secretsOf(origin) === null ? [] : origin.runs();

  const copy = (into?: string): Copy => {
    copies += 1;
    const to = into ?? path.join(work, `copy-${copies}`);
    execFileSync('cp', ['-a', origin.path, to]);
    return { ...hostTree(to), [Symbol.dispose]: () => rmSync(to, { recursive: true, force: true }) };
  };
  // As a program would: so that the one reason of a failure can be read.
  const disturb = (host: HostTree, options: TraceOptions): Promise<Traced> =>
    traced([...scenario.command(host, runs), '--json', '--root', host.path], {
      follow: 'main',
      dataLength: 0,
      ...options,
    });
  const next = async (host: HostTree): Promise<Look> => {
    const args = [...scenario.next(host, runs), '--root', host.path];
    mustBeDone(`${scenario.name}: ${args.join(' ')}`, await run(args));
    return lookAtHost(host);
  };

  using once = copy();
  const whole = await disturb(once, {});
  mustBeDone(`${scenario.name}: its command`, { ...whole, output: `${whole.stdout}${whole.stderr}` });
  const undisturbed = lookAtHost(once);
  const traces: [OneTrace, ...OneTrace[]] = [{ trace: whole.text, root: once.path }];
  while (traces.length < countingRuns) {
    using counted = copy();
    traces.push({ trace: (await disturb(counted, {})).text, root: counted.path });
  }
  using followed = copy();
  const others = changesByOthers((await disturb(followed, { follow: 'all' })).text, followed.path);
  if (others.length > 0) throw new Error(`changes that no fault can strike: ${others.join(', ')}`);
  using untouched = copy();
  return {
    scenario,
    work,
    runs,
    look: lookAtHost(origin),
    secrets: secretsOf(origin),
    journals: journalBytes(origin),
    undisturbed,
    ends: [await next(untouched), await next(once)],
    points: pointsOf(traces),
    copy,
    disturb,
  };
}
