/** Every line of `--json` is of the published schema, and the last one is the result. */
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { runEvent } from '../../src/run-events.ts';
import { run, temporaryRoot } from '../support/installer.ts';

test.each([
  [['--json']],
  [['--json', '--verbose']],
  [['--json', '--dry-run', '--port', '9000']],
  [['--json', '--force-rotate-tokens', '--detailed-exitcode']],
  [['--json', '--domain', 'mcp.example.org']],
  [['--json', '--port', 'x']],
  [['--json', '--nonsense']],
  [['status', '--json']],
  [['history', '--json']],
  [['show', 'last', '--json']],
  [['replay', 'last', '--json']],
])('%s', async (args) => {
  using root = temporaryRoot();
  await run(['--root', root.path]);
  const { stdout, exitCode } = await run([...args, '--root', root.path]);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => v.parse(runEvent, JSON.parse(line)));
  const last = events.at(-1);
  expect(last).toMatchObject({ v: 1, type: 'result', exitCode });
  expect(events.filter(({ type }) => type === 'result')).toHaveLength(1);
});
