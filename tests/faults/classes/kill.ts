/**
 * Killed before each call that changes something. Such a signal is delivered on entry, and the call does not happen, so
 * that all of them, with the undisturbed end, are every state that a kill can leave.
 */
import type { FaultClass } from '../fault-class.ts';
import { changes } from '../points.ts';
import { scenarios } from '../scenarios.ts';
import { atEach, struckRun } from '../strike.ts';

/** One in so many belongs to the sample: a prime, so that it wanders through the steps of a replacement. */
const sample = 37;

/** And the moments at which a file changes, and all that is done to the secrets. */
const always = /^rename:|\.env(?:\.TEMPORARY)?#/u;

export const kill: FaultClass = {
  id: '1',
  title: 'kill -9 before each change',
  needs: ['strace'],
  scenarios: scenarios.map(({ name }) => name),
  injections: (prepared) =>
    Promise.resolve(
      prepared.flatMap((each) =>
        atEach(
          each.points.filter(changes),
          `1/${each.scenario.name}/KILL`,
          ({ name }, index) => index % sample === sample - 1 || always.test(name),
          (point) => struckRun(each, point, 'signal=KILL'),
        ),
      ),
    ),
};
