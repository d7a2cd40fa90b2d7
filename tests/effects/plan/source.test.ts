/** Which code is installed: decided from what is asked for, from what stands on disk, and from what was written there last. */
import { describe, expect, test } from 'vitest';
import { createMemoryHost, type MemoryHost } from '../../../src/effects/host/memory.ts';
import { createRealHost } from '../../../src/effects/host/real.ts';
import { sha256 } from '../../../src/effects/identity.ts';
import { chooseSource, insteadOf } from '../../../src/effects/plan/source.ts';
import type { Scope } from '../../../src/effects/scope.ts';
import { defaultRequest } from '../../../src/machines/request.ts';
import type { Request } from '../../../src/machines/types.ts';
import { emptyMemory, type Memory } from '../../../src/memory.ts';
import { place } from '../../support/place.ts';
import { emptyScope } from '../../support/scope.ts';
import { smallFiles, smallProduct } from '../../support/small-product.ts';
import { told } from '../../support/told.ts';

const product = smallProduct();
const { code } = smallFiles;
const [bundled, own, edited] = ['# bundled\n', '# own\n', '# edited\n'];
const hashes = { bundled: sha256(bundled), own: sha256(own) };

const withCode = (text: string | null): MemoryHost =>
  createMemoryHost(text === null ? {} : { files: { [code]: text } });

function scopeOf(host: MemoryHost, known: Partial<Memory>, source: string | null = null): Scope {
  const memory = (): Memory => ({ ...emptyMemory, ...known });
  return emptyScope({ host, product, memory, source: source === null ? null : Buffer.from(source) });
}

/** Origin, code and notes. */
async function chosen(scope: Scope, source: Request['source'] = 'kept'): Promise<unknown> {
  return told(() => {
    const found = chooseSource(scope, { ...defaultRequest('small'), source });
    return [found.origin, Buffer.from(found.code).toString(), found.notes];
  });
}

const theBundled = ['bundled', bundled, []];
const kept = {
  code: 'source-kept',
  level: 'info',
  text: `${code} came from --source and is kept; --source bundled goes back.`,
};
const supplied: Partial<Memory> = {
  baselines: { [code]: [hashes.own] },
  sourcesSupplied: [hashes.own],
  sourcesInsteadOf: { [hashes.own]: hashes.bundled },
};

describe('what is asked for', () => {
  test('is taken, whatever stands there', async () => {
    expect(await chosen(scopeOf(withCode(edited), supplied, own), 'file')).toEqual(['file', own, []]);
    expect(await chosen(scopeOf(withCode(own), supplied, own), 'bundled')).toEqual(theBundled);
  });

  test('is nothing that was handed over without being asked for, or asked for without being handed over', async () => {
    expect(await chosen(scopeOf(withCode(null), {}, own))).toEqual(theBundled);
    expect(await chosen(scopeOf(withCode(null), {}), 'file')).toEqual(theBundled);
  });

  test('is the bundled one of a product of whose files none may be replaced', async () => {
    using root = place();
    const host = createRealHost({ root: root.path });
    const scope = emptyScope({ host, product: smallProduct({ codeFile: null }) });
    expect(await chosen(scope)).toEqual(theBundled);
  });
});

describe('where nothing is asked for', () => {
  test('the bundled one is installed where nothing is there, or nothing is known of it', async () => {
    expect(await chosen(scopeOf(withCode(null), {}))).toEqual(theBundled);
    expect(await chosen(scopeOf(withCode(own), {}))).toEqual(theBundled);
  });

  test('code of the user’s stays, and so does an edit of it', async () => {
    expect(await chosen(scopeOf(withCode(own), supplied))).toEqual(['file', own, [kept]]);
    expect(await chosen(scopeOf(withCode(edited), supplied))).toEqual(['file', edited, [kept]]);
  });

  test('an edit of the bundled one is none of the user’s own', async () => {
    const known = { ...supplied, baselines: { [code]: [hashes.bundled] } };
    expect(await chosen(scopeOf(withCode(edited), known))).toEqual(theBundled);
  });

  test('what is on disk decides where a kill left both known, or the journal knows it under another name', async () => {
    const both = { ...supplied, baselines: { [code]: [hashes.bundled, hashes.own] } };
    expect(await chosen(scopeOf(withCode(bundled), both))).toEqual(theBundled);
    expect(await chosen(scopeOf(withCode(own), both))).toEqual(['file', own, [kept]]);
    const other = { ...supplied, baselines: { [code]: [hashes.bundled] } };
    expect(await chosen(scopeOf(withCode(own), other))).toEqual(['file', own, [kept]]);
  });

  test('what is lost is told, but not where a kill came before it was written', async () => {
    expect(await chosen(scopeOf(withCode(null), supplied))).toEqual([
      'E_SOURCE_LOST',
      `${code} came from --source, is gone, and cannot be made again.`,
    ]);
    const killed = { ...supplied, baselines: { [code]: ['', hashes.own] } };
    expect(await chosen(scopeOf(withCode(null), killed))).toEqual(theBundled);
  });

  test('what is no file is left to be refused where files are decided about', async () => {
    const [linked, directory] = [withCode(null), withCode(null)];
    await linked.makeDirectory('/usr', 0o755);
    for (const host of [linked, directory])
      for (const path of ['/usr', '/usr/lib', '/usr/lib/small'])
        if (host.lstat(path) === null) await host.makeDirectory(path, 0o755);
    await linked.makeLink(code, own, null);
    await directory.makeDirectory(code, 0o755);
    expect(await chosen(scopeOf(linked, supplied))).toEqual(theBundled);
    expect(await chosen(scopeOf(directory, supplied))).toEqual(theBundled);
  });

  test('the user is warned once the bundled one has changed since', async () => {
    const known = { ...supplied, sourcesInsteadOf: { [hashes.own]: sha256('# older\n') } };
    expect(await chosen(scopeOf(withCode(own), known))).toEqual([
      'file',
      own,
      [
        {
          code: 'source-outdated',
          level: 'warning',
          text: `${code} came from --source and is kept, though the bundled one has changed since then; --source bundled goes back to that, and --source FILE says that FILE is up to date.`,
        },
      ],
    ]);
  });
});

test('code is taken instead of this run’s where it is given now, or nobody wrote down of which; else of that run’s', () => {
  const known = { sourcesInsteadOf: { [hashes.own]: 'older' } };
  expect(insteadOf(scopeOf(withCode(own), known), hashes.own)).toBe('older');
  expect(insteadOf(scopeOf(withCode(own), {}), hashes.own)).toBe(hashes.bundled);
  expect(insteadOf(scopeOf(withCode(own), known, own), hashes.own)).toBe(hashes.bundled);
});
