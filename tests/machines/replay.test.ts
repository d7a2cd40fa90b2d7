/** Folding: the states that a run went through follow from what it was asked and from its events alone. */
import { expect, test } from 'vitest';
import { InstallerError } from '../../src/errors.ts';
import { machineVersion } from '../../src/machines/installer.ts';
import { firstStep, isThisMachine, nextStep, replay, replaySteps } from '../../src/machines/replay.ts';
import { defaultRequest } from '../../src/machines/request.ts';

const request = defaultRequest('thing');
const ready = {
  type: 'xstate.done.actor.preflight',
  actorId: 'preflight',
  output: { kind: 'ready', services: 'live', notes: [] },
};
const refused = {
  type: 'xstate.error.actor.detect',
  actorId: 'detect',
  error: new InstallerError('E_PLATFORM').toJSON(),
};

test('a run is folded to the state after each event, and to the last one', () => {
  const input = { request };
  expect([...replaySteps(input, [ready, refused])].map(({ value }) => value)).toEqual([
    'preflight',
    'detecting',
    'refused',
  ]);
  expect(replay(input, [ready, refused]).output).toMatchObject({ outcome: 'refused', exitCode: 10 });
  expect([replay(input, [ready]).value, replay(input, []).value]).toEqual(['detecting', 'preflight']);
  expect(nextStep(firstStep(input), ready).context).toMatchObject({ request, services: 'live' });
});

test('only a run of this machine and of this version of it is folded', () => {
  const known = { id: 'installer', version: machineVersion };
  expect(
    [known, { ...known, id: 'other' }, { ...known, version: '1' }, { id: 'other', version: '1' }].map(
      isThisMachine,
    ),
  ).toEqual([true, false, false, false]);
});

test('where nothing is asked for, secrets, edits and code stay, questions are not asked, and failures are put back', () => {
  expect(request).toEqual({
    product: 'thing',
    rotate: 'none',
    settings: {},
    unset: [],
    supplied: [],
    source: 'kept',
    edits: 'refuse',
    ask: false,
    packages: true,
    start: true,
    image: false,
    rollback: true,
    checks: true,
    downgrade: false,
    undo: null,
  });
});
