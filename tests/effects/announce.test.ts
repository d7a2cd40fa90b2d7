/** New files are announced together: what was announced and never begun is nobody's but theirs who made it meanwhile. */
import { describe, expect, test } from 'vitest';
import { createMemoryHost } from '../../src/effects/host/memory.ts';
import type { Host } from '../../src/effects/host/port.ts';
import { write } from '../../src/effects/write.ts';
import { InstallerError } from '../../src/errors.ts';
import type { Fact } from '../../src/facts.ts';
import { install } from '../../src/install.ts';
import type { Operation } from '../../src/machines/types.ts';
import { emptyMemory } from '../../src/memory.ts';
import { files } from '../support/host-tree.ts';
import { emptyScope } from '../support/scope.ts';
import { smallProduct } from '../support/small-product.ts';

const full = (path: string): InstallerError => new InstallerError('E_WRITE_FAILED', { path, why: 'ENOSPC' });

async function unitAsWritten(): Promise<Uint8Array> {
  const host = createMemoryHost();
  await install({ host });
  return host.readFile(files.service)!;
}

/** A fresh installation that fails at the first new file, just when somebody else has made a later one. */
async function failing(theirs: Uint8Array) {
  const inner = createMemoryHost();
  const host: Host = {
    ...inner,
    writeFile: async (path, bytes, options) => {
      if (path !== files.code) return inner.writeFile(path, bytes, options);
      await inner.writeFile(files.service, theirs, { mode: 0o644, expected: null });
      throw full(path);
    },
  };
  const { output, records } = await install({ host });
  const facts = records.flatMap((record) => (record.k === 'fact' ? [record.fact] : []));
  const paths = (kind: 'replacing' | 'restored'): string[] =>
    facts.flatMap((fact) => (fact.fact === kind ? [fact.path] : []));
  return { host, output, replacing: paths('replacing'), restored: paths('restored') };
}

describe('undoing a run that fails before it comes to a file that it has announced', () => {
  test.each([
    ['the very bytes', unitAsWritten],
    ['other bytes', () => Promise.resolve(Buffer.from('theirs\n'))],
  ])('leaves one with %s to whoever has made it meanwhile, and knows nothing of it', async (_, bytesOf) => {
    const theirs = Buffer.from(await bytesOf());
    const { host, output, replacing, restored } = await failing(theirs);
    expect({ outcome: output.outcome, exitCode: output.exitCode, left: output.undone?.left }).toEqual({
      outcome: 'rolledBack',
      exitCode: 12,
      left: ['/etc/systemd/system', '/etc/systemd', '/etc'],
    });
    expect(Buffer.from(host.readFile(files.service) ?? [])).toEqual(theirs);
    expect(replacing).toContain(files.service);
    expect(restored.toSorted()).toEqual(replacing.toSorted());
  });
});

const operation = (path: string): Operation => ({
  kind: 'writeFile',
  path,
  role: 'file',
  action: 'create',
  before: null,
  after: { type: 'file', hash: 'x', mode: 0o644, uid: 0, gid: 0 },
  detail: [],
  because: null,
});

describe('where the journal cannot be written', () => {
  const broken = new InstallerError('E_JOURNAL', { why: 'ENOSPC' });

  /** @param failsAt which of the waits for the journal fails */
  function prepared(host: Host, failsAt: number) {
    const facts: Fact[] = [];
    let waits = 0;
    const beforeChange = (): Promise<void> => {
      waits += 1;
      return waits === failsAt ? Promise.reject(broken) : Promise.resolve();
    };
    const scope = emptyScope({
      host,
      product: smallProduct(),
      memory: () => ({ ...emptyMemory, installer: '1.0.0' }),
      record: (fact) => facts.push(fact),
      beforeChange,
    });
    const operations = [operation('/a/first'), operation('/a/second')];
    scope.state.operations = operations;
    for (const { path } of operations)
      scope.state.contents.set(path, { after: Buffer.from('x'), before: null });
    return { scope, facts, told: () => facts.map((fact) => [fact.fact, 'path' in fact ? fact.path : null]) };
  }

  test('what was announced is taken back: should the last record find room, no change is told of', async () => {
    const host = createMemoryHost({ files: { '/a/file': '' } });
    const { scope, told } = prepared(host, 2);
    await expect(write(scope, scope.state.operations[0]!, 0)).rejects.toBe(broken);
    expect(told()).toEqual([
      ['replacing', '/a/first'],
      ['replacing', '/a/second'],
      ['restored', '/a/second'],
      ['restored', '/a/first'],
      ['revoked', null],
    ]);
    expect([scope.state.applied, [...scope.state.announced]]).toEqual([[], []]);
  });

  test('so is a change that waits for it by itself, and others stay what they are', async () => {
    const inner = createMemoryHost({ files: { '/a/file': '' } });
    const host: Host = { ...inner, makeLink: () => Promise.reject(broken) };
    const { scope, told } = prepared(host, 0);
    await write(scope, scope.state.operations[0]!, 0);
    const link: Operation = { ...operation('/a/link'), kind: 'makeLink' };
    await expect(write(scope, link, 5)).rejects.toBe(broken);
    expect(told().slice(-3)).toEqual([
      ['replaced', '/a/first'],
      ['replacing', '/a/link'],
      ['restored', '/a/link'],
    ]);
    expect(scope.state.applied.map(({ operation: { path } }) => path)).toEqual(['/a/first']);
  });
});
