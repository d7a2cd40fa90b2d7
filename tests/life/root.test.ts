/** Every transition of a host's life, in temporary roots, with the real command line. */
import { expect, test } from 'vitest';
import { Life } from './life.ts';
import { coverage, lifePaths, titleOf, type Being, type LifeEvent } from './model.ts';
import { rootSystem } from './root-system.ts';

const paths = lifePaths(false);

test.concurrent.each(paths.map((path) => [titleOf(path), path] as const))('%s', async (_, path) => {
  const system = rootSystem();
  const life = new Life(system);
  try {
    for (const { event, state } of path.steps) {
      const being = state.value as Being;
      if (event.type !== 'xstate.init') await life.perform(event.type as LifeEvent, being);
      await life.check(being);
    }
    await life.converge();
  } finally {
    await system.dispose();
  }
});

test('every transition of the model is walked', () => {
  const { taken, all } = coverage(false, paths);
  expect(taken).toEqual(all);
  process.stdout.write(
    `life: ${paths.length} paths walked in temporary roots, ${taken.length} of ${all.length} transitions covered\n`,
  );
});
