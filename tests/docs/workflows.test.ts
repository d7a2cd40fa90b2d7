/** What GitHub runs: every action by its hash, and no more permissions than its job needs. */
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { repositoryRoot } from '../hosts/support/base.ts';

interface Workflow {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<
    Record<
      string,
      {
        readonly permissions?: Readonly<Record<string, string>>;
        readonly 'timeout-minutes'?: number;
        readonly steps: readonly { readonly uses?: string; readonly run?: string }[];
      }
    >
  >;
}

const directory = path.join(repositoryRoot, '.github/workflows');
const { scripts } = JSON.parse(readFileSync(path.join(repositoryRoot, 'package.json'), 'utf8')) as {
  scripts: Readonly<Record<string, string>>;
};

describe.each(readdirSync(directory))('%s', (name) => {
  const workflow = parse(readFileSync(path.join(directory, name), 'utf8')) as Workflow;
  const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);

  test('names every action by its hash', () => {
    const used = steps.flatMap(({ uses }) => uses ?? []);
    expect(used.filter((action) => !/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/u.test(action))).toEqual([]);
  });

  test('may only read, but for what makes a release', () => {
    const asked = Object.entries(workflow.jobs).map(([job, { permissions }]) => [job, permissions ?? null]);
    const release = { attestations: 'write', contents: 'write', 'id-token': 'write' };
    expect({ all: workflow.permissions, jobs: asked }).toEqual(
      name === 'release.yml'
        ? {
            all: {},
            jobs: [
              ['build', { contents: 'read' }],
              ['attest', release],
            ],
          }
        : { all: { contents: 'read' }, jobs: asked.map(([job]) => [job, null]) },
    );
  });

  test('puts nothing that somebody else wrote into a script', () => {
    expect(steps.flatMap(({ run }) => run ?? []).filter((run) => run.includes('${{'))).toEqual([]);
  });

  test('runs scripts that there are', () => {
    const named = steps.flatMap(({ run }) =>
      [...(run ?? '').matchAll(/npm run ([\w:]+)/gu)].map(([, script]) => script!),
    );
    expect(named.filter((script) => !(script in scripts))).toEqual([]);
  });
});
