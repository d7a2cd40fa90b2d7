/**
 * The fault campaign: strikes the installer at every place of every scenario, and looks whether the host survives.
 *
 * `npm run faults [-- OPTIONS]`; `--help` tells them. Exit 1 where a fault did not happen or a host did not survive it.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { inspect, parseArgs } from 'node:util';
import { classes } from './classes.ts';
import type { Campaign, FaultClass, Injection, Verdict } from './fault-class.ts';
import { prepare, type Prepared } from './prepared.ts';
import { scenarios } from './scenarios.ts';

const help = `npm run faults [-- OPTIONS]

  --quick            a sample of all classes
  --class ID         only this class; repeatable
  --only PREFIX      only injections whose id begins so; repeatable
  --list             name the injections and make none
  --report FILE      every injection and how it ended, as JSON
  --summary FILE     the table as JSON
  --help             this
`;

interface Made extends Verdict {
  readonly id: string;
  readonly seconds: number;
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

function hasProgram(name: string): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v -- "$1"', 'sh', name], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Programs that are named otherwise than the package that brings them. */
const packageOf: Readonly<Record<string, string>> = { 'mkfs.ext4': 'e2fsprogs' };

function installMissing(needed: readonly string[]): void {
  const missing = needed.filter((name) => !hasProgram(name));
  if (missing.length === 0) return;
  say(`installs ${missing.join(', ')}`);
  const apt = (...args: readonly string[]): void =>
    void execFileSync('apt-get', ['-qq', ...args], { stdio: 'inherit' });
  apt('update');
  apt('install', '--yes', '--no-install-recommends', ...missing.map((name) => packageOf[name] ?? name));
}

/** Does it for all of them, some at once, in their order. */
async function each<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const waiting = all.values();
  const worker = async (): Promise<void> => {
    for (const one of waiting) await work(one);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

/** What fails to be made says nothing of the host, and must not end the campaign. */
async function verdictOf(injection: Injection): Promise<Verdict> {
  try {
    return await injection.make();
  } catch (error) {
    return { fired: false, problems: [`it could not be made: ${inspect(error)}`] };
  }
}

async function makeAll(
  injections: readonly Injection[],
  onMade: (made: Made) => void,
): Promise<readonly Made[]> {
  const made: Made[] = [];
  await each(injections, async (injection) => {
    const start = performance.now();
    const verdict = await verdictOf(injection);
    const done = { id: injection.id, ...verdict, seconds: (performance.now() - start) / 1000 };
    made.push(done);
    onMade(done);
  });
  return made;
}

const survived = ({ fired, problems }: Verdict): boolean => fired && problems.length === 0;

const summed = (chosen: readonly FaultClass[], made: readonly Made[]): Campaign['classes'] =>
  chosen.map(({ id, title }) => {
    const own = made.filter((one) => one.id.startsWith(`${id}/`));
    const fired = own.filter((one) => one.fired).length;
    return { id, title, made: own.length, fired, survived: own.filter(survived).length };
  });

function tableOf(classes: Campaign['classes']): readonly string[] {
  const rows = classes.map((each) => [
    `${each.id}  ${each.title}`,
    ...[each.made, each.fired, each.survived].map(String),
  ]);
  return [['class', 'made', 'fired', 'survived'], ...rows].map(([name = '', ...cells]) =>
    [name.padEnd(60), ...cells.map((cell) => cell.padStart(9))].join(''),
  );
}

async function campaign(): Promise<number> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      class: { type: 'string', multiple: true },
      only: { type: 'string', multiple: true },
      list: { type: 'boolean', default: false },
      report: { type: 'string' },
      summary: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    say(help);
    return 0;
  }
  const begun = performance.now();
  const only = values.only ?? [''];
  const chosen = classes.filter(
    ({ id }) =>
      (values.class?.includes(id) ?? true) &&
      only.some((prefix) => `${id}/`.startsWith(prefix) || prefix.startsWith(`${id}/`)),
  );
  installMissing([...new Set(chosen.flatMap(({ needs }) => needs))]);
  const work = mkdtempSync('/dev/shm/mcp-installer-faults-');
  process.once('exit', () => rmSync(work, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

  const ready = new Map<string, Prepared>();
  const concerned = (name: string): boolean =>
    chosen.some(
      ({ id, scenarios: own }) =>
        own.includes(name) &&
        only.some((prefix) => `${id}/${name}/`.startsWith(prefix) || prefix.startsWith(`${id}/${name}/`)),
    );
  await each(
    scenarios.filter(({ name }) => concerned(name)),
    async (scenario) => void ready.set(scenario.name, await prepare(scenario, work)),
  );
  const injections: Injection[] = [];
  for (const one of chosen) {
    const own = one.scenarios.flatMap((name) => ready.get(name) ?? []);
    injections.push(...(await one.injections(own)));
  }
  const wanted = injections.filter(
    ({ id, quick }) => (!values.quick || quick) && only.some((prefix) => id.startsWith(prefix)),
  );
  if (values.list) {
    for (const { id } of wanted) say(id);
    return 0;
  }
  say(`${wanted.length} injections`);
  const made = await makeAll(wanted, (one) => {
    if (survived(one)) return;
    say(`FAILED ${one.id}`);
    for (const problem of one.problems.length > 0 ? one.problems : ['it did not happen'])
      say(`    ${problem}`);
  });
  const seconds = (performance.now() - begun) / 1000;
  const passed = made.filter(survived).length;
  say('');
  const sums = summed(chosen, made);
  for (const line of tableOf(sums)) say(line);
  say(`\n${passed} of ${made.length} survived, ${seconds.toFixed(0)} s`);
  if (values.report !== undefined) {
    const report = { seconds, passed, failed: made.length - passed, injections: made };
    writeFileSync(values.report, `${JSON.stringify(report, null, 2)}\n`);
  }
  if (values.summary !== undefined) {
    const summary: Campaign = { cores: availableParallelism(), seconds: Math.round(seconds), classes: sums };
    writeFileSync(values.summary, `${JSON.stringify(summary, null, 2)}\n`);
  }
  return made.length > 0 && passed === made.length ? 0 : 1;
}

// A hostile one: what is made with the wrong mode shows.
process.umask(0);
process.exitCode = await campaign();
