/** Strikes a run at one point, and sees to it that it was that one. */
import { judge, type JudgeOptions } from './judge.ts';
import { struckAt, type Point } from './points.ts';
import type { Copy, Prepared } from './prepared.ts';
import type { Verdict } from './fault-class.ts';
import type { Traced } from '../support/trace.ts';

const attempts = 16;

/** The number seen most often; the latest of those. */
function likeliest(whens: readonly number[]): number {
  const times = (when: number): number => whens.filter((each) => each === when).length;
  return whens.toReversed().toSorted((one, other) => times(other) - times(one))[0]!;
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
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    // Whichever number was tried is given up for the next ones first: it may be one that hardly ever fits.
    const when = likeliest(whens);
    const host = copy();
    const ended = await prepared.disturb(host, { inject: `${point.call}:${fault}:when=${when}` });
    const found = struckAt(ended.text, host.path, point);
    if (found.struck?.point === point.name) return { host, ended };
    host[Symbol.dispose]();
    const rest = whens.toSpliced(whens.indexOf(when), 1);
    // Where the run came as far as the point, this is where it was.
    whens = [...(rest.length > 0 ? rest : point.whens), ...(found.when === null ? [] : [found.when])];
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
  return { fired: true, problems: await judge(prepared, host, made.ended, options) };
}
