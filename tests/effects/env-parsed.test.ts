/** What a person is told of an env file that cannot be read: the first line that is wrong, and how many more there are. */
import { expect, test } from 'vitest';
import { toPublicError } from '../../src/errors.ts';
import { parsedEnv } from '../../src/effects/env-parsed.ts';
import { mcpOauthProxy } from '../../src/products/mcp-oauth-proxy/index.ts';

const refused = (text: string): unknown => {
  try {
    return parsedEnv(mcpOauthProxy, Buffer.from(text)).keys();
  } catch (error) {
    return toPublicError(error);
  }
};
const told = (what: string, remedy: string) => ({
  code: 'E_ENV_INVALID',
  message: expect.stringContaining(what) as string,
  remedy: expect.stringContaining(remedy) as string,
});

test('a file on which its readers agree is read', () => {
  expect(refused('DOMAIN=a.example.org\nX=1\n')).toEqual(['DOMAIN', 'X']);
});

test('one problem is told with its line and its remedy', () => {
  expect(refused('X=1\nB=1\\\n')).toMatchObject(
    told(
      'line 2: this line ends in a backslash, which joins it to the next one for some readers.',
      'Remove the backslash.',
    ),
  );
  const alone = refused('B=1\\\n') as { readonly message: string };
  expect(alone.message.split('for some readers.')[1]).toBe('');
});

test('of several the first is told, and how many more there are', () => {
  expect(refused('B=1\\\nC=2\\\nD=3\\\n')).toMatchObject(
    told('line 1: this line ends', 'Remove the backslash.'),
  );
  expect(refused('B=1\\\nC=2\\\nD=3\\\n')).toMatchObject(told('(and 2 more)', 'Remove the backslash.'));
});

test('what is wrong with the file as a whole has no line', () => {
  expect(refused('#'.repeat(65_537))).toMatchObject(told('the file is larger than 64 KiB.', 'right file'));
  expect(JSON.stringify(refused('#'.repeat(65_537)))).not.toMatch(/\bline\b/u);
});

test.each([
  ['a secret', 'MCP_TOKEN=a#b\n', 'MCP_TOKEN'],
  ['a setting', 'DOMAIN=a#b\n', 'DOMAIN'],
])('readers must agree on %s of the product', (_, text, key) => {
  expect(refused(text)).toMatchObject(told(`systemd and dotenv read ${key} differently`, `${key}=value`));
});
