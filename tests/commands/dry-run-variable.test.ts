/** `DRY_RUN` in the environment: yes in three spellings, nothing where it is empty, and no guess about anything else. */
import { expect, test } from 'vitest';
import { expectExit, place } from '../support/place.ts';

test.each(['1', 'true', 'yes', 'TRUE', 'Yes'])('DRY_RUN=%s predicts and changes nothing', async (value) => {
  using root = place();
  const { stdout } = expectExit(await root.install([], { env: { DRY_RUN: value } }), 0);
  expect(stdout).toMatch(/^\[DRY-RUN\] No \.env detected/u);
  expect([...root.look().keys()]).toEqual(['']);
});

test.each(['0', 'no', 'false', 'on', ' 1', '2'])(
  'DRY_RUN=%s is bad usage and changes nothing',
  async (value) => {
    using root = place();
    const { stdout, stderr } = expectExit(await root.install([], { env: { DRY_RUN: value } }), 64);
    expect(stdout + stderr).toContain(`DRY_RUN=${JSON.stringify(value)} is not 1, true or yes.`);
    expect([...root.look().keys()]).toEqual(['']);
  },
);

test('an empty DRY_RUN is none', async () => {
  using root = place();
  expectExit(await root.install(['--detailed-exitcode'], { env: { DRY_RUN: '' } }), 2);
});
