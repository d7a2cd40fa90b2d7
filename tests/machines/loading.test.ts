/** In a file that imports no machine: one that cannot be made fails as it is loaded, which is before any test begins. */
import { expect, test } from 'vitest';

test('the machine can be made', async () => {
  const { installerMachine } = await import('../../src/machines/installer.ts');
  expect(Object.keys(installerMachine.states)).toHaveLength(20);
});
