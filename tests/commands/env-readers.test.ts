/** Other people's lines in the env file, among which systemd and dotenv would not read alike what is to be written. */
import { expect, test } from 'vitest';
import { toPublicError } from '../../src/errors.ts';
import { parsedEnv } from '../../src/effects/env-parsed.ts';
import type { SettingSpec } from '../../src/products/product.ts';
import { expectExit, files, installed } from '../support/place.ts';

/** Keeps CLIENT_SECRET from the file, so that the next run has to write one. */
const without = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !line.startsWith('CLIENT_SECRET='))
    .join('\n');

test('a secret that is added stands where both see it, and the next run finds nothing to do', async () => {
  using root = await installed();
  const before = without(root.read(files.env));
  root.write(files.env, `${before}note:\n`, 0o600);
  expectExit(await root.install(), 0);
  const [first = '', ...others] = root.read(files.env).split('\n');
  expect([first, others.join('\n')]).toEqual([
    expect.stringMatching(/^CLIENT_SECRET=[0-9a-f]{64}$/u),
    `${before}note:\n`,
  ]);
  const again = expectExit(await root.install(), 0);
  expect(again.stdout).toContain('[OK] Nothing to do');
});

test('a backslash that closes somebody’s quotes does not stand in the way of a setting below it', async () => {
  using root = await installed(['--backend-url', 'http://127.0.0.1:9000/mcp']);
  const lines = root.read(files.env).replace('BACKEND_URL=', "SHARE='\\\\host\\'\nBACKEND_URL=");
  root.write(files.env, lines, 0o600);
  expectExit(await root.install(['--backend-url', 'http://127.0.0.1:9000/mcp?a=1']), 0);
  expect(root.read(files.env)).toBe(
    lines.replace('http://127.0.0.1:9000/mcp', "'http://127.0.0.1:9000/mcp?a=1'"),
  );
  const again = expectExit(await root.install(), 0);
  expect(again.stdout).toContain('[OK] Nothing to do');
});

test('what the next run would refuse is not written: the error names the line', () => {
  const product = { envFile: files.env, secrets: [], settings: [{ key: 'BACKEND_URL' }] as SettingSpec[] };
  const other = "A=1\nSHARE='C:\\'\n";
  expect(parsedEnv(product, Buffer.from(`${other}BACKEND_URL=b\n`)).get('BACKEND_URL')).toBe('b');
  const refused = (() => {
    try {
      return parsedEnv(product, Buffer.from(`${other}BACKEND_URL='#'\n`));
    } catch (error) {
      return toPublicError(error);
    }
  })();
  expect(refused).toMatchObject({
    code: 'E_ENV_INVALID',
    message: `${files.env}: line 2: what stands here makes systemd and dotenv read BACKEND_URL differently.`,
  });
});
