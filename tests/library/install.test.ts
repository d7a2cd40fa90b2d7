/** The library's `install` in one process: again and at once, with listeners that throw, with what it cannot know. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { InstallerError, toPublicError } from '../../src/errors.ts';
import type { FileIdentity } from '../../src/facts.ts';
import { sha256 } from '../../src/effects/identity.ts';
import { install, type InstallOptions } from '../../src/install.ts';
import { Journal } from '../../src/journal/journal.ts';
import { readMemory } from '../../src/journal/reader.ts';
import { installerMachine, machineVersion } from '../../src/machines/installer.ts';
import { files, installed, place, type Place } from '../support/place.ts';

const ended = async (root: Place, options: InstallOptions = {}) => {
  const { output } = await install({ root: root.path, ...options });
  return { outcome: output.outcome, exitCode: output.exitCode, error: output.error?.code ?? null };
};
const done = { outcome: 'installed', exitCode: 0, error: null };
const nothing = { outcome: 'unchanged', exitCode: 0, error: null };

describe('in one process', () => {
  test('a second run on the same root finds nothing to do, a third one rotates', async () => {
    using root = place();
    expect(await ended(root)).toEqual(done);
    expect(await ended(root)).toEqual(nothing);
    expect(await ended(root, { request: { rotate: 'all' } })).toEqual(done);
    expect(root.runs()).toHaveLength(3);
  });

  test('of two runs at once one is busy and changes nothing', async () => {
    using root = await installed();
    const before = root.secrets();
    const rotate = { request: { rotate: ['CLIENT_ID'] } };
    const both = await Promise.all([ended(root, rotate), ended(root, rotate)]);
    expect(both.toSorted((a, b) => a.exitCode - b.exitCode)).toEqual([
      done,
      { outcome: 'busy', exitCode: 11, error: 'E_BUSY' },
    ]);
    expect(root.runs()).toHaveLength(2);
    const after = root.secrets();
    expect(Object.keys(after).filter((name) => after[name] !== before[name])).toEqual(['CLIENT_ID']);
    expect(await ended(root)).toEqual(nothing);
  });
});

test('a listener that throws does not stop the run, hears no more, and is a bug that is told', async () => {
  using root = place();
  const thrown = new Error('nobody there');
  const bugs: unknown[] = [];
  let heard = 0;
  const result = await ended(root, {
    onEvent: () => {
      heard += 1;
      throw thrown;
    },
    onBug: (bug) => bugs.push(bug),
  });
  expect({ result, heard, bugs }).toEqual({ result: done, heard: 1, bugs: [thrown] });
  expect(existsSync(root.at(files.env))).toBe(true);
});

describe('what the product does not have is bad usage, and nothing is touched:', () => {
  const wrong: readonly (readonly [string, InstallOptions, string])[] = [
    ['a secret to rotate', { request: { rotate: ['TOKEN'] } }, 'TOKEN'],
    ['no secret to rotate', { request: { rotate: [] } }, 'request.rotate'],
    ['a setting', { request: { settings: { DOMIAN: 'a.example.org' } } }, 'DOMIAN'],
    ['the value of a setting', { request: { settings: { LISTEN_PORT: '80' } } }, 'LISTEN_PORT'],
    ['a setting to forget', { request: { unset: ['DOMIAN'] } }, 'DOMIAN'],
    ['a supplied secret', { supplied: new Map([['TOKEN', 'x'.repeat(40)]]) }, 'TOKEN'],
    ['the value of a supplied secret', { supplied: new Map([['MCP_TOKEN', 'a b']]) }, 'MCP_TOKEN'],
    ['a secret to forget that is always there', { request: { unset: ['MCP_TOKEN'] } }, 'MCP_TOKEN'],
    ['to rotate what is never generated', { request: { rotate: ['OWNER_PASSWORD'] } }, 'OWNER_PASSWORD'],
    [
      'to forget what is supplied',
      { request: { unset: ['OWNER_PASSWORD'] }, supplied: new Map([['OWNER_PASSWORD', 'x'.repeat(12)]]) },
      'OWNER_PASSWORD',
    ],
    ['a source without code', { request: { source: 'file' } }, 'source'],
  ];

  test.each(wrong)('%s', async (_, options, name) => {
    using root = place();
    const refused = await install({ root: root.path, ...options }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(InstallerError);
    expect(toPublicError(refused)).toMatchObject({
      code: 'E_USAGE',
      message: expect.stringContaining(name) as string,
    });
    expect([...root.look().keys()]).toEqual(['']);
  });
});

/** A run that is killed after it has announced a replacement and before it has made it. */
function killedBeforeItReplaced(root: Place, file: string, wanted: string): void {
  const home = root.at(files.journal);
  const { memory, lastId } = readMemory(home);
  const journal = new Journal({
    machine: { id: installerMachine.id, version: machineVersion },
    installer: memory.installer ?? '0.1.0',
    command: 'install',
    input: {},
    inherited: memory,
    lastId,
  });
  const identity = (text: string): FileIdentity => ({
    type: 'file',
    hash: sha256(text),
    mode: 0o644,
    uid: process.geteuid!(),
    gid: process.getegid!(),
  });
  const [before, after] = [identity(root.read(file)), identity(wanted)];
  journal.fact({ fact: 'replacing', path: file, before, after, backup: null });
  journal.attach(home);
}

test('what a killed run and a failed one leave stale is not taken for a person’s edit', async () => {
  using root = await installed();
  const site = root.read(files.site);
  killedBeforeItReplaced(root, files.site, site.replaceAll('8084', '9001'));
  // The next one wants something else there and fails: after it every version that may be on disk is known still.
  const failing = await ended(root, {
    request: { settings: { LISTEN_PORT: '9100' } },
    interrupt: AbortSignal.abort('SIGTERM'),
  });
  expect(failing.exitCode).toBe(143);
  const told: string[] = [];
  const result = await ended(root, {
    request: { settings: { LISTEN_PORT: '9200' } },
    onEvent: (event) => told.push(JSON.stringify(event)),
  });
  expect({ result, edited: told.filter((line) => line.includes('edited')) }).toEqual({
    result: done,
    edited: [],
  });
  expect(root.read(files.site)).toContain('listen 127.0.0.1:9201;');
});

test('a run that fails in the middle puts back what was known of each file', async () => {
  using root = await installed();
  const site = root.read(files.site);
  killedBeforeItReplaced(root, files.site, site.replaceAll('8084', '9001'));
  const stop = new AbortController();
  const result = await ended(root, {
    request: { settings: { LISTEN_PORT: '9100' } },
    interrupt: stop.signal,
    onEvent: (event) => {
      if (event.type === 'operation' && event.operation.path === files.site) stop.abort('SIGTERM');
    },
  });
  expect({ ...result, site: root.read(files.site) }).toEqual({
    outcome: 'interrupted',
    exitCode: 143,
    error: 'E_INTERRUPTED',
    site,
  });
  expect(readMemory(root.at(files.journal)).memory.baselines[files.site]).toEqual([
    sha256(site),
    sha256(site.replaceAll('8084', '9001')),
  ]);
  expect(await ended(root)).toEqual(nothing);
  expect(await ended(root, { request: { settings: { LISTEN_PORT: '9200' } } })).toEqual(done);
});

test('a rotation of a lost host that fails leaves it lost', async () => {
  using root = await installed();
  rmSync(root.at(files.env));
  // Nothing but the journal tells of it then.
  for (const file of [files.service, files.socket]) rmSync(root.at(file));
  const stop = new AbortController();
  const failed = await ended(root, {
    request: { rotate: 'all' },
    interrupt: stop.signal,
    onEvent: (event) => {
      if (event.type === 'operation' && event.operation.path === files.env) stop.abort('SIGTERM');
    },
  });
  expect([failed.exitCode, existsSync(root.at(files.env))]).toEqual([143, false]);
  expect(await ended(root)).toEqual({ outcome: 'refused', exitCode: 10, error: 'E_ENV_LOST' });
  expect(await ended(root, { request: { rotate: 'all' } })).toEqual(done);
});

test('others have their turn between two changes: who cancels from there is heard, and what watches sees each', async () => {
  using root = place();
  const stop = new AbortController();
  const operations: number[] = [];
  const turns: number[] = [];
  const result = await ended(root, {
    interrupt: stop.signal,
    onEvent: (event) => {
      if (event.type !== 'operation') return;
      operations.push(event.index);
      setImmediate(() => {
        turns.push(event.index);
        if (event.index === 3) stop.abort('SIGINT');
      });
    },
  });
  expect({ ...result, operations, turns }).toEqual({
    outcome: 'interrupted',
    exitCode: 130,
    error: 'E_INTERRUPTED',
    operations: [0, 1, 2, 3],
    turns: [0, 1, 2, 3],
  });
});

describe('the copy of a file that is replaced', () => {
  const backupsOf = (root: Place): Readonly<Record<string, string>> => {
    const records = readFileSync(root.at(root.journal()), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { fact?: { fact: string; path: string; backup: string | null } });
    return Object.fromEntries(
      records.flatMap(({ fact }) =>
        fact?.fact === 'replacing' && fact.backup !== null ? [[fact.path, fact.backup]] : [],
      ),
    );
  };
  const copyOf = (root: Place, name: string): string =>
    root.read(`${root.journal().replace('/journal.jsonl', '')}/${name}`);

  test('hides a secret that the file repeats, in every spelling, and says so by its name', async () => {
    using root = await installed();
    const { MCP_TOKEN: token = '', CLIENT_ID: id = '' } = root.secrets();
    const base64 = Buffer.from(token).toString('base64');
    const text = (a: string, b: string, c: string): string => `# mine\nset $t "${a}";\n# ${b} ${c}\n`;
    root.write(files.snippet, text(token, base64, id));
    expect(await ended(root, { request: { edits: 'replace' } })).toEqual(done);
    const backups = backupsOf(root);
    expect(backups).toEqual({ [files.snippet]: 'before/1.masked' });
    expect(copyOf(root, 'before/1.masked')).toBe(text('<MCP_TOKEN>', '<MCP_TOKEN>', '<CLIENT_ID>'));
  });

  test('is the same bytes where a short secret is a word of it', async () => {
    using root = await installed();
    root.write(files.env, root.read(files.env).replace(/CLIENT_ID=.*/u, 'CLIENT_ID=mcp'), 0o600);
    const text = '# mine: mcp is a word here\nset $x "mcp";\n';
    root.write(files.snippet, text);
    expect(await ended(root, { request: { edits: 'replace' } })).toEqual(done);
    expect(backupsOf(root)).toEqual({ [files.snippet]: 'before/1' });
    expect(copyOf(root, 'before/1')).toBe(text);
  });

  test('hides a short secret where it stands behind its name', async () => {
    using root = await installed();
    root.write(files.env, root.read(files.env).replace(/CLIENT_ID=.*/u, 'CLIENT_ID=mcp'), 0o600);
    root.write(files.snippet, '# mcp\n# CLIENT_ID=mcp CLIENT_ID="mcp"\n');
    expect(await ended(root, { request: { edits: 'replace' } })).toEqual(done);
    expect(backupsOf(root)).toEqual({ [files.snippet]: 'before/1.masked' });
    expect(copyOf(root, 'before/1.masked')).toBe('# mcp\n# CLIENT_ID=<CLIENT_ID> CLIENT_ID="<CLIENT_ID>"\n');
  });
});
