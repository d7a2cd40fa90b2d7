/** The machine as lists for people: drawings and reference pages say what these say. */
import { describe, expect, test } from 'vitest';
import { shortEvent, stateSummaries, transitions } from '../../src/machines/diagram.ts';

describe('the states', () => {
  test('are told in their order, with what works in them', () => {
    expect(stateSummaries().map(({ name, final, actor }) => [name, final, actor])).toEqual([
      ['preflight', false, 'preflight'],
      ['detecting', false, 'detect'],
      ['fresh', false, 'generateSecrets'],
      ['existing', false, 'loadSecrets'],
      ['forceRotate', false, 'rotateSecrets'],
      ['planning', false, 'plan'],
      ['confirming', false, 'confirm'],
      ['writing', false, 'write'],
      ['reloading', false, 'reload'],
      ['verifying', false, 'verify'],
      ['purging', false, 'purge'],
      ['rollingBack', false, 'undo'],
      ['installed', true, null],
      ['unchanged', true, null],
      ['refused', true, null],
      ['busy', true, null],
      ['declined', true, null],
      ['interrupted', true, null],
      ['rolledBack', true, null],
      ['failed', true, null],
    ]);
  });

  test('and the ways between them all say in a sentence of their own what they are', () => {
    const states = stateSummaries().map(({ description }) => description);
    for (const description of [...states, ...transitions().map((way) => way.description)])
      expect(description).toMatch(/^(?:[A-Z]|--).* .*[.?]$/u);
    expect(new Set(states).size).toBe(states.length);
  });
});

test('the end and the failure of work are told without the name of what worked', () => {
  expect(
    ['xstate.done.actor.plan', 'xstate.error.actor.plan', 'interrupt', 'a xstate.done.actor.x'].map(
      shortEvent,
    ),
  ).toEqual(['done', 'error', 'interrupt', 'a xstate.done.actor.x']);
});

test('a way is told with its guard, and one that leads nowhere as one to where it began', () => {
  const ways = transitions().filter(
    ({ from, event }) => from === 'purging' || `${from} ${event}` === 'fresh done',
  );
  expect(ways).toEqual([
    {
      from: 'fresh',
      event: 'done',
      to: 'refused',
      note: 'isRefused',
      description: 'A secret was given that would replace another one unasked.',
    },
    { from: 'fresh', event: 'done', to: 'planning', note: '', description: 'Every secret has been made.' },
    {
      from: 'purging',
      event: 'interrupt',
      to: 'purging',
      note: '',
      description: 'What is half deleted cannot be put back, so it is deleted to its end: it waits.',
    },
    { from: 'purging', event: 'done', to: 'installed', note: '', description: 'Nothing of it is left.' },
    {
      from: 'purging',
      event: 'error',
      to: 'failed',
      note: '',
      description:
        'Not all of it could be deleted, and nothing is put back: the next purge deletes the rest.',
    },
  ]);
});
