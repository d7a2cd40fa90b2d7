/** What is shown of a bug: where it happened, and not a word of what the error says. */
import { expect, test, vi } from 'vitest';
import { printTrace } from '../../src/commands/trace.ts';

const printed = vi.hoisted((): string[] => []);

vi.mock('../../src/commands/streams.ts', () => ({
  standardError: () => ({ write: (text: string) => printed.push(text) }),
}));

test('a bug is shown by its name and its places in the code, whatever its words repeat (security 11)', () => {
  const secret = 'a-secret-0123456789';
  printTrace(new TypeError(`no ${secret}\n    at ${secret} (line 1)\n${secret}`));
  const [name, ...places] = printed.join('').trimEnd().split('\n');
  expect([name, places[0]]).toEqual(['TypeError', expect.stringContaining('trace.test.ts')]);
  expect(printed.join('')).not.toContain(secret);
  printed.length = 0;
  printTrace(secret);
  expect(printed).toEqual(['string\n']);
});
