/** Fingerprints of secrets: the same on one host, and of no use on another. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { openFingerprints } from '../../src/journal/fingerprint.ts';
import { temporaryRoot } from '../support/installer.ts';
import { changedPaths, treeOf } from '../support/tree.ts';

const known = `${'ab'.repeat(32)}\n`;
/** printf hello | openssl dgst -sha256 -mac HMAC -macopt hexkey:abab…, the first twelve digits. */
const ofHello = 'ec64f44ab22c';

function home(key?: string) {
  const root = temporaryRoot();
  const file = path.join(root.path, 'fingerprint.key');
  if (key !== undefined) writeFileSync(file, key);
  return { ...root, file, [Symbol.dispose]: () => root[Symbol.dispose]() };
}

describe('a fingerprint', () => {
  test('is the beginning of an HMAC-SHA-256 with the key of the host', () => {
    using host = home(known);
    const fingerprints = openFingerprints(host.path);
    expect([fingerprints.of('hello'), fingerprints.of('hello')]).toEqual([ofHello, ofHello]);
    expect(fingerprints.of('hallo')).not.toBe(ofHello);
  });

  test('is another one on another host, and in another run where no key is kept', () => {
    using host = home();
    using other = home(known.replaceAll('a', 'c'));
    const all = [null, null, host.path, host.path, other.path].map((each) =>
      openFingerprints(each).of('hello'),
    );
    expect(new Set([...all, ofHello]).size).toBe(all.length + 1);
    expect(all.filter((each) => /^[0-9a-f]{12}$/u.test(each))).toEqual(all);
  });
});

describe('the key', () => {
  test('of a run is kept for later ones, and for its owner alone', () => {
    using host = home();
    const first = openFingerprints(host.path);
    first.keep(host.path);
    expect(readFileSync(host.file, 'utf8')).toMatch(/^[0-9a-f]{64}\n$/u);
    expect(statSync(host.file).mode & 0o777).toBe(0o600);
    expect(openFingerprints(host.path).of('hello')).toBe(first.of('hello'));
  });

  test('that is kept already stays, also where another run has kept it meanwhile', () => {
    using host = home();
    const late = openFingerprints(host.path);
    writeFileSync(host.file, known);
    const before = treeOf(host.path);
    late.keep(host.path);
    openFingerprints(host.path).keep(host.path);
    expect(changedPaths(before, treeOf(host.path))).toEqual([]);
  });

  test.each([
    ['is empty', ''],
    ['was cut off', known.slice(0, 62)],
    ['is too long', `ab${known}`],
    ['is no number', `${'xy'.repeat(32)}\n`],
  ])('that %s is none: a run has its own, and keeps that', (_, broken) => {
    using host = home(broken);
    const fingerprints = openFingerprints(host.path);
    expect(fingerprints.of('hello')).not.toBe(openFingerprints(host.path).of('hello'));
    fingerprints.keep(host.path);
    expect(readFileSync(host.file, 'utf8')).toMatch(/^[0-9a-f]{64}\n$/u);
    expect(openFingerprints(host.path).of('hello')).toBe(fingerprints.of('hello'));
  });
});
