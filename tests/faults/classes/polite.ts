/** Ends that let a run put things back: signals at a sample of its changes, and whoever reads its words going away. */
import type { FaultClass, Injection, Verdict } from '../fault-class.ts';
import { judge } from '../judge.ts';
import { changes } from '../points.ts';
import type { Prepared } from '../prepared.ts';
import { scenarios } from '../scenarios.ts';
import { atEach, struckRun } from '../strike.ts';

const signals = ['TERM', 'INT', 'HUP'] as const;
/** Each signal at one in so many changes, each at others. */
const distance = 11;
const sample = 8;
/** Too few changes to be worth a sample of their own. */
const small: readonly string[] = ['rerun', 'rotate-one', 'rollback-install'];

/** Nobody hears how it ended: then there is nothing to be told. */
async function unheard(prepared: Prepared, reader: 'gone' | 'leaves'): Promise<Verdict> {
  using host = prepared.copy();
  const ended = await prepared.disturb(host, { reader });
  return {
    // How it ended is told last: whoever has read that has not gone away from anything.
    fired: !/^\[(?:OK|ERROR)\]/mu.test(ended.stdout),
    problems: await judge(prepared, host, ended, { heard: false }),
  };
}

export const polite: FaultClass = {
  id: '1b',
  title: 'signals, and readers that go away',
  needs: ['strace'],
  scenarios: scenarios.map(({ name }) => name),
  injections: (prepared) =>
    Promise.resolve(
      prepared.flatMap((each): Injection[] => {
        const { name } = each.scenario;
        const struck = signals.flatMap((signal, turn) =>
          atEach(
            each.points.filter(changes).filter((_, index) => index % distance === turn * 3),
            `1b/${name}/${signal}`,
            (_, index) => index % sample === turn && !small.includes(name),
            (point) => struckRun(each, point, `signal=${signal}`),
          ),
        );
        const readers = (['gone', 'leaves'] as const).map((reader) => ({
          id: `1b/${name}/READER/${reader}`,
          quick: reader === 'leaves',
          make: () => unheard(each, reader),
        }));
        return [...struck, ...readers];
      }),
    ),
};
