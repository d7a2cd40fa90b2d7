/** Every transition of a host's life, on real hosts, each path on one of its own. */
import { afterAll, describe, expect, test } from 'vitest';
import { suites } from '../hosts/support/base.ts';
import { hostSystem } from './host-system.ts';
import { Life } from './life.ts';
import { coverage, lifePaths, titleOf, type Being, type LifeEvent } from './model.ts';

const paths = lifePaths(true);

describe.each(suites)('%s', (suite) => {
  let walked = 0;
  test.concurrent.each(paths.map((path) => [titleOf(path), path] as const))('%s', async (_, path) => {
    const system = await hostSystem(suite);
    const life = new Life(system);
    try {
      for (const { event, state } of path.steps) {
        const being = state.value as Being;
        if (event.type !== 'xstate.init') await life.perform(event.type as LifeEvent, being);
        await life.check(being);
      }
      await life.converge();
      walked += 1;
    } finally {
      await system.dispose();
    }
  });
  afterAll(() =>
    process.stdout.write(`life: ${walked} of ${paths.length} paths walked on real hosts (${suite})\n`),
  );
});

test('every transition of the model is among the paths', () => {
  const { taken, all } = coverage(true, paths);
  expect(taken).toEqual(all);
});
