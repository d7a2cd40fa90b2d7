/** What is fetched to build the installer is known by its hash beforehand. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { repositoryRoot } from '../hosts/support/base.ts';

interface LockFile {
  readonly packages: Readonly<Record<string, { readonly resolved?: string; readonly integrity?: string }>>;
}

test.each(['package-lock.json', 'tools/pinned-node/package-lock.json'])(
  'every package of %s is pinned by its version and SHA-512 (security 28)',
  (name) => {
    const text = readFileSync(path.join(repositoryRoot, name), 'utf8');
    const packages = Object.entries((JSON.parse(text) as LockFile).packages).filter(
      ([where]) => where !== '',
    );
    expect(packages.length).toBeGreaterThan(0);
    // From a repository or an address of its own (`resolved`) comes none.
    const loose = packages.filter(
      ([, { resolved, integrity = '' }]) =>
        resolved !== undefined || !/^sha512-[A-Za-z0-9+/]{86}==$/u.test(integrity),
    );
    expect(loose).toEqual([]);
  },
);
