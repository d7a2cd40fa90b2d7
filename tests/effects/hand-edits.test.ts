/** What a person did to a file, met by what the product does to it: all nine combinations, and what is remembered of them. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { install, type InstallOptions } from '../../src/install.ts';
import type { Product } from '../../src/products/product.ts';
import { defineService } from '../../src/products/service/index.ts';
import { place, type Place } from '../support/place.ts';
import { signerDefinition } from '../products/signer.ts';

const file = '/usr/local/lib/signer/extra.conf';
const aside = `${file}.mcp-new`;

/** The service with this text in the file, or without that file. */
const withFile = (content: string | null): Product =>
  defineService({
    ...signerDefinition,
    files: [...(signerDefinition.files ?? []), ...(content === null ? [] : [{ path: file, content }])],
  });

const written = 'written\n';
const products = { unchanged: withFile(written), changed: withFile('newer\n'), gone: withFile(null) };

const persons: Readonly<Record<string, (root: Place) => void>> = {
  unchanged: () => undefined,
  edited: (root) => writeFileSync(root.at(file), 'mine\n'),
  deleted: (root) => rmSync(root.at(file)),
};

async function run(root: Place, product: Product, options: InstallOptions = {}) {
  const { output } = await install({ root: root.path, product, ...options });
  return {
    outcome: output.outcome,
    error: output.error?.code ?? null,
    notes: output.notes.flatMap(({ code }) =>
      ['services-offline', 'packages-named'].includes(code) ? [] : [code],
    ),
    file: existsSync(root.at(file)) ? root.read(file) : null,
  };
}

async function prepared(person: string): Promise<Place> {
  const root = place();
  await run(root, products.unchanged);
  persons[person]!(root);
  return root;
}

const nothing = { outcome: 'unchanged', error: null, notes: [] };
const done = { outcome: 'installed', error: null, notes: [] };
const refused = { outcome: 'refused', error: 'E_EDIT_CONFLICT', notes: [] };
const kept = { outcome: 'unchanged', error: null, notes: ['edit-kept'] };

/** By the person, by the product, what a plain run does, and what the same run does once more. */
const combinations = [
  ['unchanged', 'unchanged', { ...nothing, file: written }, { ...nothing, file: written }],
  ['unchanged', 'changed', { ...done, file: 'newer\n' }, { ...nothing, file: 'newer\n' }],
  ['unchanged', 'gone', { ...done, file: null }, { ...nothing, file: null }],
  ['edited', 'unchanged', { ...kept, file: 'mine\n' }, { ...kept, file: 'mine\n' }],
  ['edited', 'changed', { ...refused, file: 'mine\n' }, { ...refused, file: 'mine\n' }],
  // Said once: from then on it is a file like any other.
  ['edited', 'gone', { ...kept, file: 'mine\n' }, { ...nothing, file: 'mine\n' }],
  ['deleted', 'unchanged', { ...done, file: written }, { ...nothing, file: written }],
  ['deleted', 'changed', { ...done, file: 'newer\n' }, { ...nothing, file: 'newer\n' }],
  ['deleted', 'gone', { ...nothing, file: null }, { ...nothing, file: null }],
] as const;

describe('a plain run', () => {
  test.each(combinations)('%s by a person, %s in the product', async (person, product, first, second) => {
    using root = await prepared(person);
    expect(await run(root, products[product])).toEqual(first);
    expect(await run(root, products[product])).toEqual(second);
  });
});

describe('where both changed', () => {
  test('--keep-edited lays ours beside it, once, and takes that away when the edit is gone', async () => {
    using root = await prepared('edited');
    const keeping = { request: { edits: 'keep' } } as const;
    expect(await run(root, products.changed, keeping)).toEqual({
      ...done,
      notes: ['edit-kept'],
      file: 'mine\n',
    });
    expect(root.read(aside)).toBe('newer\n');
    expect(await run(root, products.changed)).toEqual({ ...kept, file: 'mine\n' });
    expect(root.read(aside)).toBe('newer\n');
    // The person has merged both.
    writeFileSync(root.at(file), 'newer\n');
    expect(await run(root, products.changed)).toEqual({ ...done, file: 'newer\n' });
    expect(existsSync(root.at(aside))).toBe(false);
    expect(await run(root, products.changed)).toEqual({ ...nothing, file: 'newer\n' });
  });

  test('what lies beside it is a person’s once it was edited', async () => {
    using root = await prepared('edited');
    await run(root, products.changed, { request: { edits: 'keep' } });
    writeFileSync(root.at(aside), 'half merged\n');
    expect(await run(root, products.changed, { request: { edits: 'replace' } })).toEqual({
      ...done,
      notes: ['edit-kept'],
      file: 'newer\n',
    });
    expect(root.read(aside)).toBe('half merged\n');
  });

  test('--force-config replaces it, and a rollback brings the edit back', async () => {
    using root = await prepared('edited');
    expect(await run(root, products.changed, { request: { edits: 'replace' } })).toEqual({
      ...done,
      file: 'newer\n',
    });
    expect(await run(root, products.changed, { request: { undo: { kind: 'rollback', run: null } } })).toEqual(
      { ...done, file: 'mine\n' },
    );
    // Still an edit, not what the installer wrote.
    expect(await run(root, products.changed)).toEqual({ ...refused, file: 'mine\n' });
  });
});

describe('what is gone from the product', () => {
  test('a dry run predicts that it goes, and a rollback brings it back', async () => {
    using root = await prepared('unchanged');
    const dry = await install({ root: root.path, product: products.gone, dryRun: true });
    expect(root.read(file)).toBe(written);
    const { output } = await install({ root: root.path, product: products.gone });
    expect(dry.output.plan).toEqual(output.plan);
    expect(output.plan?.operations.map(({ kind, path, because }) => [kind, path, because])).toEqual([
      ['removeFile', file, 'no longer part of signer'],
    ]);
    const undo = { kind: 'rollback', run: null } as const;
    expect(await run(root, products.gone, { request: { undo } })).toEqual({ ...done, file: written });
    expect(await run(root, products.unchanged)).toEqual({ ...nothing, file: written });
  });

  test('in its next version it may come back: an edit of then is still one', async () => {
    using root = await prepared('edited');
    await run(root, products.gone);
    expect(await run(root, products.unchanged)).toEqual({ ...refused, file: 'mine\n' });
  });
});
