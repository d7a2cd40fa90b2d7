/** The places where a run can be struck: each call that changes something below its root, by what it does to which path. */
import { allCalls, type TracedCall } from '../support/trace.ts';

/** One such call. */
export interface Point {
  /** `rename:/etc/mcp-oauth-proxy/.env#1`: the first rename to that path; the same in every run. */
  readonly name: string;
  readonly call: string;
  /** Below the root, with what differs from run to run left out. */
  readonly path: string;
  /**
   * How many calls of that name the thread had made by then, this one included, which is what strace counts: one number for
   * each run that was looked at, since writes to pipes and wake-ups of the event loop are not the same in every run.
   */
  readonly whens: readonly number[];
}

/** A call that was struck, and where; null for one that is no {@link Point}. */
export interface Struck {
  readonly call: string;
  readonly point: string | null;
}

const syncs = ['fsync', 'fdatasync'];

/** Paths that carry an id of the run, or random digits, by one name. */
const nameless = (path: string): string =>
  path
    .replace(/\b\d{8}T\d{6}Z-[0-9a-f]{4}\b/u, 'RUN')
    .replace(/\.[0-9a-f]{16}\.mcp-installer-tmp$/u, '.TEMPORARY');

const opensOnly = ({ name, flags }: TracedCall): boolean => name === 'openat' && !flags.includes('O_CREAT');

/** Runs through a trace once, counting as strace does. */
function walk(
  calls: readonly TracedCall[],
  root: string,
  visit: (call: TracedCall, when: number, point: Point | null) => void,
): void {
  const counts = new Map<string, number>();
  const next = (key: string): number => {
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    return count;
  };
  for (const call of calls) {
    const { name } = call;
    const when = next(name);
    if (!call.path.startsWith(`${root}/`) && !(call.path === root && syncs.includes(name))) {
      visit(call, when, null);
      continue;
    }
    const path = nameless(call.path.slice(root.length) || '/');
    // An open that makes nothing cannot be half done, but it can fail.
    const what = opensOnly(call) ? 'open' : name;
    visit(call, when, {
      name: `${what}:${path}#${next(`${what}:${path}`)}`,
      call: name,
      path,
      whens: [when],
    });
  }
}

const isStruck = ({ result, signal }: TracedCall): boolean =>
  result === '?' || result.includes('(INJECTED)') || signal !== '';

/** A trace of a run of the installer below this root, without its children. */
export interface OneTrace {
  readonly trace: string;
  readonly root: string;
}

function pointsIn({ trace, root }: OneTrace): readonly Point[] {
  const points: Point[] = [];
  walk(allCalls(trace), root, (_, __, point) => point !== null && points.push(point));
  return points;
}

/** All points of a run that was traced some times. */
export function pointsOf([first, ...others]: readonly [OneTrace, ...OneTrace[]]): readonly Point[] {
  const more = others.map((each) => new Map(pointsIn(each).map((point) => [point.name, point])));
  return pointsIn(first).map((point) => ({
    ...point,
    whens: [...point.whens, ...more.flatMap((points) => points.get(point.name)?.whens ?? [])],
  }));
}

/** Does this point change something? The others only open what is there, or close it. */
export const changes = ({ name }: Point): boolean => !/^(?:open|close):/u.test(name);

/** Where a run was struck, first; and where the call of that name is in it, so that a miss can be put right. */
export function struckAt(
  trace: string,
  root: string,
  wanted: Point,
): { struck: Struck | null; when: number | null } {
  let struck: Struck | null = null;
  let when: number | null = null;
  walk(allCalls(trace), root, (call, count, point) => {
    if (isStruck(call)) struck ??= { call: call.name, point: point?.name ?? null };
    if (point?.name === wanted.name) when = count;
  });
  return { struck, when };
}

/** Changes below the root by another process or thread than the first: they could not be struck. */
export function changesByOthers(trace: string, root: string): readonly string[] {
  const calls = allCalls(trace);
  const main = calls[0]?.pid;
  return calls
    .filter((call) => call.pid !== main && call.path.startsWith(`${root}/`))
    .filter((call) => !opensOnly(call) && call.name !== 'close')
    .map(({ name, path }) => `${name}:${path}`);
}
