/** What only the host in memory has: files from the beginning, and answers of the caller's. */
import { expect, test } from 'vitest';
import { createMemoryHost } from '../../src/effects/host/memory.ts';
import { tools } from '../../src/effects/tools.ts';
import { told } from '../support/told.ts';

const types = (host: ReturnType<typeof createMemoryHost>) =>
  [...host.nodes].map(([path, { type, mode }]) => [path, type, mode.toString(8)]);

test('files are there from the beginning, with their directories', () => {
  const host = createMemoryHost({ files: { '/a/b/file': 'text', '/top': '', '/a/other': 'o' } });
  expect(types(host)).toEqual([
    ['/', 'directory', '755'],
    ['/a', 'directory', '755'],
    ['/a/b', 'directory', '755'],
    ['/a/b/file', 'file', '644'],
    ['/top', 'file', '644'],
    ['/a/other', 'file', '644'],
  ]);
  expect([host.list('/'), host.list('/a'), host.list('/a/b/file'), host.list('/none')]).toEqual([
    ['a', 'top'],
    ['b', 'other'],
    null,
    null,
  ]);
  expect([host.root, host.owner, host.group]).toEqual(['/', 0, 0]);
});

test('files are told from what is none', async () => {
  const host = createMemoryHost({ files: { '/a/file': 'text' } });
  await host.makeLink('/a/link', '/a/file', null);
  expect(['/a/file', '/a', '/a/link', '/none'].map((path) => host.isFile(path))).toEqual([
    true,
    false,
    false,
    false,
  ]);
  expect(['/a/link', '/a/file', '/none'].map((path) => host.readLink(path))).toEqual(['/a/file', null, null]);
  const refusals = ['/a', '/a/link'].map((path) => told(() => host.readFile(path)));
  expect(await Promise.all(refusals)).toEqual([
    ['E_PATH_UNSAFE', '/a cannot be trusted: it is not a regular file.'],
    ['E_PATH_UNSAFE', '/a/link cannot be trusted: it is not a regular file.'],
  ]);
});

test('what cannot be made is refused with the reason, as on a disk', async () => {
  const host = createMemoryHost({ files: { '/a/file': 'text' } });
  const write = { mode: 0o600, expected: null };
  expect([
    await told(() => host.makeDirectory('/a', 0o700)),
    await told(() => host.remove('/a')),
    await told(() => host.setMode('/none', 0o600)),
    await told(() => host.writeFile('/none/file', new Uint8Array(), write)),
    await told(() => host.writeFile('/a/file/x', new Uint8Array(), write)),
    await told(() => host.writeFile('/a/file', new Uint8Array(), write)),
  ]).toEqual([
    ['E_WRITE_FAILED', '/a could not be written: EEXIST.'],
    ['E_WRITE_FAILED', '/a could not be written: ENOTEMPTY.'],
    ['E_WRITE_FAILED', '/none could not be written: ENOENT.'],
    ['E_WRITE_FAILED', '/none/file could not be written: its directory is missing.'],
    ['E_WRITE_FAILED', '/a/file/x could not be written: its directory is missing.'],
    ['E_CHANGED_UNDERWAY', '/a/file was changed by someone else between planning and writing.'],
  ]);
  const gone = { type: 'file', hash: null, mode: 0o600, uid: 0, gid: 0 } as const;
  expect(await told(() => host.writeFile('/b', new Uint8Array(), { mode: 0o600, expected: gone }))).toEqual([
    'E_CHANGED_UNDERWAY',
    '/b was changed by someone else between planning and writing.',
  ]);
});

test('each change is later than the one before, and a tree takes only what is in it along', async () => {
  const host = createMemoryHost({ files: { '/a/file': 'text', '/ab/file': 'text' } });
  const at = (): bigint => host.lstat('/a/file')!.changedNs;
  const times = [at()];
  await host.setMode('/a/file', 0o600);
  times.push(at());
  await host.writeFile('/a/file', Buffer.from('new'), {
    mode: 0o640,
    expected: { type: 'file', hash: null, mode: 0o600, uid: 0, gid: 0 },
    ownership: { uid: 3, gid: 4 },
  });
  times.push(at());
  expect(times).toEqual(times.toSorted((a, b) => Number(a - b)));
  expect(new Set(times).size).toBe(3);
  expect(host.lstat('/a/file')).toMatchObject({ type: 'file', mode: 0o640, uid: 3, gid: 4, size: 3 });
  await host.removeTree('/a');
  expect([...host.nodes.keys()]).toEqual(['/', '/ab', '/ab/file']);
});

test('every package is installed, no other program is there, and nobody answers', async () => {
  const host = createMemoryHost();
  const query = { file: tools.dpkgQuery, args: ['-W', '--showformat', 'nginx', 'python3'] };
  const installed = { exitCode: 0, stdout: 'nginx installed\npython3 installed\n', stderr: '' };
  const missing = { exitCode: 127, stdout: '', stderr: '' };
  expect([await host.query(query), await host.change(query)]).toEqual([installed, installed]);
  expect(await host.query({ file: '/bin/true', args: [] })).toEqual(missing);
  expect(await host.http({ address: '127.0.0.1', port: 1, path: '/' })).toEqual({
    ok: false,
    why: 'ECONNREFUSED',
  });
  await expect(host.pause(1)).resolves.toBeUndefined();
  expect([host.readSystem('/proc'), host.listSystem('/proc'), host.linkSystem('/proc')]).toEqual([
    null,
    null,
    null,
  ]);
});

test('the caller may answer instead', async () => {
  const answer = { ok: true, status: 200, headers: {}, body: 'b' } as const;
  const host = createMemoryHost({
    command: ({ file }) => ({ exitCode: 1, stdout: file, stderr: '' }),
    http: () => answer,
  });
  const ran = { exitCode: 1, stdout: '/p', stderr: '' };
  const command = { file: '/p', args: [] };
  expect([await host.query(command), await host.change(command)]).toEqual([ran, ran]);
  expect(await host.http({ address: '127.0.0.1', port: 1, path: '/' })).toBe(answer);
});
