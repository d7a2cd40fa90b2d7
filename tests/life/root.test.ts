/** Every transition of a host's life, in temporary roots, with the real command line. */
import { expect, test } from 'vitest';
import { coverage, lifePaths, titleOf } from './model.ts';
import { rootSystem } from './root-system.ts';
import { walk } from './walk.ts';

const paths = lifePaths(false);

test.concurrent.each(paths.map((path) => [titleOf(path), path] as const))('%s', (_, path) =>
  walk(rootSystem(), path),
);

test('every transition of the model is walked', () => {
  const { taken, all } = coverage(false, paths);
  expect(taken).toEqual(all);
  process.stdout.write(
    `life: ${paths.length} paths walked in temporary roots, ${taken.length} of ${all.length} transitions covered\n`,
  );
});
