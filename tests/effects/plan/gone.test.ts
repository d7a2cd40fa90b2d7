/** What an earlier run wrote and the product does not have any more: ours goes, a person's stays and is said once. */
import { describe, expect, test } from 'vitest';
import { createMemoryHost, type MemoryHost } from '../../../src/effects/host/memory.ts';
import { sha256 } from '../../../src/effects/identity.ts';
import { affectsOf, goneFrom } from '../../../src/effects/plan/gone.ts';
import type { KeptEdit } from '../../../src/effects/scope.ts';
import { emptyMemory } from '../../../src/memory.ts';
import type { Desired } from '../../../src/products/product.ts';
import { emptyScope } from '../../support/scope.ts';
import { nothingDesired, smallProduct } from '../../support/small-product.ts';

const ours = sha256('ours\n');
const path = '/usr/lib/small/extra';
const aside = `${path}.mcp-new`;

const gone = (
  host: MemoryHost,
  baselines: Readonly<Record<string, readonly string[]>>,
  desired: Partial<Desired> = {},
  kept: readonly KeptEdit[] = [],
) =>
  goneFrom(
    emptyScope({ host, product: smallProduct(), memory: () => ({ ...emptyMemory, baselines }) }),
    { ...nothingDesired, ...desired },
    kept,
  );
const host = (files: Readonly<Record<string, string>>): MemoryHost => createMemoryHost({ files });
const nothing = { operations: [], notes: [], forgotten: [] };
const removal = {
  kind: 'removeFile',
  path,
  role: 'file',
  action: 'remove',
  before: { type: 'file', hash: ours, mode: 0o644, uid: 0, gid: 0 },
  after: null,
  detail: [],
  because: 'no longer part of small',
};
const stays = {
  operations: [],
  notes: [
    {
      code: 'edit-kept',
      level: 'info',
      text: `${path} is no longer part of small; a person edited it, so it is kept.`,
    },
  ],
  forgotten: [{ path, baselines: [''] }],
};

describe('what is no longer part of the product', () => {
  test('goes where it is as the installer wrote it, last or before a kill', () => {
    for (const baselines of [[ours], [ours, 'newer'], ['', ours]])
      expect(gone(host({ [path]: 'ours\n' }), { [path]: baselines })).toEqual({
        ...nothing,
        operations: [removal],
      });
  });

  test('goes where it is a link of the installer’s', async () => {
    const memory = host({ '/usr/lib/small/x': '' });
    await memory.makeLink(path, '/target', null);
    const identity = { type: 'link', hash: '/target', mode: 0o777, uid: 0, gid: 0 };
    expect(gone(memory, { [path]: ['/target'] })).toEqual({
      ...nothing,
      operations: [{ ...removal, role: 'link', before: identity }],
    });
  });

  test('goes with another reason where it lay beside an edit', () => {
    const { operations } = gone(host({ [aside]: 'ours\n' }), { [aside]: [ours] });
    expect(operations).toEqual([{ ...removal, path: aside, because: 'the edit is gone' }]);
  });

  test('is forgotten where nothing is there', () => {
    expect(gone(host({}), { [path]: [ours] })).toEqual({ ...nothing, forgotten: [{ path, baselines: [] }] });
  });

  test('stays where a person edited it or put a directory there, and is theirs from then on', () => {
    expect(gone(host({ [path]: 'mine\n' }), { [path]: [ours] })).toEqual(stays);
    expect(gone(host({ [`${path}/x`]: '' }), { [path]: [ours] })).toEqual(stays);
    // What a kill left unclear is no saying of it.
    expect(gone(host({ [path]: 'mine\n' }), { [path]: ['', ours] })).toEqual(stays);
  });

  test('is said once', () => {
    expect(gone(host({ [path]: 'mine\n' }), { [path]: [''] })).toEqual(nothing);
  });

  test('is one after the other, whatever the one before was', () => {
    const [first, second] = ['/usr/lib/small/a', '/usr/lib/small/b'];
    const baselines = { [first]: [''], '/usr/lib/small/none': [ours], [second]: ['other'], [path]: [ours] };
    expect(gone(host({ [first]: '', [second]: '', [path]: 'ours\n' }), baselines)).toEqual({
      operations: [removal],
      notes: [{ ...stays.notes[0], text: stays.notes[0]!.text.replace(path, second) }],
      forgotten: [
        { path: '/usr/lib/small/none', baselines: [] },
        { path: second, baselines: [''] },
      ],
    });
  });
});

describe('what still is part of it is not gone:', () => {
  const memory = host({ [path]: 'ours\n', [aside]: 'ours\n' });
  const file = {
    path,
    mode: 0o644,
    role: '',
    content: Buffer.from(''),
    affects: [],
    unknown: 'adopt',
  } as const;

  test('a file, a link, and what is left as it is', () => {
    const link = { path, target: '/x', role: '', affects: [], unknown: 'adopt' } as const;
    for (const desired of [{ files: [file] }, { links: [link] }, { leaves: [path] }])
      expect(gone(memory, { [path]: [ours] }, desired)).toEqual(nothing);
  });

  test('and what lies beside an edit as long as the edit is kept', () => {
    expect(gone(memory, { [aside]: [ours] }, {}, [{ path, offered: ours }])).toEqual(nothing);
    expect(gone(memory, { [aside]: [ours] }, { files: [file] }).operations).toHaveLength(1);
  });
});

test.each([
  ['a unit', '/etc/systemd/system/small.service', ['unit']],
  ['a unit that lay beside an edit', '/etc/systemd/system/small.service.mcp-new', ['unit']],
  ['a site', '/etc/nginx/sites-available/small.conf', ['web']],
  ['a site that lay beside an edit, which nginx never read', '/etc/nginx/conf.d/small.conf.mcp-new', []],
  ['anything else', '/usr/lib/small/small.py', ['service']],
  ['what only has the same end', '/srv/etc/nginx/x', ['service']],
  ['what only has the same end as units', '/srv/etc/systemd/system/x', ['service']],
])('%s affects those who read it', (_, file, affects) => {
  expect(affectsOf(file)).toEqual(affects);
});
