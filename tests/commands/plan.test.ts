/** The plan: another hash for other changes, a prediction that names what changes on disk, diffs of every file. */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { changedPaths } from '../support/tree.ts';
import { expectExit, files, installed, place, type Place } from '../support/place.ts';

const hashOf = async (root: Place, args: readonly string[]): Promise<string> => {
  const { stdout } = expectExit(await root.install([...args, '--dry-run']), 0);
  return /Plan ([0-9a-f]{8}): /u.exec(stdout)?.[1] ?? 'none';
};

test('no two different requests have the same plan, and the same one has it again', async () => {
  using fresh = place();
  using root = await installed();
  fresh.write('/own.py', '# own\n');
  fresh.write('/other.py', '# other\n');
  const requests: readonly (readonly [Place, readonly string[]])[] = [
    [fresh, []],
    [fresh, ['--port', '9000']],
    [root, []],
    [root, ['--port', '9000']],
    [root, ['--port', '9001']],
    [root, ['--backend-url', 'http://127.0.0.1:9/mcp']],
    [root, ['--force-rotate-tokens', 'CLIENT_ID']],
    [root, ['--force-rotate-tokens', 'CLIENT_SECRET']],
    [root, ['--force-rotate-tokens']],
    [root, ['--source', fresh.at('/own.py')]],
    [root, ['--source', fresh.at('/other.py')]],
  ];
  const hashes = await Promise.all(requests.map(([where, args]) => hashOf(where, args)));
  expect([...new Set(hashes)]).toEqual(hashes);
  expect(hashes).not.toContain('none');
  expect(await hashOf(root, ['--port', '9000'])).toBe(hashes[3]);
});

/** The path that a predicted change is about. */
function pathOf(line: string): string {
  const copied = /^copy (\S+) to (\S+)$/u.exec(line);
  if (copied !== null) return `${copied[2]}${copied[1]}`;
  return (/ (\/\S*)/u.exec(line)?.[1] ?? line).replace(/\/$/u, '');
}

const predicted = (stdout: string): readonly string[] =>
  [...stdout.matchAll(/^\[DRY-RUN\] Would (.*)$/gmu)].map(([, line = '']) => pathOf(line)).sort();

describe('a dry run names the paths that the run after it changes, and no other:', () => {
  const changes: readonly (readonly [string, () => Promise<Place>, readonly string[]])[] = [
    ['fresh', () => Promise.resolve(place()), []],
    ['another port', installed, ['--port', '9000']],
    ['a rotation', installed, ['--force-rotate-tokens']],
    ['healing', withoutSome, []],
    ['nothing', installed, []],
  ];

  async function withoutSome(): Promise<Place> {
    const root = await installed();
    for (const file of [files.code, files.siteLink]) rmSync(root.at(file));
    root.write(files.env, root.read(files.env).replace(/CLIENT_ID=.*\n/u, ''), 0o600);
    return root;
  }

  test.each(changes)('%s', async (_, make, args) => {
    using root = await make();
    const { stdout } = expectExit(await root.install([...args, '--dry-run']), 0);
    const before = root.look();
    expectExit(await root.install(args), 0);
    const after = root.look();
    const changed = changedPaths(before, after);
    // A directory in which something was made or replaced has other times, and those of the journal are its own.
    const parents = new Set(changed.map((file) => path.dirname(file)));
    const isParent = (file: string): boolean => before.has(file) && (parents.has(file) || file === '');
    expect(predicted(stdout)).toEqual(
      changed.filter((file) => !isParent(file) && !['', '/var', '/var/lib'].includes(file)),
    );
  });
});

test('the diff of every text file that changes is shown, with what is new and what was', async () => {
  using root = await installed();
  const { stdout } = expectExit(await root.install(['--port', '9000', '--dry-run']), 0);
  const lines = stdout.split('\n');
  for (const line of [
    `--- ${files.site}`,
    '-    listen 127.0.0.1:8084;',
    '+    listen 127.0.0.1:9001;',
    `--- ${files.socket}`,
    '-ListenStream=127.0.0.1:8083',
    '+ListenStream=127.0.0.1:9000',
    `--- ${files.snippet}`,
    '+    proxy_pass http://127.0.0.1:9000;',
    `--- ${files.env}`,
  ])
    expect(lines).toContain(line);
  // A file that is as it should be has none.
  expect(stdout).not.toContain(`--- ${files.code}`);
});
