/**
 * The power goes before each call that changes something, and once the run has ended. Killing at the same moment shows the
 * same calls, but not what was never synced: here that is lost.
 */
import { existsSync } from 'node:fs';
import type { FaultClass, Verdict } from '../fault-class.ts';
import { cuts, onDisk, type Cut } from '../disk.ts';
import { judge } from '../judge.ts';
import { differences, lookAtHost } from '../looks.ts';
import { changes, type Point } from '../points.ts';
import type { Prepared } from '../prepared.ts';
import { atEach, strike } from '../strike.ts';

const sample = 71;

async function cutAt(prepared: Prepared, point: Point, how: Cut): Promise<Verdict> {
  const made = await strike(prepared, point, 'signal=KILL', () => onDisk(prepared, prepared.work));
  if (made === null) return { fired: false, problems: [] };
  using host = made.host;
  await host.cut(how);
  return { fired: true, problems: await judge(prepared, host, made.ended) };
}

/** A run that has said that it is done: all of it is there. */
async function cutAtEnd(prepared: Prepared, how: Cut): Promise<Verdict> {
  using host = onDisk(prepared, prepared.work);
  const ended = await prepared.disturb(host, {});
  await host.cut(how);
  const lost = differences(prepared.undisturbed, lookAtHost(host)).map(
    (each) => `V1: reported as done: ${each}`,
  );
  return { fired: ended.exitCode === 0, problems: [...lost, ...(await judge(prepared, host, ended))] };
}

/** What nobody has synced is lost, and what somebody has is not: else no cut would show anything. */
async function mustLose(prepared: Prepared, how: Cut): Promise<void> {
  using host = onDisk(prepared, prepared.work);
  host.write('/unsynced', 'x'.repeat(10_000));
  await host.cut(how);
  if (existsSync(host.at('/unsynced')) && host.read('/unsynced') !== '')
    throw new Error(`${how}: a file that was never synced has survived the cut`);
  if (differences(prepared.look, lookAtHost(host)).length > (existsSync(host.at('/unsynced')) ? 1 : 0))
    throw new Error(`${how}: what was synced has not survived the cut`);
}

const hows = Object.keys(cuts) as Cut[];

export const power: FaultClass = {
  id: '2',
  title: 'power cut before each change, and at the end',
  needs: ['strace', 'python3', 'mkfs.ext4'],
  scenarios: ['fresh', 'upgrade', 'rotate-all', 'rollback', 'uninstall', 'purge'],
  injections: async (prepared) => {
    for (const how of hows) for (const one of prepared.slice(0, 1)) await mustLose(one, how);
    return prepared.flatMap((each) =>
      hows.flatMap((how, nth) => [
        ...atEach(
          each.points.filter(changes),
          `2/${each.scenario.name}/${how}`,
          ({ name }, index) =>
            index % sample === sample - 1 - nth || (nth === 1 && /^rename:.*\.env#/u.test(name)),
          (point) => cutAt(each, point, how),
        ),
        {
          id: `2/${each.scenario.name}/${how}/END`,
          quick: nth === 1 && each.scenario.name === 'rotate-all',
          make: () => cutAtEnd(each, how),
        },
      ]),
    );
  },
};
