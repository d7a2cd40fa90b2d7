/** The system calls of a replacement: in the order that survives a power cut, and nowhere but below the root. */
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { bundle } from '../support/installer.ts';
import { files, installed, place } from '../support/place.ts';
import { allCalls, changesNames, traced, type Call } from '../support/trace.ts';
import { treeOf } from '../support/tree.ts';

const isTemporary = (name: string): boolean =>
  /^\..+\.[0-9a-f]{16}\.mcp-installer-tmp$/u.test(path.basename(name));

const told = ({ name, flags, mode }: Call): string =>
  name === 'openat' || name === 'fchmod'
    ? [name, ...flags.filter((flag) => flag !== 'O_CLOEXEC').sort(), mode].filter(Boolean).join(' ')
    : name;

const isRecord = ({ name, path: file }: Call): boolean =>
  name === 'write' && path.basename(file) === 'journal.jsonl';

/**
 * What was done to the file that came to this name, and to its directory after that, before anything more was put on
 * record; writes in a row count as one.
 */
function storyOf(calls: readonly Call[], renamed: Call): readonly string[] {
  const { path: name, from } = renamed;
  const at = calls.indexOf(renamed);
  const before = calls.slice(0, at).filter((call) => call.path === from);
  const rest = calls.slice(at + 1);
  const untold = rest.slice(0, rest.findIndex(isRecord));
  const synced = untold.some(
    (call) => call.name === 'fsync' && path.normalize(call.path) === path.dirname(name),
  );
  const after = synced ? ['fsync directory'] : [];
  return [...before.map(told), 'rename', ...after].filter(
    (word, index, all) => word !== 'write' || all[index - 1] !== 'write',
  );
}

const story = (mode: string): readonly string[] => [
  'openat O_CREAT O_EXCL O_NOFOLLOW O_WRONLY 0600',
  'write',
  `fchmod ${mode}`,
  'fsync',
  'rename',
  'fsync directory',
];

const below = (root: string, file: string): string => file.slice(root.length);

test('system calls of a replacement come in the order that survives a power cut', async () => {
  using root = place();
  const modes = { [files.env]: '0600' } as Readonly<Record<string, string>>;
  const { env, code, socket, service, zones, snippet, site } = files;
  for (const [args, written] of [
    [[], [env, code, socket, service, zones, snippet, site]],
    [
      ['--port', '9000'],
      [env, socket, snippet, site],
    ],
    [['--force-rotate-tokens'], [env]],
  ] as const) {
    const { exitCode, calls } = await traced([...args, '--root', root.path]);
    expect({ args, exitCode }).toEqual({ args, exitCode: 0 });
    const renamed = calls.filter(
      (call) => call.name === 'rename' && !below(root.path, call.path).startsWith(files.journal),
    );
    const stories = renamed.map((call) => [below(root.path, call.path), storyOf(calls, call)]);
    expect(stories).toEqual(written.map((file) => [file, story(modes[file] ?? '0644')]));
  }
});

test('new files are announced at once, which is on disk before any of them is made, and each is told once it is there', async () => {
  using root = place();
  const { calls } = await traced(['--root', root.path]);
  const { code, socket, service, zones, snippet, site } = files;
  const group = [code, socket, service, zones, snippet, site];
  const record = (fact: string, file: string): number =>
    calls.findIndex((call) => isRecord(call) && call.data.includes(`"${fact}","path":"${file}"`));
  const announced = new Set(group.map((file) => record('replacing', file)));
  const told = new Set(group.map((file) => record('replaced', file)));
  const renames = group.map((file) =>
    calls.findIndex(({ name, path: to }) => name === 'rename' && to === root.at(file)),
  );
  const firstMade = calls.findIndex(
    ({ name, path: file }) => name === 'openat' && file === calls[Math.min(...renames)]?.from,
  );
  expect([announced.size, told.size]).toEqual([1, 1]);
  const [[announcing], [telling]] = [[...announced], [...told]] as [[number], [number]];
  const [next] = calls.slice(announcing + 1);
  expect([next?.name, next?.path]).toEqual(['fsync', calls[announcing]?.path]);
  expect([announcing < firstMade, Math.max(...renames) < telling]).toEqual([true, true]);
  expect(calls.slice(firstMade, telling).filter(isRecord)).toEqual([]);
});

test('a directory is made with its final mode, and is on disk, its name too, before anything is put into it', async () => {
  using root = place();
  const { calls } = await traced(['--root', root.path]);
  const made = calls.filter(
    (call) => call.name === 'mkdir' && path.basename(call.path) === 'mcp-oauth-proxy',
  );
  expect(made.map((call) => below(root.path, call.path))).toEqual([
    path.dirname(files.env),
    path.dirname(files.code),
  ]);
  for (const call of made) {
    const rest = calls.slice(calls.indexOf(call) + 1);
    const used = rest.findIndex((later) => changesNames(later) && path.dirname(later.path) === call.path);
    const done = rest
      .slice(0, used)
      .filter((later) => later.name !== 'openat' && [call.path, path.dirname(call.path)].includes(later.path))
      .map((later) => `${later.name} ${later.path === call.path ? 'itself' : 'parent'} ${later.mode}`.trim());
    const mode = call.path.startsWith(`${root.path}/etc`) ? '0700' : '0755';
    // Not 0700 until fchmod: a kill in between would leave a directory that others share closed to them.
    expect(call.mode.padStart(4, '0')).toBe(mode);
    expect(done.slice(0, 3)).toEqual([`fchmod itself ${mode}`, 'fsync itself', 'fsync parent']);
  }
});

test('a replaced link never has a temporary name where nginx looks, and its directory is synced', async () => {
  using root = await installed();
  rmSync(root.at(files.siteLink));
  symlinkSync('/etc/nginx/sites-available/other.conf', root.at(files.siteLink));
  const { exitCode, calls } = await traced(['--force-config', '--root', root.path]);
  expect(exitCode).toBe(0);
  const enabled = root.at(path.dirname(files.siteLink));
  const changes = calls.filter((call) => changesNames(call) && path.dirname(call.path) === enabled);
  expect(changes.map(({ name, path: file }) => [name, file])).toEqual([['rename', root.at(files.siteLink)]]);
  const [renamed] = changes as [Call];
  expect({ temporary: isTemporary(renamed.from), directory: path.dirname(renamed.from) }).toEqual({
    temporary: true,
    directory: root.at('/etc/nginx'),
  });
  const next = calls[calls.indexOf(renamed) + 1];
  expect([next?.name, next?.path]).toEqual(['fsync', enabled]);
});

test('nothing is made outside of the root by anybody, in /tmp and /var/tmp as little as anywhere (security 7)', async () => {
  using root = place();
  const temporary = ['/tmp', '/var/tmp'];
  for (const directory of temporary) mkdirSync(root.at(directory), { recursive: true });
  for (const args of [
    [],
    ['--port', '9000'],
    ['--force-rotate-tokens'],
    ['--dry-run', '--port', '9001'],
    ['rollback', '2'],
    ['uninstall', '--purge'],
  ]) {
    const { text } = await traced([...args, '--root', root.path]);
    const outside = allCalls(text).filter(
      (call) =>
        changesNames(call) &&
        !call.result.startsWith('-1') &&
        (!call.path.startsWith(`${root.path}/`) ||
          temporary.some((directory) => call.path.startsWith(root.at(directory)))),
    );
    expect({ args, outside }).toEqual({ args, outside: [] });
  }
});

test('a rename that is only said to be made is noticed: what was done is put back, and the next run is a fresh one', async () => {
  using root = place();
  // The first one is of the journal's key, the second of the env file.
  const lied = await traced(['--root', root.path], { inject: 'rename:retval=0:when=2', follow: 'main' });
  expect([lied.exitCode, lied.stderr]).toEqual([12, expect.stringContaining('E_WRITE_FAILED')]);
  const { exitCode } = await traced(['--root', root.path]);
  expect(exitCode).toBe(0);
});

/** Whatever the umask is that the installer is called with. */
const withoutUmask = ['sh', '-c', 'umask 000; exec "$@"', 'sh', process.execPath, bundle];

test('a file that secrets are written to is new, nobody else’s from its first instant, and its mode never changes (security 1)', async () => {
  using root = place();
  const known = new Set<string>();
  for (const args of [[], ['--port', '9000'], ['--force-rotate-tokens']]) {
    const { calls } = await traced([...args, '--root', root.path], { command: withoutUmask });
    for (const value of Object.values(root.secrets())) known.add(value);
    const holding = calls.flatMap(({ name, data, path: file }) =>
      name === 'write' && [...known].some((value) => data.includes(value)) ? [file] : [],
    );
    // Nor is a copy made of what is replaced.
    expect(holding.map((file) => [path.dirname(below(root.path, file)), isTemporary(file)])).toEqual([
      [path.dirname(files.env), true],
    ]);
    expect(calls.filter((call) => call.path === holding[0]).map(told)).toEqual(story('0600').slice(0, 4));
  }
});

test('modes and owners are set of what the run has made alone, through descriptors, and all of it is root’s (security 8)', async () => {
  using root = place();
  root.write('/etc/nginx/sites-available/theirs.conf', '# theirs\n');
  const user = process.geteuid?.();
  for (const args of [
    [],
    ['--port', '9000'],
    ['--force-rotate-tokens'],
    ['rollback', '2'],
    ['uninstall', '--purge'],
  ]) {
    const { text } = await traced([...args, '--root', root.path]);
    const calls = allCalls(text);
    const made = calls.flatMap((call) =>
      call.name === 'mkdir' || call.flags.includes('O_EXCL') ? [call.path] : [],
    );
    const set = calls.filter(({ name }) => /ch(mod|own)/u.test(name));
    expect(set.filter(({ name, path: file }) => name !== 'fchmod' || !made.includes(file))).toEqual([]);
    const owners = [...treeOf(root.path)].map(([name, words]) => [name, Number(words.split(' ')[1])]);
    expect(owners.filter(([, uid]) => uid !== user)).toEqual([]);
  }
});
