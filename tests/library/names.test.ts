/** The public names of the library: a name that comes or goes is a decision, and each says what it is. */
import path from 'node:path';
import { expect, test } from 'vitest';
import { listOf, publicNames } from '../../scripts/library-page.ts';
import { repositoryRoot } from '../hosts/support/base.ts';

const points = publicNames(repositoryRoot);

test('are those that are listed; `npx vitest run tests/library/names.test.ts -u` lists them anew', async () => {
  await expect(listOf(points)).toMatchFileSnapshot(path.join(import.meta.dirname, 'names.golden.txt'));
});

test.each(points)('of $entry have a docstring each', ({ names }) => {
  expect(names.filter(({ doc }) => doc === '').map(({ name }) => name)).toEqual([]);
});
