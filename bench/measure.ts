/** Commands that take turns on a host, and what is told of them: machines are noisy, so what counts are the ratios. */
import type { Host } from '../tests/hosts/support/host.ts';
import { checkout } from '../tests/hosts/support/form.ts';

export interface Timed {
  readonly name: string;
  readonly argv: readonly string[];
  /** Run before each time, and not counted. */
  readonly before?: readonly string[];
  /** Not counted: from the first line of output that contains this … */
  readonly from?: string;
  /** … to the next one that contains this, or to the end. */
  readonly to?: string;
}

export interface Cost {
  /** Wall time in milliseconds. */
  readonly ms: readonly number[];
  /** The most memory of one process, in MiB. */
  readonly mib: readonly number[];
}

/** Runs the commands in turn, once to warm the caches and then `rounds` times. */
export async function measure(
  host: Host,
  rounds: number,
  commands: readonly Timed[],
): Promise<ReadonlyMap<string, Cost>> {
  const script = `${checkout}/bench/timed.py`;
  const result = await host.run(['python3', script], { input: JSON.stringify({ rounds, commands }) });
  if (result.exitCode !== 0) throw new Error(result.stderr);
  const runs = result.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly name: string; readonly ms: number; readonly kib: number });
  return new Map(
    commands.map(({ name }) => {
      const own = runs.filter((run) => run.name === name);
      return [name, { ms: own.map(({ ms }) => ms), mib: own.map(({ kib }) => kib / 1024) }];
    }),
  );
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

/** Of a ratio's two sides, median and spread: `123 (117–160)`. */
export function summary(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const text = (value = NaN): string => value.toFixed(value < 10 ? 1 : 0);
  return `${text(median(values))} (${text(sorted[0])}–${text(sorted.at(-1))})`;
}

export const row = (...cells: readonly string[]): void => {
  process.stdout.write(`| ${cells.join(' | ')} |\n`);
};

/** One line of the table: what, against what, both with their spread, the ratio, and whether the aim was reached. */
export function compare(
  what: string,
  against: string,
  values: readonly [readonly number[], readonly number[]],
  aim: number,
): void {
  const ratio = median(values[0]) / median(values[1]);
  const digits = aim < 0.1 ? 3 : 2;
  const verdict = ratio <= aim ? 'reached' : 'missed';
  row(what, against, ...values.map(summary), ratio.toFixed(digits), `≤ ${aim.toFixed(digits)}: ${verdict}`);
}
