/** Where somebody guesses the random part of a name and plants a link there, nothing is written through it. */
import { mkdirSync, readFileSync, readdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { createRealHost } from '../../src/effects/host/real.ts';
import { lookAt } from '../../src/effects/identity.ts';
import { emptyMemory } from '../../src/memory.ts';
import { openFingerprints } from '../../src/journal/fingerprint.ts';
import { Journal } from '../../src/journal/journal.ts';
import { temporaryRoot } from '../support/installer.ts';

vi.mock('node:crypto', async (original) => ({
  ...(await original<typeof import('node:crypto')>()),
  randomBytes: (count: number) => Buffer.alloc(count, 0xab),
}));

const guessed = `${'ab'.repeat(8)}.mcp-installer-tmp`;
const bytes = (text: string): Uint8Array => Buffer.from(text);
const code = (expected: string): Error => expect.objectContaining({ code: expected }) as Error;

/** A directory to work in, and one with a file that nobody may touch. */
function places(): Disposable & {
  readonly at: (name: string) => string;
  readonly plant: (name: string) => void;
} {
  const root = temporaryRoot();
  const victim = path.join(root.path, 'victim');
  const at = (name: string): string => path.join(root.path, 'work', name);
  mkdirSync(at('etc'), { recursive: true });
  mkdirSync(victim);
  writeFileSync(path.join(victim, 'file'), 'theirs');
  return {
    at,
    plant: (name) => symlinkSync(path.join(victim, name.endsWith('Z-abab') ? '' : 'file'), at(name)),
    [Symbol.dispose]: () => {
      const left = readdirSync(victim).map((name) => [name, readFileSync(path.join(victim, name), 'utf8')]);
      root[Symbol.dispose]();
      expect(left).toEqual([['file', 'theirs']]);
    },
  };
}

const journal = (): Journal =>
  new Journal({
    machine: { id: 'installer', version: '1' },
    installer: '0.1.0',
    command: 'install',
    input: {},
    inherited: emptyMemory,
    lastId: null,
    now: () => new Date('2030-01-01T00:00:00Z'),
  });

describe('a link at the temporary name (security 3)', () => {
  test('of a file: the run refuses, and the file is as it was', async () => {
    using place = places();
    writeFileSync(place.at('etc/file'), 'old');
    place.plant(`etc/.file.${guessed}`);
    const host = createRealHost({ root: place.at('') });
    const expected = lookAt(host, '/etc/file')!.identity;
    await expect(host.writeFile('/etc/file', bytes('new'), { mode: 0o600, expected })).rejects.toThrow(
      code('E_WRITE_FAILED'),
    );
    expect(readFileSync(place.at('etc/file'), 'utf8')).toBe('old');
  });

  test('of a link: the run refuses, and the link is as it was', async () => {
    using place = places();
    symlinkSync('old', place.at('etc/link'));
    place.plant(`.link.${guessed}`);
    const host = createRealHost({ root: place.at('') });
    await expect(host.makeLink('/etc/link', 'new', lookAt(host, '/etc/link')!.identity)).rejects.toThrow(
      code('E_WRITE_FAILED'),
    );
    expect(readlinkSync(place.at('etc/link'))).toBe('old');
  });

  test('of a copy, and of the key of the fingerprints: the run refuses', () => {
    using place = places();
    const run = journal();
    run.attach(place.at(''));
    run.backup(bytes('one'));
    place.plant(`runs/${run.run}/before/.2.${guessed}`);
    expect(() => run.backup(bytes('two'))).toThrow(code('E_JOURNAL'));
    place.plant(`.fingerprint.key.${guessed}`);
    expect(() => openFingerprints(place.at('')).keep(place.at(''))).toThrow(
      expect.objectContaining({ code: 'EEXIST' }) as Error,
    );
  });
});

describe('a link in the place (security 3)', () => {
  test('of the folder of the run that begins: the run refuses', () => {
    using place = places();
    mkdirSync(place.at('runs'));
    place.plant('runs/20300101T000000Z-abab');
    expect(() => journal().attach(place.at(''))).toThrow(code('E_JOURNAL'));
  });

  test('of a copy, and of the key of the fingerprints: the link itself is replaced', () => {
    using place = places();
    const run = journal();
    run.attach(place.at(''));
    run.backup(bytes('one'));
    place.plant(`runs/${run.run}/before/2`);
    run.backup(bytes('two'));
    expect(readFileSync(place.at(`runs/${run.run}/before/2`), 'utf8')).toBe('two');
    place.plant('fingerprint.key');
    openFingerprints(place.at('')).keep(place.at(''));
    expect(readFileSync(place.at('fingerprint.key'), 'utf8')).toBe(`${'ab'.repeat(32)}\n`);
  });
});
