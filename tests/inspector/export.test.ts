/** One run as one file: made on one host, shown and replayed on another, and never trusted. */
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { expect, test, describe } from 'vitest';
import { installerMachine, machineVersion } from '../../src/machines/installer.ts';
import { encodeExport, parseExport } from '../../src/journal/exported.ts';
import { journalText } from '../support/journal-text.ts';
import { run, temporaryRoot, type Ran } from '../support/installer.ts';
import { expectExit, installed, type Place } from '../support/place.ts';

const exported = async (root: Place, name = 'run.jsonl'): Promise<string> => {
  const file = path.join(root.path, name);
  expectExit(await root.run('show', ['last', '--export', file]), 0);
  return file;
};

const steps = ({ stdout }: Ran): string => stdout;

test('an exported run is shown and folded on a host that has no journal, step by step as at home', async () => {
  using root = await installed();
  using elsewhere = temporaryRoot();
  const file = await exported(root);
  for (const command of ['show', 'replay']) {
    const home = expectExit(await root.run(command, ['last']), 0);
    const away = expectExit(await run([command, file, '--root', elsewhere.path]), 0);
    expect(steps(away)).toBe(steps(home));
    const json = async (args: readonly string[]) => (await run([command, '--json', ...args])).stdout;
    expect(await json([file])).toBe(await json(['last', '--root', root.path]));
  }
  expect(readdirSync(elsewhere.path)).toEqual([]);
});

test('the file is the journal as it was recorded, behind one line, for its owner alone', async () => {
  using root = await installed();
  const file = await exported(root);
  const [first, ...rest] = readFileSync(file, 'utf8').split('\n');
  const journal = root.read(root.journal());
  expect(JSON.parse(first ?? '')).toEqual({
    kind: 'mcp-installer run',
    v: 1,
    run: root.runs().at(-1),
    bytes: Buffer.byteLength(journal),
  });
  expect(rest.join('\n')).toBe(journal);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const { stdout } = expectExit(await root.run('show', ['last', '--export', '-']), 0);
  expect(stdout).toBe(readFileSync(file, 'utf8'));
});

describe('nothing is written', () => {
  test('over a file, a link or a directory that is there', async () => {
    using root = await installed();
    const file = await exported(root);
    const before = readFileSync(file, 'utf8');
    const target = path.join(root.path, 'target');
    symlinkSync(target, path.join(root.path, 'link.jsonl'));
    mkdirSync(path.join(root.path, 'directory'));
    for (const name of ['run.jsonl', 'link.jsonl', 'directory']) {
      const ran = await root.run('show', ['last', '--export', path.join(root.path, name)]);
      expect({ exitCode: ran.exitCode, said: ran.stderr }).toEqual({
        exitCode: 64,
        said: `[ERROR] E_USAGE: --export ${path.join(root.path, name)}: the file exists already.\n        Name one that does not.\n`,
      });
    }
    expect(readFileSync(file, 'utf8')).toBe(before);
    expect(readdirSync(root.path).filter((name) => name.includes('tmp') && name.startsWith('.'))).toEqual([]);
    expect(readdirSync(root.path)).not.toContain('target');
  });

  test('where there is no such directory', async () => {
    using root = await installed();
    const ran = expectExit(
      await root.run('show', ['last', '--export', path.join(root.path, 'no/run.jsonl')]),
      10,
    );
    expect(ran.stderr).toContain('E_EXPORT: ');
    expect(ran.stderr).toContain('ENOENT');
  });

  test('where the secrets to look for cannot be read', async () => {
    using root = await installed();
    const env = root.at('/etc/mcp-oauth-proxy/.env');
    renameSync(env, `${env}.away`);
    mkdirSync(env);
    const ran = expectExit(await root.run('show', ['last', '--export', path.join(root.path, 'x.jsonl')]), 10);
    expect(ran.stderr).toContain('E_EXPORT: ');
    expect(ran.stderr).toContain('Put the env file back at /etc/mcp-oauth-proxy/.env, then export again.');
    expect(readdirSync(root.path)).not.toContain('x.jsonl');
  });

  test.each([
    [['FILE', '--export', 'x.jsonl'], 'not a file'],
    [['last', '--export', ''], 'needs a file'],
    [['last', '--export', '-', '--json'], 'both write to stdout'],
  ])('for %j', async (args, said) => {
    using root = await installed();
    const file = await exported(root);
    const ran = await root.run(
      'show',
      args.map((word) => (word === 'FILE' ? file : word)),
    );
    expect(ran.exitCode).toBe(64);
    expect(ran.output).toContain(said);
  });
});

/** An exported run, as anybody can make one. */
const forged = (records: readonly object[]): string =>
  Buffer.from(encodeExport('20261125T000000Z-abcd', Buffer.from(journalText(records)))).toString('utf8');

const started = {
  k: 'run.started',
  format: 2,
  machine: { id: installerMachine.id, version: machineVersion },
  installer: '0.1.0',
  command: 'install',
  input: { request: {} },
  inherited: {},
};
/** Deeper than anything that could be made with JSON.stringify. */
function nested(depth: number): string {
  const [begin = '', end = ''] = JSON.stringify({
    n: 0,
    t: '2026-11-25T00:00:00.000Z',
    ...started,
    input: 'X',
  }).split('"X"');
  const text = `${begin}${'['.repeat(depth)}${']'.repeat(depth)}${end}`;
  const sum = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return `${forged([])}${text.slice(0, -1)},"c":"${sum}"}\n`;
}

describe('what is no run, or a damaged one, is exit 65 and never a crash:', () => {
  const nonsense: readonly (readonly [string, string | Buffer])[] = [
    ['nothing', ''],
    ['a line of text', 'hello\n'],
    ['JSON of another kind', '{"kind":"other","v":1,"run":"20261125T000000Z-abcd"}\n'],
    [
      'a newer format of the first line',
      '{"kind":"mcp-installer run","v":2,"run":"20261125T000000Z-abcd","bytes":0}\n',
    ],
    ['a run whose id is a path', '{"kind":"mcp-installer run","v":1,"run":"../../etc/passwd"}\n'],
    ['a journal without the first line', forged([started]).split('\n').slice(1).join('\n')],
    ['zeros', Buffer.alloc(4096)],
    ['random bytes', Buffer.from(Array.from({ length: 4096 }, (_, at) => (at * 197 + 13) % 256))],
    ['a line that is no record', `${forged([started])}nonsense\n`],
    ['a start that inherits nothing', forged([{ ...started, inherited: undefined }])],
    ['a start that inherits null', forged([{ ...started, inherited: null }])],
    ['a start that inherits a text', forged([{ ...started, inherited: 'x' }])],
    ['a start that inherits what is owed as a number', forged([{ ...started, inherited: { owed: 3 } }])],
    ['a start without a machine', forged([{ ...started, machine: undefined }])],
    ['a start whose machine is text', forged([{ ...started, machine: 'installer' }])],
    [
      'a start without input',
      forged([
        { ...started, input: null },
        { k: 'event', event: { type: 'xstate.done.actor.preflight', output: { kind: 'ready', notes: [] } } },
        { k: 'event', event: { type: 'xstate.done.actor.detect', output: { kind: 'existing', notes: [] } } },
      ]),
    ],
    ['another format of the journal', forged([{ ...started, format: 99 }])],
    ['an event that is null', forged([started, { k: 'event', event: null }])],
    ['an event without a type', forged([started, { k: 'event', event: {} }])],
    [
      'an event whose output is null',
      forged([started, { k: 'event', event: { type: 'xstate.done.actor.preflight', output: null } }]),
    ],
    ['a fact that is text', forged([started, { k: 'fact', v: 1, fact: 'x' }])],
    ['an end without a code', forged([started, { k: 'run.ended', outcome: 'installed' }])],
    ['a time that is none', forged([{ ...started, t: 'yesterday' }])],
    ['a depth that no stack holds', nested(100_000)],
  ];

  test.each(nonsense)('%s', async (_, bytes) => {
    using root = temporaryRoot();
    const file = path.join(root.path, 'run.jsonl');
    writeFileSync(file, bytes);
    const codes = await Promise.all(
      [
        ['replay', file],
        ['replay', file, '--json'],
      ].map(async (args) => {
        const ran = await run(args);
        expect(ran.stderr).toContain('E_JOURNAL_DAMAGED');
        expect(ran.output).not.toContain('E_INTERNAL');
        expect(ran.output).not.toMatch(/^\s+at /mu);
        return ran.exitCode;
      }),
    );
    expect(codes).toEqual([65, 65]);
    const shown = await run(['show', file]);
    expect([0, 65]).toContain(shown.exitCode);
    expect(shown.output).not.toContain('E_INTERNAL');
  });

  test('any cut of a good file is told', async () => {
    using root = await installed();
    const text = readFileSync(await exported(root), 'utf8');
    const first = text.indexOf('\n') + 1;
    const wholeLines = [first, text.indexOf('\n', first) + 1, text.length - 1];
    for (const end of [...wholeLines, ...Array.from({ length: text.length / 211 }, (_, at) => at * 211)]) {
      const found = parseExport(text.slice(0, end));
      if (end >= first)
        expect(found?.damage).toBe(
          `it was cut or added to: ${end - first} bytes of a journal of ${text.length - first}`,
        );
      else expect(found).toBeNull();
    }
    expect(parseExport(text)?.damage).toBeNull();
  });

  test('a file that was cut on its way, whatever is made of it', async () => {
    using root = await installed();
    const file = await exported(root);
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.slice(0, text.indexOf('\n') + 1));
    for (const args of [
      ['show', file],
      ['replay', file],
      ['graph', '--run', file],
    ]) {
      const ran = await run(args);
      expect([ran.exitCode, ran.stderr]).toEqual([
        65,
        expect.stringContaining('it was cut or added to: 0 bytes'),
      ]);
    }
  });

  test('an outcome that would be taken for a part of the drawing', async () => {
    using root = temporaryRoot();
    const file = path.join(root.path, 'run.jsonl');
    const end = { exitCode: 0, mode: 'fresh', changed: true, plan: null, error: null };
    for (const outcome of ['installed\n  installed --> elsewhere', '\u001b[31m', '<i>']) {
      writeFileSync(file, forged([started, { k: 'run.ended', outcome, ...end }]));
      for (const format of ['mermaid', 'dot', 'svg', 'json']) {
        const ran = await run(['graph', '--run', file, '--format', format]);
        expect([ran.exitCode, ran.stdout.includes(outcome)]).toEqual([65, false]);
      }
    }
  });
});

test('damage is told with its line in the file, whose first one is not the journal’s', () => {
  const end = { k: 'run.ended', outcome: 'installed' };
  const damage = (text: string) => parseExport(text)?.damage;
  expect(damage(`${forged([started])}nonsense\n`)).toBe('line 3 is no record');
  expect(damage(forged([end]))).toBe('line 2 is not the start of a run');
  expect(damage(forged([started, end]))).toBe('line 3 does not hold what its kind should');
});

test('a way cannot be drawn of a start that inherits nothing', async () => {
  using root = temporaryRoot();
  const file = path.join(root.path, 'run.jsonl');
  writeFileSync(file, forged([{ ...started, inherited: undefined }]));
  const ran = await run(['graph', '--run', file]);
  expect([ran.exitCode, ran.stderr.includes('E_JOURNAL_DAMAGED')]).toEqual([65, true]);
});

test('what steers a terminal is shown as what it is', async () => {
  using root = temporaryRoot();
  const file = path.join(root.path, 'run.jsonl');
  writeFileSync(file, forged([{ ...started, command: '\u001b[2J\u001b]0;owned\u0007\u009b31m\u202e' }]));
  const ran = await run(['show', file]);
  expect(ran.output).toContain('\\u001b[2J\\u001b]0;owned\\u0007\\u009b31m\\u202e');
  expect(ran.output).not.toMatch(/[\u001b\u0007\u009b\u202e]/u);
});

test('a name with a slash or the ending is a file, anything else a run', async () => {
  using root = await installed();
  const said = async (name: string) => (await root.run('show', [name])).stderr.split('\n')[0];
  expect(await said('./none')).toBe('[ERROR] E_USAGE: "./none" cannot be read (ENOENT).');
  expect(await said('none.jsonl')).toBe('[ERROR] E_USAGE: "none.jsonl" cannot be read (ENOENT).');
  expect(await said('none')).toBe('[ERROR] E_RUN_UNKNOWN: There is no run "none".');
  expect(await said('/dev/null')).toBe('[ERROR] E_USAGE: "/dev/null" is not a regular file.');
  expect(await said(`${root.path}/`)).toBe(
    `[ERROR] E_USAGE: ${JSON.stringify(`${root.path}/`.slice(0, 60))} is not a regular file.`,
  );
});
