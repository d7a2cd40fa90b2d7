/** What somebody has put, or goes on putting, where the installer writes: nothing is ever written through it. */
import {
  chmodSync,
  chownSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { toPublicError } from '../../src/errors.ts';
import { install } from '../../src/install.ts';
import { temporaryRoot } from '../support/installer.ts';
import { files, installed, type Place } from '../support/place.ts';
import { changedPaths, treeOf } from '../support/tree.ts';

const stranger = 12_345;

interface Victim extends Disposable {
  readonly file: string;
  readonly directory: string;
  /** Paths in which anything is not as it was. */
  changed(): readonly string[];
}

/** Files outside of the root, and at the same path inside of it: wherever a link is followed to, it leads to one of them. */
function victimOf(root: Place): Victim {
  const outside = temporaryRoot();
  const places = [outside.path, root.at(outside.path)];
  for (const place of places) {
    mkdirSync(path.join(place, 'directory'), { recursive: true });
    writeFileSync(path.join(place, 'file'), 'theirs');
  }
  const before = places.map((place) => treeOf(place));
  return {
    file: path.join(outside.path, 'file'),
    directory: path.join(outside.path, 'directory'),
    changed: () => places.flatMap((place, nth) => changedPaths(before[nth]!, treeOf(place))),
    [Symbol.dispose]: () => outside[Symbol.dispose](),
  };
}

/** In the place of what is there, a link that is somebody's. */
function plant(at: string, target: string, owner: number): void {
  rmSync(at, { recursive: true });
  symlinkSync(target, at);
  lchownSync(at, owner, owner);
}

const managed = [
  files.env,
  files.code,
  files.socket,
  files.service,
  files.zones,
  files.snippet,
  files.site,
  files.siteLink,
  `${files.journal}/fingerprint.key`,
];

interface Ended {
  readonly exitCode: number;
  readonly code: string | null;
}

async function moved(root: Place, port: number): Promise<Ended> {
  const request = { edits: 'replace', settings: { LISTEN_PORT: String(port) } } as const;
  try {
    const { output } = await install({ root: root.path, request });
    return { exitCode: output.exitCode, code: output.error?.code ?? null };
  } catch (error) {
    // What is wrong with the way to the journal is found before there is a run.
    return { exitCode: 10, code: toPublicError(error).code };
  }
}

const refused: Ended = { exitCode: 10, code: 'E_PATH_UNSAFE' };

test.each(managed)('a link in the place of %s is refused, or replaced itself (security 3)', async (file) => {
  using root = await installed();
  using victim = victimOf(root);
  for (const owner of [0, stranger]) {
    plant(root.at(file), victim.file, owner);
    const { exitCode } = await moved(root, 9000);
    const leadsThere =
      lstatSync(root.at(file)).isSymbolicLink() && readlinkSync(root.at(file)) === victim.file;
    expect([
      { exitCode: 0, leadsThere: false },
      { exitCode: 10, leadsThere: true },
    ]).toContainEqual({ exitCode, leadsThere });
    expect(victim.changed()).toEqual([]);
  }
});

test.each([
  path.dirname(files.env),
  path.dirname(files.code),
  path.dirname(files.site),
  '/etc/systemd',
  '/var',
  // It is the lock as well.
  files.journal,
  `${files.journal}/runs`,
])('a link of somebody else in the place of the directory %s is refused (security 3)', async (directory) => {
  using root = await installed();
  using victim = victimOf(root);
  plant(root.at(directory), victim.directory, stranger);
  expect(await moved(root, 9000)).toEqual(refused);
  expect(victim.changed()).toEqual([]);
});

test('a directory on the way that somebody else has, or may write, is refused, wherever it is (security 4)', async () => {
  using root = await installed();
  // The journal's own directory is root's alone: below it nobody else gets anywhere.
  const directories = managed.flatMap((file) => {
    const names = file.split('/').slice(1, -1);
    return names.map((_, nth) => `/${names.slice(0, nth + 1).join('/')}`);
  });
  for (const directory of new Set(directories)) {
    const at = root.at(directory);
    const { mode, uid, gid } = statSync(at);
    for (const spoil of [() => chownSync(at, stranger, stranger), () => chmodSync(at, 0o777)]) {
      spoil();
      const before = root.look();
      expect({ directory, ...(await moved(root, 9000)) }).toEqual({ directory, ...refused });
      expect(root.look()).toEqual(before);
      chownSync(at, uid, gid);
      chmodSync(at, mode);
    }
  }
  expect(await moved(root, 9000)).toEqual({ exitCode: 0, code: null });
});

/** Goes on swapping a file for a link, and a directory for somebody else's link, to the victim's, and back. */
const swapping = `
const { workerData: { file, directory, victim, stranger, count } } = require('node:worker_threads');
const { lchownSync, renameSync, symlinkSync, unlinkSync, writeFileSync } = require('node:fs');
const tried = (make) => { try { make(); } catch {} };
for (;;) {
  tried(() => { symlinkSync(victim.file, file + '~'); renameSync(file + '~', file); });
  tried(() => { symlinkSync(victim.directory, directory + '~link'); });
  tried(() => { lchownSync(directory + '~link', stranger, stranger); });
  tried(() => { renameSync(directory, directory + '~'); renameSync(directory + '~link', directory); });
  tried(() => { unlinkSync(directory); });
  tried(() => { renameSync(directory + '~', directory); });
  tried(() => { writeFileSync(file + '~', 'planted'); renameSync(file + '~', file); });
  Atomics.add(count, 0, 1);
}`;

test('nothing is written through what is swapped while the installer works (security 6, 22)', async () => {
  using root = await installed();
  using victim = victimOf(root);
  const count = new Int32Array(new SharedArrayBuffer(4));
  const { file, directory } = victim;
  const workerData = {
    file: root.at(files.site),
    directory: root.at(path.dirname(files.env)),
    victim: { file, directory },
    stranger,
    count,
  };
  const worker = new Worker(swapping, { eval: true, workerData });
  const codes: number[] = [];
  try {
    for (let nth = 0; nth < 10; nth += 1) {
      const swapped = Atomics.load(count, 0);
      codes.push((await root.install(['--force-config', '--port', String(9000 + nth)])).exitCode);
      expect(Atomics.load(count, 0) - swapped).toBeGreaterThan(0);
    }
  } finally {
    await worker.terminate();
  }
  // Refused, made, put back, or left to be mended where what was to be put back was swapped as well.
  expect(codes.filter((code) => ![0, 10, 12, 13].includes(code))).toEqual([]);
  expect(victim.changed()).toEqual([]);
});
