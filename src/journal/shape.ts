/**
 * The shape of records, as far as later code relies on it. A checksum that fits tells that a line is as it was written, not
 * by whom: another version may have written it, or anybody by hand. What has another shape is damage, told where it is
 * read, instead of a crash somewhere later.
 *
 * By hand, since every run reads a journal and must not load a schema library for it. The tables are complete by their
 * type: a kind or a field without a row does not compile. What the machine alone looks into (the input, the output of
 * events) is left out on purpose: folding judges it, and says so.
 */
import type { Fact, FileIdentity, Obligation } from '../facts.ts';
import type { Memory, OwedByRun, ProductMemory } from '../memory.ts';
import type { EventRecord, FactRecord, RecordBody, RunEnded, RunStarted } from './record.ts';

type Check = (value: unknown) => boolean;
/** A check for every field, those that may be missing included. */
type Fields<T> = { readonly [Name in keyof Required<T>]: Check };

const isText: Check = (value) => typeof value === 'string';
const isNumber: Check = (value) => typeof value === 'number';
const isFlag: Check = (value) => typeof value === 'boolean';
const anything: Check = () => true;
const is =
  (...wanted: readonly unknown[]): Check =>
  (value) =>
    wanted.includes(value);
const matches =
  (pattern: RegExp): Check =>
  (value) =>
    typeof value === 'string' && pattern.test(value);
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const orMissing =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);

const isObject = (value: unknown): value is object =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

/** A name that every object has would be found where nothing is known of it. */
const mapOf =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.entries(value).every(([name, each]) => !(name in {}) && check(each));

/** Own fields only; others are left alone, as a later version may tell more. */
const objectOf =
  <T>(fields: Fields<T>): Check =>
  (value) =>
    isObject(value) &&
    Object.entries<Check>(fields).every(([name, check]) =>
      check(Object.getOwnPropertyDescriptor(value, name)?.value),
    );

const isTexts = listOf(isText);
const isPath = matches(/^\//u);
/** A name of the machine's: it stands in drawings, where other text would be taken for their own. */
const isWord = matches(/^[A-Za-z]{1,40}$/u);

const isIdentity = objectOf<FileIdentity>({
  type: is('file', 'link', 'directory'),
  hash: orNull(isText),
  mode: isNumber,
  uid: isNumber,
  gid: isNumber,
});

const isWhat = is('restart', 'restartSocket', 'reloadManager', 'reloadWeb');
const obligation: Fields<Obligation> = { what: isWhat, unit: isText, because: isTexts };

type FieldsOfFact<Kind extends Fact['fact']> = Fields<Omit<Extract<Fact, { fact: Kind }>, 'fact'>>;

const facts: { readonly [Kind in Fact['fact']]: FieldsOfFact<Kind> } = {
  replacing: {
    path: isPath,
    before: orNull(isIdentity),
    after: orNull(isIdentity),
    backup: orNull(isText),
    due: orMissing(listOf(isWhat)),
  },
  replaced: { path: isPath },
  restored: { path: isPath, baselines: isTexts },
  kept: { path: isPath, offered: isText },
  owed: obligation,
  settled: { what: isWhat, unit: isText },
  revoked: {},
  secretsMade: { names: isTexts },
  secretsPurged: {},
  secretsReplaced: { names: isTexts },
  settingsFound: { settings: orNull(mapOf(isText)) },
  unitsFound: { running: isTexts },
  secretsSupplied: { fingerprints: mapOf(isText), only: isFlag },
  sourceSupplied: { hashes: isTexts, only: isFlag, bundled: orMissing(isText) },
  packagesRequested: { names: isTexts },
  undoing: { to: isText },
  undone: { to: isText },
  knownAs: { path: isPath, baselines: isTexts },
  installer: { version: isText },
};

const isFact: Check = (value) => {
  if (!isObject(value) || !('fact' in value) || typeof value.fact !== 'string') return false;
  const { fact } = value;
  return Object.hasOwn(facts, fact) && objectOf(facts[fact as Fact['fact']])(value);
};

/** What an older run did not ask about yet may be missing. */
const known: Fields<ProductMemory> = {
  service: orMissing(orNull(isText)),
  envFile: orMissing(orNull(isText)),
  baselines: orMissing(mapOf(isTexts)),
  secretsMade: orMissing(isFlag),
  secretsSupplied: orMissing(mapOf(isTexts)),
  sourcesSupplied: orMissing(isTexts),
  sourcesInsteadOf: orMissing(mapOf(isText)),
};

/** Can it be gone on from, whoever wrote it? */
export const isMemory = objectOf<Memory>({
  ...known,
  version: orMissing(is(1)),
  product: orMissing(orNull(isText)),
  others: orMissing(mapOf(objectOf(known))),
  owed: orMissing(listOf(objectOf<OwedByRun>({ ...obligation, run: isText }))),
  packagesRequested: orMissing(isTexts),
  installer: orMissing(orNull(isText)),
});

const records: Readonly<Record<RecordBody['k'], Check>> = {
  'run.started': objectOf<Omit<RunStarted, 'k'>>({
    format: isNumber,
    machine: objectOf<RunStarted['machine']>({ id: isText, version: isText }),
    installer: isText,
    command: isText,
    input: anything,
    inherited: isMemory,
  }),
  event: objectOf<Omit<EventRecord, 'k'>>({
    event: objectOf<EventRecord['event']>({
      type: isText,
      actorId: orMissing(isText),
      output: anything,
      error: anything,
      signal: orMissing(isText),
    }),
  }),
  fact: objectOf<Omit<FactRecord, 'k'>>({ v: is(1), fact: isFact }),
  'run.ended': objectOf<Omit<RunEnded, 'k'>>({
    outcome: isWord,
    exitCode: isNumber,
    mode: isWord,
    changed: isFlag,
    plan: orNull(isText),
    error: orNull(isText),
  }),
};

export const isKind = (kind: unknown): kind is RecordBody['k'] =>
  typeof kind === 'string' && Object.hasOwn(records, kind);

const isTime: Check = (value) =>
  matches(/^\d{4}-\d\d-\d\dT[\d:.]{8,12}Z$/u)(value) && Number.isFinite(Date.parse(String(value)));

/** Deeper than any record that an installer writes, and far from where a program runs out of stack. */
const mostNested = 64;

function isShallow(value: unknown, left: number): boolean {
  if (value === null || typeof value !== 'object') return true;
  return left > 0 && Object.values(value).every((inner) => isShallow(inner, left - 1));
}

/** Does a record, as it was read, hold what its kind should? */
export const isSound = (record: { readonly k: RecordBody['k']; readonly t?: unknown }): boolean =>
  isTime(record.t) && isShallow(record, mostNested) && records[record.k](record);
