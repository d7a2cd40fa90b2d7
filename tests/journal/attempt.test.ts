/** What the system refuses to the journal leaves it as one error. */
import { openSync } from 'node:fs';
import { expect, test } from 'vitest';
import { InstallerError } from '../../src/errors.ts';
import { attempt } from '../../src/journal/attempt.ts';

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return 'nothing was thrown';
}

test('what is allowed comes back as it is', () => {
  const result = { any: 'thing' };
  expect(attempt(() => result)).toBe(result);
});

test('what the system refuses is E_JOURNAL with its code, what to do, and the refusal as its cause', () => {
  const missing = (): number => openSync('/nonexistent/file', 'r');
  const error = thrownBy(() => attempt(missing)) as InstallerError;
  expect(error).toBeInstanceOf(InstallerError);
  expect({ ...error.toJSON(), cause: error.cause }).toEqual({
    code: 'E_JOURNAL',
    message: 'The journal cannot be written: ENOENT.',
    remedy: 'Make room or make /var/lib/mcp-installer writable, and run this again.',
    cause: thrownBy(missing),
  });
});

test('an error that says already what it is stays itself', () => {
  const busy = new InstallerError('E_BUSY');
  const refuse = (): never => {
    throw busy;
  };
  expect(thrownBy(() => attempt(refuse))).toBe(busy);
  // So a refusal within a refusal is told once.
  expect(thrownBy(() => attempt(() => attempt(refuse)))).toBe(busy);
});
