/** Code from --source that is kept while the bundled one moves on: told until somebody decides, and only then. */
import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { install, type InstallOptions } from '../../src/install.ts';
import { readMemory } from '../../src/journal/reader.ts';
import { parseJournal } from '../../src/journal/record.ts';
import { mcpOauthProxy } from '../../src/products/mcp-oauth-proxy/index.ts';
import type { Product } from '../../src/products/product.ts';
import { status } from '../../src/status/index.ts';
import { journalText } from '../support/journal-text.ts';
import { files, place, type Place } from '../support/place.ts';

/** An installer that brings this code along. */
const bundling = (code: string): Product => ({ ...mcpOauthProxy, bundledCode: Buffer.from(code) });
const [older, newer] = [bundling('# older\n'), bundling('# newer\n')];
const own = Buffer.from('# own\n');

/** Codes of what a run says of the source. */
async function told(root: Place, options: InstallOptions): Promise<readonly string[]> {
  const { output } = await install({ root: root.path, ...options });
  expect({ error: output.error }).toEqual({ error: null });
  return output.notes.map(({ code }) => code).filter((code) => code.startsWith('source-'));
}

const kept = ['source-kept'];
const outdated = ['source-outdated'];

/** The journal as an installer wrote it that did not ask yet what a source was taken instead of. */
function forgetBundled(root: Place): void {
  for (const back of root.runs().keys()) {
    const file = root.journal(back);
    const text = JSON.stringify(parseJournal(root.read(file)).records, (key, value: unknown) =>
      key === 'bundled' || key === 'sourcesInsteadOf' ? undefined : value,
    );
    writeFileSync(root.at(file), journalText(JSON.parse(text) as object[]));
  }
}

/** The journal of the last run as a kill left it that came before a file was replaced; `before` stands there again. */
function killedBefore(root: Place, file: string, before: string): void {
  const journal = root.journal();
  const lines = root.read(journal).split('\n');
  const announced = lines.findIndex((line) => line.includes('"replacing"') && line.includes(`"${file}"`));
  root.write(journal, `${lines.slice(0, announced + 1).join('\n')}\n`);
  root.write(file, before);
}

describe('a source that is kept', () => {
  test('is told to be behind once the bundled one has moved on, by every run and by status, with the way back', async () => {
    using root = place();
    expect(await told(root, { product: older, source: own })).toEqual([]);
    expect(await told(root, { product: newer, dryRun: true })).toEqual(outdated);
    for (const product of [newer, newer]) expect(await told(root, { product })).toEqual(outdated);
    const { notes } = await status({ product: newer, root: root.path });
    const note = notes.find(({ code }) => code === 'source-outdated');
    expect(note).toMatchObject({
      level: 'warning',
      text: expect.stringContaining('--source bundled goes back') as string,
    });
    expect(root.read(files.code)).toBe('# own\n');
    expect(await told(root, { product: newer, request: { source: 'bundled' } })).toEqual([]);
    expect(root.read(files.code)).toBe('# newer\n');
    expect(await told(root, { product: bundling('# newest\n') })).toEqual([]);
    expect(readMemory(root.at(files.journal)).memory.sourcesInsteadOf).toEqual({});
  });

  test('is not while the bundled one is the same', async () => {
    using root = place();
    await told(root, { product: older, source: own });
    for (const dryRun of [true, false, false])
      expect(await told(root, { product: older, dryRun })).toEqual(kept);
  });

  test('is up to date once more where it is given again, though its bytes are the same', async () => {
    using root = place();
    await told(root, { product: older, source: own });
    expect(await told(root, { product: newer })).toEqual(outdated);
    expect(await told(root, { product: newer, source: own })).toEqual([]);
    expect(await told(root, { product: newer })).toEqual(kept);
    expect(await told(root, { product: older })).toEqual(outdated);
  });

  test('stays behind where another one was tried and put back', async () => {
    using root = place();
    await told(root, { product: older, source: own });
    const stop = new AbortController();
    const { output } = await install({
      root: root.path,
      product: newer,
      source: Buffer.from('# other\n'),
      interrupt: stop.signal,
      onEvent: (event) => {
        if (event.type === 'operation' && event.operation.path === files.code) stop.abort('SIGTERM');
      },
    });
    expect([output.exitCode, root.read(files.code)]).toEqual([143, '# own\n']);
    expect(await told(root, { product: newer })).toEqual(outdated);
  });

  test('is kept by every later run where the one that was to bring another was killed before it', async () => {
    using root = place();
    await told(root, { product: older, source: own });
    await told(root, { product: older, source: Buffer.from('# other\n') });
    killedBefore(root, files.code, '# own\n');
    for (let again = 0; again < 3; again += 1) {
      expect(await told(root, { product: older })).toEqual(kept);
      expect(root.read(files.code)).toBe('# own\n');
    }
  });

  test('is judged from now on where the journal does not say what it was taken instead of', async () => {
    using root = place();
    await told(root, { product: older, source: own });
    forgetBundled(root);
    expect(await told(root, { product: newer })).toEqual(kept);
    expect(await told(root, { product: newer })).toEqual(kept);
    expect(await told(root, { product: older })).toEqual(outdated);
  });

  test('and was edited since is behind as well', async () => {
    using root = place();
    await told(root, { product: older, source: own });
    root.write(files.code, '# own, edited\n');
    expect(await told(root, { product: older })).toEqual(kept);
    expect(await told(root, { product: newer })).toEqual(outdated);
    expect(root.read(files.code)).toBe('# own, edited\n');
  });
});

test('a person edits what a killed run never replaced: that is an edit of what stood there, and no conflict', async () => {
  using root = place();
  await told(root, { product: older });
  await told(root, { product: newer });
  killedBefore(root, files.code, '# older\n');
  await told(root, { product: older });
  root.write(files.code, '# older, edited\n');
  await told(root, { product: older });
  expect(root.read(files.code)).toBe('# older, edited\n');
});
