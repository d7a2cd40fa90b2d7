/** Strikes a run at one point, and sees to it that it was that one. */
import { judge, type JudgeOptions } from './judge.ts';
import { struckAt, type Point } from './points.ts';
import type { Copy, Prepared } from './prepared.ts';
import type { Injection, Verdict } from './fault-class.ts';
import type { Traced } from '../support/trace.ts';

const attempts = 40;

/** The number seen most often; the latest of those. */
function likeliest(whens: readonly number[]): number {
  const times = (when: number): number => whens.filter((each) => each === when).length;
  return whens.toReversed().toSorted((one, other) => times(other) - times(one))[0]!;
}

/**
 * Numbers near this one, ever further off. A busy machine wakes the event loop more often than any run that was counted saw,
 * and a run that is struck too early does not come as far as the point, so that nothing tells the right number.
 */
function* near(middle: number): Generator<number, never> {
  for (let distance = 1; ; distance += 1) {
    yield middle + distance;
    if (middle > distance) yield middle - distance;
  }
}

interface Strike<T extends Copy> {
  readonly host: T;
  readonly ended: Traced;
}

/**
 * @param fault as in strace's `inject=CALL:FAULT:when=N`
 * @param copy makes the host that is struck
 * @returns null where it could not be made to happen at that point
 */
export async function strike<T extends Copy>(
  prepared: Prepared,
  point: Point,
  fault: string,
  copy: () => T,
): Promise<Strike<T> | null> {
  let whens = [...point.whens];
  const others = near(likeliest(whens));
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const when = likeliest(whens.length > 0 ? whens : [others.next().value]);
    const host = copy();
    const ended = await prepared.disturb(host, { inject: `${point.call}:${fault}:when=${when}` });
    const found = struckAt(ended.text, host.path, point);
    if (found.struck?.point === point.name) return { host, ended };
    host[Symbol.dispose]();
    // Whichever number was tried is given up once: it may be one that hardly ever fits.
    if (whens.includes(when)) whens = whens.toSpliced(whens.indexOf(when), 1);
    // Where the run came as far as the point, this is where it was.
    if (found.when !== null) whens.push(found.when);
  }
  return null;
}

/** One injection: the fault, and what has to hold afterwards. */
export async function struckRun(
  prepared: Prepared,
  point: Point,
  fault: string,
  options: JudgeOptions = {},
): Promise<Verdict> {
  const made = await strike(prepared, point, fault, () => prepared.copy());
  if (made === null) return { fired: false, problems: [] };
  using host = made.host;
  if (made.ended.hung) return { fired: true, problems: ['V12: it hangs'] };
  return { fired: true, problems: await judge(prepared, host, made.ended, options) };
}

/** One injection at each of these points, named `PREFIX/POINT`. */
export const atEach = (
  points: readonly Point[],
  prefix: string,
  quick: (point: Point, index: number) => boolean,
  make: (point: Point) => Promise<Verdict>,
): readonly Injection[] =>
  points.map((point, index) => ({
    id: `${prefix}/${point.name}`,
    quick: quick(point, index),
    make: () => make(point),
  }));
