/** Facts as runs record them, over few paths, units and names, so that they meet each other. For property tests. */
import fc from 'fast-check';
import type { Fact, FileIdentity } from '../../src/facts.ts';

const hash = fc.constantFrom('a', 'b', 'c').map((letter) => letter.repeat(64));
const path = fc.constantFrom('/etc/x', '/etc/y', '/usr/z');
const name = fc.constantFrom('ONE', 'TWO', 'THREE');
const unit = fc.constantFrom('x.service', 'y.socket', 'nginx.service');
const what = fc.constantFrom('restart', 'restartSocket', 'reloadManager', 'reloadWeb');
const some = <T>(each: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(each, { maxLength: 3 });
const identity: fc.Arbitrary<FileIdentity> = fc.record({
  type: fc.constantFrom('file', 'link', 'directory'),
  hash: fc.option(hash),
  mode: fc.constantFrom(0o600, 0o644, 0o755),
  uid: fc.constantFrom(0, 33),
  gid: fc.constant(0),
});
const named = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> =>
  some(fc.tuple(name, values)).map((entries) => Object.fromEntries(entries));

type Kind = Fact['fact'];
/** One entry for each kind of fact: a new one that is missing here is a type error. */
const kinds: { readonly [K in Kind]: fc.Arbitrary<Omit<Extract<Fact, { fact: K }>, 'fact'>> } = {
  replacing: fc.record({
    path,
    before: fc.option(identity),
    after: fc.option(identity),
    backup: fc.option(fc.constant('before/1')),
    due: some(what),
  }),
  replaced: fc.record({ path }),
  restored: fc.record({ path, baselines: some(hash) }),
  kept: fc.record({ path, offered: hash }),
  owed: fc.record({ what, unit, because: some(path) }),
  settled: fc.record({ what, unit }),
  revoked: fc.constant({}),
  secretsMade: fc.record({ names: some(name) }),
  secretsPurged: fc.constant({}),
  secretsReplaced: fc.record({ names: some(name) }),
  settingsFound: fc.record({ settings: fc.option(named(fc.string())) }),
  unitsFound: fc.record({ running: some(unit) }),
  secretsSupplied: fc.record({ fingerprints: named(hash), only: fc.boolean() }),
  sourceSupplied: fc.oneof(
    fc.record({ hashes: some(hash), only: fc.boolean() }),
    fc.record({ hashes: some(hash), only: fc.boolean(), bundled: hash }),
  ),
  packagesRequested: fc.record({ names: some(name) }),
  undoing: fc.record({ to: fc.constant('20261125T000000Z-0000') }),
  undone: fc.record({ to: fc.constant('20261125T000000Z-0000') }),
  knownAs: fc.record({ path, baselines: some(hash) }),
  installer: fc.record({ version: fc.constantFrom('0.1.0', '0.2.0') }),
};

export const anyFact: fc.Arbitrary<Fact> = fc.oneof(
  // Each entry fits its kind, which the type of the table says and that of its entries does not any more.
  ...Object.entries(kinds).map(([kind, rest]) => rest.map((more) => ({ fact: kind, ...more }) as Fact)),
);
