/**
 * Killed at any point: before every rename and before every fsync of a run. One plain rerun, repeating nothing, mends all
 * of it, and the run after that has nothing to do.
 */
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { install } from '../../src/install.ts';
import { mcpOauthProxy } from '../../src/products/mcp-oauth-proxy/index.ts';
import { files, installed, place, type Place } from '../support/place.ts';
import { traced } from '../support/trace.ts';

type Values = Readonly<Record<string, string>>;

const own = '# the code of a user\n';
const token = 'supplied.token-0123456789';
const bundled = Buffer.from(mcpOauthProxy.bundledCode).toString('utf8');

interface Sweep {
  readonly what: string;
  readonly fresh: boolean;
  readonly args: (root: Place) => readonly string[];
  readonly call: 'rename' | 'fsync';
  /** As many points as this there are at least. */
  readonly least: number;
}

type Row = readonly [string, boolean, Sweep['args'], number, number];

const sweeps: readonly Sweep[] = (
  [
    ['a fresh installation', true, () => [], 7, 80],
    [
      'a fresh installation with a supplied token',
      true,
      (root) => ['--mcp-token-file', root.at('/token')],
      7,
      0,
    ],
    ['a rotation of everything', false, () => ['--force-rotate-tokens'], 1, 5],
    ['--source FILE', false, (root) => ['--source', root.at('/own.py')], 2, 8],
    ['--port 9000', false, () => ['--port', '9000'], 7, 20],
    [
      'a supplied token in place of a generated one',
      false,
      (root) => ['--force-rotate-tokens', 'MCP_TOKEN', '--mcp-token-file', root.at('/token')],
      1,
      5,
    ],
  ] satisfies Row[]
).flatMap(([what, fresh, args, renames, syncs]) => [
  { what, fresh, args, call: 'rename' as const, least: renames },
  ...(syncs === 0 ? [] : [{ what, fresh, args, call: 'fsync' as const, least: syncs }]),
]);

const secretsOf = (root: Place): Values => (existsSync(root.at(files.env)) ? root.secrets() : {});
const codeOf = (root: Place): string => (existsSync(root.at(files.code)) ? root.read(files.code) : '');

/** A copy that has its own inodes and nothing of the journal's locks. */
function copyOf(original: Place): Place {
  const root = place();
  cpSync(original.path, root.path, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  return root;
}

const leftovers = (root: Place): readonly string[] =>
  [...root.look().keys(), ...root.journalTree().keys()].filter((name) => name.endsWith('.mcp-installer-tmp'));

/** What must be true after the kill and one plain rerun. */
async function expectMended(root: Place, killed: Values, at: string): Promise<void> {
  const code = codeOf(root);
  const rerun = await install({ root: root.path });
  expect({ at, exitCode: rerun.output.exitCode, error: rerun.output.error }).toEqual({
    at,
    exitCode: 0,
    error: null,
  });
  expect({ at, secrets: { ...secretsOf(root), ...killed } }).toEqual({ at, secrets: secretsOf(root) });
  expect({ at, code: codeOf(root) }).toEqual({ at, code: code === own ? own : bundled });
  const third = await install({ root: root.path });
  expect({ at, outcome: third.output.outcome, leftovers: leftovers(root) }).toEqual({
    at,
    outcome: 'unchanged',
    leftovers: [],
  });
}

/** Whose code and token it is, as later runs see it: bundled code can be upgraded, a supplied value is kept. */
async function expectKnownOwners(root: Place, at: string): Promise<void> {
  const before = secretsOf(root);
  const rotated = await install({
    root: root.path,
    request: { rotate: 'all' },
    // A later version of the installer, with other code.
    product: { ...mcpOauthProxy, bundledCode: Buffer.from(`${bundled}# newer\n`) },
  });
  expect({ at, exitCode: rotated.output.exitCode }).toEqual({ at, exitCode: 0 });
  const isUsers = codeOf(root) === own;
  expect({ at, code: codeOf(root) }).toEqual({ at, code: isUsers ? own : `${bundled}# newer\n` });
  const kept = Object.entries(secretsOf(root)).filter(([name, value]) => before[name] === value);
  expect({ at, kept }).toEqual({ at, kept: before['MCP_TOKEN'] === token ? [['MCP_TOKEN', token]] : [] });
}

describe.each(sweeps.map((sweep) => [`${sweep.what}, killed before each ${sweep.call}`, sweep] as const))(
  '%s',
  (_, { fresh, args, call, least }) => {
    test('is mended by one plain rerun', async () => {
      using original = fresh ? place() : await installed();
      original.write('/own.py', own);
      original.write('/token', token, 0o600);
      let fired = 0;
      let supplied = 0;
      for (let n = 1; ; n += 1) {
        using root = copyOf(original);
        const { exitCode } = await traced([...args(root), '--root', root.path], {
          inject: `${call}:signal=KILL:when=${n}`,
        });
        if (exitCode !== 137) {
          expect({ n, exitCode }).toEqual({ n, exitCode: 0 });
          break;
        }
        fired += 1;
        const killed = secretsOf(root);
        const at = `${call} ${n}`;
        await expectMended(root, killed, at);
        if (codeOf(root) === own || secretsOf(root)['MCP_TOKEN'] === token) supplied += 1;
        await expectKnownOwners(root, at);
      }
      process.stdout.write(`${fired} kills, ${supplied} of them with something supplied in place\n`);
      expect(fired).toBeGreaterThanOrEqual(least);
    });
  },
);

test('the code that ships is the code that is installed', async () => {
  using root = await installed();
  expect(readFileSync(root.at(files.code), 'utf8')).toBe(bundled);
});
