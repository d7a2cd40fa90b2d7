/** What is done about one file, and about one link: from what stands there, what should, and what was written last. */
import { describe, expect, test } from 'vitest';
import { toPublicError } from '../../../src/errors.ts';
import type { FileIdentity } from '../../../src/facts.ts';
import { createMemoryHost, type MemoryHost } from '../../../src/effects/host/memory.ts';
import type { Host } from '../../../src/effects/host/port.ts';
import { sha256 } from '../../../src/effects/identity.ts';
import { decideFile, decideLink } from '../../../src/effects/plan/files.ts';
import type { Request } from '../../../src/machines/types.ts';
import { emptyMemory, type Memory } from '../../../src/memory.ts';
import type { DesiredFile, DesiredLink } from '../../../src/products/product.ts';
import { emptyScope } from '../../support/scope.ts';
import { smallProduct } from '../../support/small-product.ts';

const path = '/etc/x/file';
const aside = `${path}.mcp-new`;
const [ours, theirs, older] = ['ours\n', 'theirs\n', 'older\n'];

const file: DesiredFile = {
  path,
  mode: 0o644,
  role: 'unit',
  content: Buffer.from(ours),
  affects: [],
  unknown: 'ask',
};

const identity = (text: string, more: Partial<FileIdentity> = {}): FileIdentity => ({
  type: 'file',
  hash: sha256(text),
  mode: 0o644,
  uid: 0,
  gid: 0,
  ...more,
});

const host = (files: Readonly<Record<string, string>>): MemoryHost => createMemoryHost({ files });
const without = (...paths: readonly string[]): MemoryHost =>
  host(Object.fromEntries(paths.map((each) => [`${each}/x`, ''])));

async function linked(at: string, target: string): Promise<MemoryHost> {
  const memory = without('/etc/x', '/etc/links');
  await memory.makeLink(at, target, null);
  return memory;
}

type Baselines = Memory['baselines'];
const scopeOf = (memory: Host, baselines: Baselines) =>
  emptyScope({ host: memory, product: smallProduct(), memory: () => ({ ...emptyMemory, baselines }) });

/** With bytes as text; code, message and remedy where it is refused. */
function decided(
  memory: Host,
  more: Partial<DesiredFile>,
  known: readonly string[] | null,
  edits: Request['edits'],
) {
  try {
    const scope = scopeOf(memory, known === null ? {} : { [path]: known });
    const decision = decideFile(scope, { ...file, ...more }, edits);
    const text = (bytes: Uint8Array | null): string | null =>
      bytes === null ? null : Buffer.from(bytes).toString();
    return {
      ...decision,
      ...('bytes' in decision ? { bytes: text(decision.bytes) } : {}),
      ...('before' in decision ? { before: text(decision.before) } : {}),
    };
  } catch (error) {
    return toPublicError(error);
  }
}
const plain = (memory: Host, more: Partial<DesiredFile> = {}, known: readonly string[] | null = null) =>
  decided(memory, more, known, 'refuse');

const operation = {
  kind: 'writeFile',
  path,
  role: 'unit',
  action: 'replace',
  before: identity(theirs),
  after: identity(ours),
  detail: [],
  because: null,
};
const write = (
  because: string | null,
  before: FileIdentity = identity(theirs),
  bytes: string | null = theirs,
) => ({
  kind: 'write',
  operation: { ...operation, before, because },
  bytes: ours,
  before: bytes,
});
const keptNote = {
  code: 'edit-kept',
  level: 'info',
  text: `${path} was edited by a person and is kept as it is.`,
};
const brokenNote = {
  code: 'edit-breaks',
  level: 'warning',
  text: `${path} was edited by a person and is kept, but it lacks what others of the installer's files rely on. To have it replaced: --force-config`,
};
const kept = { kind: 'nothing', notes: [keptNote], edited: true };
const offer = (note: object = keptNote) => ({
  kind: 'offer',
  operation: {
    ...operation,
    path: aside,
    role: 'new version of the unit',
    action: 'create',
    before: null,
    because: 'the edited file is kept',
  },
  bytes: ours,
  notes: [note],
});
const conflict = { kind: 'conflict', breaks: false };
const unsafe = (why: string) => ({
  code: 'E_PATH_UNSAFE',
  message: `${path} cannot be trusted: ${why}.`,
  remedy: 'Move it away, and run this again; it was not touched.',
});

describe('a file', () => {
  test('that is missing is written, for whoever stands for root', () => {
    expect(plain({ ...without('/etc/x'), owner: 5, group: 6 })).toEqual({
      kind: 'write',
      operation: { ...operation, action: 'create', before: null, after: identity(ours, { uid: 5, gid: 6 }) },
      bytes: ours,
      before: null,
    });
  });

  test('that is as wanted is left alone, whatever its group', () => {
    const nothing = { kind: 'nothing', notes: [], edited: false };
    expect(plain(host({ [path]: ours }))).toEqual(nothing);
    expect(plain({ ...host({ [path]: ours }), group: 6 }, {}, [sha256(older)])).toEqual(nothing);
  });

  test('of which only mode or owner differ is put right, also where nobody knows it', () => {
    const memory = host({ [path]: ours });
    const after = identity(ours, { mode: 0o600 });
    const written = write('mode or owner', identity(ours), ours);
    expect(plain(memory, { mode: 0o600, unknown: 'keep' })).toEqual({
      ...written,
      operation: { ...written.operation, after },
    });
    expect(plain({ ...memory, owner: 5 })).toEqual({
      ...written,
      operation: { ...written.operation, after: identity(ours, { uid: 5 }) },
    });
  });

  test('that an earlier run wrote, the last one or one before a kill, is replaced', () => {
    for (const known of [[sha256(theirs)], [sha256(theirs), sha256(older)], ['', sha256(theirs)]])
      expect(plain(host({ [path]: theirs }), {}, known)).toEqual(write(null));
  });

  test('cannot take the place of a directory or a device', () => {
    expect(plain(without(path))).toEqual(unsafe('it is a directory'));
    const memory = without('/etc/x');
    const device: Host = {
      ...memory,
      lstat: (at) => (at === path ? { ...memory.lstat('/etc/x')!, type: 'other' } : memory.lstat(at)),
    };
    expect(plain(device)).toEqual(unsafe('it is not a regular file'));
  });

  test('is no link, whatever that one’s target is called', async () => {
    const memory = await linked(path, sha256(ours));
    expect(plain(memory, { mode: 0o777 })).toEqual(conflict);
    expect(plain(memory, {})).toEqual(conflict);
  });
});

describe('a file of which no journal knows', () => {
  const memory = host({ [path]: theirs });

  test('is adopted, kept, or met by a question, as the product says', () => {
    expect(plain(memory, { unknown: 'adopt' })).toEqual(write('adopted: a backup is kept'));
    expect(plain(memory, { unknown: 'keep' })).toEqual(kept);
    expect(plain(memory, { unknown: 'ask' })).toEqual(conflict);
  });

  test('is replaced all the same where that is asked for, and no offer made where it is kept anyway', () => {
    expect(decided(memory, { unknown: 'keep' }, null, 'replace')).toEqual(write('edited: a backup is kept'));
    expect(decided(memory, { unknown: 'keep' }, null, 'keep')).toEqual(kept);
    expect(decided(memory, { unknown: 'ask' }, null, 'keep')).toEqual(offer());
  });

  test('is neither adopted nor kept where one does know it', () => {
    for (const unknown of ['adopt', 'keep'] as const)
      expect(plain(memory, { unknown }, [sha256(older)])).toEqual(conflict);
  });
});

describe('an edited file', () => {
  const memory = host({ [path]: theirs });
  const known = [sha256(older)];

  test('is kept where ours has not changed, by what was written last', () => {
    expect(plain(memory, {}, [sha256(ours)])).toEqual(kept);
    expect(plain(memory, {}, [sha256(older), sha256(ours)])).toEqual(kept);
    expect(plain(memory, {}, [sha256(ours), sha256(older)])).toEqual(conflict);
  });

  test('meets a change of ours: a conflict, or what was said', () => {
    expect(plain(memory, {}, known)).toEqual(conflict);
    expect(decided(memory, {}, known, 'replace')).toEqual(write('edited: a backup is kept'));
    expect(decided(memory, {}, known, 'keep')).toEqual(offer());
  });

  test('is kept without a word of ours where it does what ours would do', () => {
    const satisfied = { satisfiedBy: (text: string) => text === theirs };
    expect(plain(memory, satisfied, known)).toEqual(kept);
    expect(decided(memory, satisfied, known, 'keep')).toEqual(kept);
    expect(plain(memory, { ...satisfied, tunable: true }, known)).toEqual(kept);
    expect(plain(memory, { satisfiedBy: () => false }, known)).toEqual(conflict);
  });

  test('that may be tuned, and breaks what relies on it, is told to, also where ours has not changed', () => {
    const broken = { tunable: true, satisfiedBy: () => false };
    for (const baselines of [known, [sha256(ours)], null]) {
      expect(decided(memory, broken, baselines, 'refuse')).toEqual({ kind: 'conflict', breaks: true });
      expect(decided(memory, broken, baselines, 'keep')).toEqual(offer(brokenNote));
      expect(decided(memory, broken, baselines, 'replace')).toEqual(write('edited: a backup is kept'));
    }
    expect(plain(memory, { ...broken, tunable: false }, [sha256(ours)])).toEqual(kept);
    expect(plain(memory, { tunable: true }, [sha256(ours)])).toEqual(kept);
  });

  test('may be a link, of which nothing is read', async () => {
    const link = await linked(path, '/elsewhere');
    const before = identity('', { type: 'link', hash: '/elsewhere', mode: 0o777 });
    expect(decided(link, {}, known, 'replace')).toEqual(write('edited: a backup is kept', before, null));
    expect(plain(link, { satisfiedBy: (text) => text === '' }, known)).toEqual(kept);
  });
});

describe('what is laid beside an edited file', () => {
  const known = [sha256(older)];

  test('is not laid there twice', () => {
    expect(decided(host({ [path]: theirs, [aside]: ours }), {}, known, 'keep')).toEqual(kept);
    const broken = { tunable: true, satisfiedBy: () => false };
    expect(decided(host({ [path]: theirs, [aside]: ours }), broken, known, 'keep')).toEqual({
      ...kept,
      notes: [brokenNote],
    });
  });

  test('replaces what lay there before', () => {
    const { operation: made, ...rest } = offer();
    expect(decided(host({ [path]: theirs, [aside]: older }), {}, known, 'keep')).toEqual({
      ...rest,
      operation: { ...made, action: 'replace', before: identity(older) },
    });
  });
});

describe('a link', () => {
  const at = '/etc/links/file';
  const link: DesiredLink = { path: at, target: path, role: 'site', affects: [], unknown: 'keep' };
  const before = (target: string): FileIdentity => identity('', { type: 'link', hash: target, mode: 0o777 });

  function decidedLink(
    memory: Host,
    more: Partial<DesiredLink> = {},
    baselines: Baselines = {},
    edits: Request['edits'] = 'refuse',
    target: DesiredFile | null = file,
  ): unknown {
    try {
      return decideLink(scopeOf(memory, baselines), { ...link, ...more }, target ?? undefined, edits);
    } catch (error) {
      return toPublicError(error);
    }
  }
  const made = {
    kind: 'makeLink',
    path: at,
    role: 'site',
    action: 'replace',
    before: before('/other'),
    after: before(path),
    detail: [path],
    because: null,
  };
  const make = (found: FileIdentity, words: string | null = null) => ({
    kind: 'make',
    operation: { ...made, before: found },
    notes:
      words === null
        ? []
        : [{ code: 'link-replaced', level: 'warning', text: `${at} ${words}: it is replaced by the link.` }],
  });
  const keptFor = (offered: string) => ({
    kind: 'nothing',
    notes: [{ ...keptNote, text: keptNote.text.replace(path, at) }],
    kept: { path: at, offered },
  });
  const linkConflict = { kind: 'conflict' };

  test('that is missing is made, for whoever stands for root', () => {
    expect(decidedLink({ ...without('/etc/links'), owner: 5, group: 6 })).toEqual({
      kind: 'make',
      operation: { ...made, action: 'create', before: null, after: { ...before(path), uid: 5, gid: 6 } },
      notes: [],
    });
  });

  test.each([path, '../x/file', '/etc/links/../x/file'])(
    'that leads there is left alone: %s',
    async (target) => {
      expect(decidedLink(await linked(at, target))).toEqual({ kind: 'nothing', notes: [], kept: null });
    },
  );

  test('that leads elsewhere is replaced where a run of ours made it, or nobody knows it and it may be adopted', async () => {
    const memory = await linked(at, '/other');
    expect(decidedLink(memory, {}, { [at]: ['/other', '/last'] })).toEqual(make(before('/other')));
    expect(decidedLink(memory, { unknown: 'adopt' })).toEqual(make(before('/other'), 'was a link to /other'));
  });

  test('that leads elsewhere is a person’s otherwise: a conflict, or what was said', async () => {
    const memory = await linked(at, '/other');
    expect(decidedLink(memory)).toEqual(linkConflict);
    expect(decidedLink(memory, {}, { [at]: ['/third'] })).toEqual(linkConflict);
    expect(decidedLink(memory, {}, {}, 'replace')).toEqual(make(before('/other'), 'was a link to /other'));
    expect(decidedLink(memory, {}, {}, 'keep')).toEqual(keptFor(sha256(ours)));
  });

  test.each<readonly [string, Readonly<Record<string, string>>, Baselines]>([
    ['what the link leads to', { [path]: theirs }, {}],
    ['what was written there', {}, { [path]: [sha256(older), sha256(theirs)] }],
  ])('in whose place a copy stands of %s is made', (_, files, baselines) => {
    expect(decidedLink(host({ ...files, [at]: theirs }), {}, baselines)).toEqual(
      make(identity(theirs), `was a copy of ${path}`),
    );
  });

  test('in whose place a copy stands of what is about to be written is made', () => {
    expect(decidedLink(host({ [at]: ours }))).toEqual(make(identity(ours), `was a copy of ${path}`));
  });

  test('in whose place a file of its own stands is made where it may be adopted', () => {
    expect(decidedLink(host({ [at]: theirs }), { unknown: 'adopt' })).toEqual(
      make(identity(theirs), 'was a file of its own, of which a backup is kept'),
    );
  });

  test('in whose place a file of its own stands is an edit otherwise: a conflict, or what was said', () => {
    const memory = host({ [at]: theirs, [path]: older });
    expect(decidedLink(memory)).toEqual(linkConflict);
    expect(decidedLink(memory, {}, {}, 'replace')).toEqual(
      make(identity(theirs), 'was a file of its own, of which a backup is kept'),
    );
    expect(decidedLink(memory, {}, {}, 'keep')).toEqual(keptFor(sha256(ours)));
  });

  test('to what is no file of ours is no copy of one, and is kept for its target', () => {
    const memory = host({ [at]: ours });
    expect(decidedLink(memory, {}, {}, 'refuse', null)).toEqual(linkConflict);
    expect(decidedLink(memory, {}, {}, 'keep', null)).toEqual(keptFor(path));
    expect(decidedLink(memory, {}, { [at]: [path] }, 'refuse', null)).toEqual(keptFor(path));
  });

  test('that was kept stays so as long as the same file would be written', () => {
    const memory = host({ [at]: theirs });
    expect(decidedLink(memory, {}, { [at]: [sha256(older), sha256(ours)] })).toEqual(keptFor(sha256(ours)));
    expect(decidedLink(memory, {}, { [at]: [sha256(ours), sha256(older)] })).toEqual(linkConflict);
  });

  test('cannot take the place of a directory', () => {
    expect(decidedLink(without(at))).toMatchObject({
      code: 'E_PATH_UNSAFE',
      message: `${at} cannot be trusted: it is a directory.`,
    });
  });
});
