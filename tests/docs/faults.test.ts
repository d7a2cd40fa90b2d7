/** The numbers of the last whole campaign, which docs/reference/faults.md is made of. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { classes } from '../faults/classes.ts';
import type { Campaign } from '../faults/fault-class.ts';
import { repositoryRoot } from '../hosts/support/base.ts';

const campaign = JSON.parse(
  readFileSync(path.join(repositoryRoot, 'tests/faults/campaign.json'), 'utf8'),
) as Campaign;

test('the recorded campaign is of the classes that there are', () => {
  const named = (all: readonly { id: string; title: string }[]) =>
    all.map(({ id, title }) => ({ id, title }));
  expect(named(campaign.classes)).toEqual(named(classes));
});

test('in the recorded campaign every fault happened and nothing was lost', () => {
  expect(campaign.classes.filter(({ made, survived }) => made === 0 || survived !== made)).toEqual([]);
});
