/** OWNER_PASSWORD: there where somebody brought it along, and only there. */
import { describe, expect, test } from 'vitest';
import { readMemory } from '../../src/journal/reader.ts';
import type { Ran } from '../support/installer.ts';
import { expectExit, files, installed, place, type Place } from '../support/place.ts';

const password = 'correct-horse~battery';
const other = 'another:staple!12';

const lineOf = (root: Place): string | undefined =>
  root
    .read(files.env)
    .split('\n')
    .find((line) => line.startsWith('OWNER_PASSWORD'));

function fileWith(root: Place, value: string): readonly string[] {
  root.write('/password', `${value}\n`, 0o600);
  return ['--owner-password-file', root.at('/password')];
}

async function withPassword(): Promise<Place> {
  const root = place();
  expectExit(await root.install(fileWith(root, password)), 0);
  return root;
}

const noted = ({ stdout }: Ran, code: string): readonly string[] =>
  stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { type: string; code?: string; text?: string })
    .flatMap((event) => (event.type === 'note' && event.code === code ? [event.text ?? ''] : []));

describe('brought along', () => {
  test('at a first installation it stands behind the four that are generated, and a rerun keeps it', async () => {
    using root = await withPassword();
    const text = root.read(files.env);
    expect(text).toMatch(/^MCP_TOKEN=.*\nCLIENT_ID=.*\nCLIENT_SECRET=.*\nTOKEN_SECRET=.*\nOWNER_PASSWORD=/u);
    expect(lineOf(root)).toBe(`OWNER_PASSWORD='${password}'`);
    expectExit(await root.install(['--detailed-exitcode']), 0);
    // The same file once more is nothing new.
    expectExit(await root.install([...fileWith(root, password), '--detailed-exitcode']), 0);
    expect(root.read(files.env)).toBe(text);
    expect((await root.run('status')).stdout).toMatch(/^ {2}OWNER_PASSWORD: fingerprint [0-9a-f]{12}$/mu);
  });

  test('to an installation without one it is added, through stdin too, and everything else stays', async () => {
    using root = await installed();
    const before = root.read(files.env);
    const dry = expectExit(await root.install([...fileWith(root, other), '--dry-run']), 0);
    expect(dry.stdout).toContain('(OWNER_PASSWORD: supplied)');
    expect(dry.stdout).toContain('+OWNER_PASSWORD=<supplied>');
    expectExit(await root.install(['--owner-password-file', '-'], { input: `${other}\n` }), 0);
    expect(root.read(files.env)).toBe(`${before}OWNER_PASSWORD='${other}'\n`);
    expectExit(await root.install(['--detailed-exitcode']), 0);
  });

  test('with another value it is refused unless a rotation names it', async () => {
    using root = await withPassword();
    const before = root.look();
    const refused = expectExit(await root.install(fileWith(root, other)), 10);
    expect(refused.stderr).toContain('E_SECRET_DIFFERS');
    expect(refused.stderr).toContain('--force-rotate-tokens OWNER_PASSWORD');
    expect(root.look().get(files.env)).toBe(before.get(files.env));
    const secrets = root.secrets();
    const args = ['--force-rotate-tokens', 'OWNER_PASSWORD', ...fileWith(root, other)];
    expectExit(await root.install(args), 0);
    expect(lineOf(root)).toBe(`OWNER_PASSWORD='${other}'`);
    expect(root.secrets()).toEqual(secrets);
    expectExit(await root.install([...args, '--detailed-exitcode']), 0);
  });
});

describe('not brought along', () => {
  test('it is neither generated nor missing: no run and no status speaks of it', async () => {
    using root = await installed();
    const { stdout } = expectExit(await root.install(['--json', '--force-rotate-tokens']), 0);
    expect(stdout.replace(/"next":\[[^\]]*\]/u, '')).not.toContain('OWNER_PASSWORD');
    expect(lineOf(root)).toBeUndefined();
    expect((await root.run('status', ['--json'])).stdout).not.toContain('OWNER_PASSWORD');
    const [made] = root
      .read(root.journal(1))
      .split('\n')
      .filter((line) => line.includes('"secretsMade","names"'));
    expect(made).toContain('"names":["MCP_TOKEN","CLIENT_ID","CLIENT_SECRET","TOKEN_SECRET"]');
  });

  test('a rotation of everything leaves it and says so; one that names it needs a file', async () => {
    using root = await withPassword();
    const rotated = expectExit(await root.install(['--force-rotate-tokens', '--json']), 0);
    expect(noted(rotated, 'supplied-secret-kept')).toEqual([
      'OWNER_PASSWORD is never generated, so it is not rotated; give a new file (--owner-password-file) to replace it.',
    ]);
    expect(lineOf(root)).toBe(`OWNER_PASSWORD='${password}'`);
    const before = root.look();
    const { stderr } = expectExit(await root.install(['--force-rotate-tokens', 'OWNER_PASSWORD']), 64);
    expect(stderr).toContain('to rotate it needs a new value');
    expect(stderr).toContain('--owner-password-file FILE');
    expect(root.look()).toEqual(before);
  });

  test('one that was typed into the .env is kept like any other', async () => {
    using root = await installed();
    root.write(files.env, `OWNER_PASSWORD=${'t'.repeat(12)}\n${root.read(files.env)}`, 0o600);
    expectExit(await root.install(['--force-rotate-tokens']), 0);
    expect(lineOf(root)).toBe(`OWNER_PASSWORD=${'t'.repeat(12)}`);
  });

  test('one that has vanished is told and not made up, until a run has said so', async () => {
    using root = await withPassword();
    root.write(files.env, root.read(files.env).replace(/OWNER_PASSWORD=.*\n/u, ''), 0o600);
    const text = `OWNER_PASSWORD, which an earlier run was given, is not in ${files.env} and is not made up: --owner-password-file FILE brings it back.`;
    expect(noted(await root.run('status', ['--json']), 'optional-secret-gone')).toEqual([text]);
    expect(noted(await root.install(['--json']), 'optional-secret-gone')).toEqual([text]);
    expect(lineOf(root)).toBeUndefined();
    expect(noted(await root.install(['--json']), 'optional-secret-gone')).toEqual([]);
  });
});

describe('--unset OWNER_PASSWORD', () => {
  test('removes it, and it alone; a second time there is nothing to do', async () => {
    using root = await withPassword();
    const before = root.read(files.env);
    const dry = expectExit(await root.install(['--unset', 'OWNER_PASSWORD', '--dry-run']), 0);
    expect(dry.stdout).toContain('(OWNER_PASSWORD: removed)');
    expect(dry.stdout).toContain('-OWNER_PASSWORD=<hidden>');
    const removed = expectExit(await root.install(['--unset', 'OWNER_PASSWORD']), 0);
    const plan = /Plan [0-9a-f]{8}/u;
    expect(plan.exec(removed.stdout)?.[0]).toBe(plan.exec(dry.stdout)?.[0]);
    expect(root.read(files.env)).toBe(before.replace(/OWNER_PASSWORD=.*\n/u, ''));
    expect(readMemory(root.at(files.journal)).memory.secretsSupplied).toEqual({});
    expectExit(await root.install(['--unset', 'OWNER_PASSWORD', '--detailed-exitcode']), 0);
    expect(noted(await root.install(['--json']), 'optional-secret-gone')).toEqual([]);
  });

  test('takes no empty value of another key for it', async () => {
    using root = await withPassword();
    root.write(files.env, `EMPTY=\n${root.read(files.env)}`, 0o600);
    const { stdout } = expectExit(await root.install(['--unset', 'OWNER_PASSWORD', '--dry-run']), 0);
    expect(stdout).not.toContain('<removed>');
  });

  test.each([
    [['--owner-password-file', '-'], 'contradicts the value given for it'],
    [['--force-rotate-tokens', 'OWNER_PASSWORD'], 'contradicts its rotation'],
  ] as const)('contradicts %s', async (args, says) => {
    using root = await withPassword();
    const before = root.look();
    const ran = await root.install(['--unset', 'OWNER_PASSWORD', ...args], { input: password });
    expect(expectExit(ran, 64).stderr).toContain(says);
    expect(root.look()).toEqual(before);
  });

  test('names no secret that is always there', async () => {
    using root = await installed();
    expect(expectExit(await root.install(['--unset', 'MCP_TOKEN']), 64).stderr).toContain('MCP_TOKEN');
  });
});

test.each([
  ['eleven characters', 'x'.repeat(11)],
  ['more than 128 characters', 'x'.repeat(129)],
  ['a blank', 'correct horse battery'],
  ['a quote', "correct'horse'battery"],
  ['a #', 'correct#horse#battery'],
  ['a $', 'correct$horse$battery'],
  ['two lines', 'correct-horse\nbattery-staple'],
  ['what is no ASCII', 'pässword-pässword'],
  ['nothing', ''],
])('a value of %s is refused, and never repeated', async (_, value) => {
  using root = place();
  const { stdout, stderr } = expectExit(await root.install(fileWith(root, value)), 64);
  expect(stderr).toContain('it must hold one line of 12 to 128 of the characters');
  if (value !== '') expect(stdout + stderr).not.toContain(value.slice(0, 9));
});
