/** Past runs that cannot be read are not taken for none. A name that no file system takes stands for a disk that fails. */
import { expect, test } from 'vitest';
import { toPublicError } from '../../src/errors.ts';
import { readRun, runIds } from '../../src/journal/reader.ts';
import { installed } from '../support/place.ts';

const impossible = 'x'.repeat(300);

test('a list of runs that cannot be read is E_JOURNAL_UNREAD; one that is not there is empty', async () => {
  using root = await installed();
  expect(runIds(root.at('/var/lib'))).toEqual([]);
  let thrown: unknown;
  try {
    runIds(root.at(`/${impossible}`));
  } catch (error) {
    thrown = error;
  }
  expect(toPublicError(thrown)).toEqual({
    code: 'E_JOURNAL_UNREAD',
    message: 'The list of past runs cannot be read, and tells what was done: ENAMETOOLONG.',
    remedy: 'Put the cause right and run this again; nothing was changed.',
  });
});

test('a journal that cannot be read says what kept it from being, and one that is missing or foreign does not', async () => {
  using root = await installed();
  const home = root.at('/var/lib/mcp-installer');
  const [id = ''] = runIds(home);
  const told = (name: string) => {
    const { unread, damage, torn } = readRun(home, name);
    return { unread, damage, torn };
  };
  expect(told(impossible)).toEqual({ unread: 'ENAMETOOLONG', damage: 'it cannot be read', torn: false });
  expect(told('20260101T000000Z-0000')).toEqual({ unread: null, damage: null, torn: true });
  expect(told(id)).toEqual({ unread: null, damage: null, torn: false });
});
