/** Every transition of a host's life, on real hosts, each path on one of its own. */
import { afterAll, describe, expect, test } from 'vitest';
import { suites } from '../hosts/support/base.ts';
import { hostSystem } from './host-system.ts';
import { coverage, lifePaths, titleOf } from './model.ts';
import { walk } from './walk.ts';

const paths = lifePaths(true);

describe.each(suites)('%s', (suite) => {
  let walked = 0;
  test.concurrent.each(paths.map((path) => [titleOf(path), path] as const))('%s', async (_, path) => {
    await walk(await hostSystem(suite), path);
    walked += 1;
  });
  afterAll(() =>
    process.stdout.write(`life: ${walked} of ${paths.length} paths walked on real hosts (${suite})\n`),
  );
});

test('every transition of the model is among the paths', () => {
  const { taken, all } = coverage(true, paths);
  expect(taken).toEqual(all);
});
