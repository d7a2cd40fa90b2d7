/**
 * What later runs know of a host: the facts of all earlier ones, folded. Pure: no file is read here.
 */
import type { Fact, Obligation } from './facts.ts';

/** An {@link Obligation}, and the run that left it. */
export interface OwedByRun extends Obligation {
  readonly run: string;
}

/** What is known of one product on this host, and of no other one. */
export interface ProductMemory {
  /** Its unit and its env file; null in what an older installer left. */
  readonly service: string | null;
  readonly envFile: string | null;
  /**
   * Path → hashes of what the installer wrote there (or would have written, where an edit was kept), the latest last;
   * `''` stands for no file. More than one stand there only after a kill between announcing a replacement and finishing
   * it: any of them may be on disk.
   */
  readonly baselines: Readonly<Record<string, readonly string[]>>;
  readonly secretsMade: boolean;
  /** Name → fingerprints of values that a user supplied: a secret is a supplied one if its value has one of them. */
  readonly secretsSupplied: Readonly<Record<string, readonly string[]>>;
  /** Hashes of code that came from --source: the code is the user's if what is on disk, or was last written, is of these. */
  readonly sourcesSupplied: readonly string[];
  /** Hash of such code → hash of the bundled code that it was taken instead of, where that is known. */
  readonly sourcesInsteadOf: Readonly<Record<string, string>>;
}

/**
 * Everything later runs need, folded from the facts of all runs so far. Plain JSON. What is known of the product that the
 * run is about stands at the top; what is owed, packages and the installer's version are the host's.
 */
export interface Memory extends ProductMemory {
  readonly version: 1;
  /** Name of the product that the run is about; null where nothing is known. */
  readonly product: string | null;
  /** The other products of this host, by name. */
  readonly others: Readonly<Record<string, ProductMemory>>;
  readonly owed: readonly OwedByRun[];
  /** Packages that the installer asked the package manager for. */
  readonly packagesRequested: readonly string[];
  /** Version of the installer that last changed this host, or confirmed it; null where none did. */
  readonly installer: string | null;
}

const unknownProduct: ProductMemory = {
  service: null,
  envFile: null,
  baselines: {},
  secretsMade: false,
  secretsSupplied: {},
  sourcesSupplied: [],
  sourcesInsteadOf: {},
};

/** What is known of a host that no journal knows. */
export const emptyMemory: Memory = {
  version: 1,
  product: null,
  ...unknownProduct,
  others: {},
  owed: [],
  packagesRequested: [],
  installer: null,
};

/** The same memory for a run of this product: what is known of another one is put aside, and kept. */
export function memoryFor(
  memory: Memory,
  { name, service, envFile }: { readonly name: string; readonly service: string; readonly envFile: string },
): Memory {
  const { product, baselines, secretsMade, secretsSupplied, sourcesSupplied, sourcesInsteadOf } = memory;
  const before: ProductMemory = {
    service: memory.service,
    envFile: memory.envFile,
    baselines,
    secretsMade,
    secretsSupplied,
    sourcesSupplied,
    sourcesInsteadOf,
  };
  const all: Readonly<Record<string, ProductMemory>> = { ...memory.others, [product ?? name]: before };
  // A product may be called `constructor`.
  const own = (Object.hasOwn(all, name) ? all[name] : undefined) ?? unknownProduct;
  const others = Object.fromEntries(Object.entries(all).filter(([other]) => other !== name));
  return { ...memory, ...own, product: name, service, envFile, others };
}

const unique = (values: readonly string[]): readonly string[] => [...new Set(values)];

/** A memory whose baselines are nobody else's: they are changed in place. */
type Own = Memory & { readonly baselines: Record<string, readonly string[]> };

function setBaseline({ baselines }: Own, path: string, hashes: readonly string[]): void {
  // The latest stands last.
  Reflect.deleteProperty(baselines, path);
  if (hashes.length > 0) baselines[path] = hashes;
}

/** Of lists that only {@link withReasons} adds to, in place: what is in them. */
const members = new WeakMap<readonly string[], Set<string>>();

/** Reasons with more of them, each once; what one of them costs does not grow with how many there are. */
function withReasons(known: readonly string[], more: readonly string[]): readonly string[] {
  const found = members.get(known);
  const reasons = found === undefined ? [...known] : (known as string[]);
  const all = found ?? new Set(known);
  members.set(reasons, all);
  for (const reason of more) {
    if (all.has(reason)) continue;
    all.add(reason);
    reasons.push(reason);
  }
  return reasons;
}

/** What may be on disk once the replacement was announced. A file that holds secrets is not known by a hash. */
function announced(memory: Own, { path, before, after }: Extract<Fact, { fact: 'replacing' }>): void {
  const known = memory.baselines[path] ?? (before === null ? [''] : []);
  setBaseline(memory, path, after?.hash == null ? [] : unique([...known, after.hash]));
}

function withSupplied(memory: Own, { fingerprints, only }: Extract<Fact, { fact: 'secretsSupplied' }>): Own {
  const known = only ? {} : memory.secretsSupplied;
  const own = Object.entries(fingerprints).map(([name, fingerprint]): [string, readonly string[]] => [
    name,
    unique([...(known[name] ?? []), fingerprint]),
  ]);
  return { ...memory, secretsSupplied: { ...known, ...Object.fromEntries(own) } };
}

function withSource(memory: Own, { hashes, only, bundled }: Extract<Fact, { fact: 'sourceSupplied' }>): Own {
  const sourcesSupplied = unique([...(only ? [] : memory.sourcesSupplied), ...hashes]);
  const own = bundled === undefined ? [] : hashes.map((hash) => [hash, bundled] as const);
  const all = Object.entries({ ...memory.sourcesInsteadOf, ...Object.fromEntries(own) });
  const sourcesInsteadOf = Object.fromEntries(all.filter(([hash]) => sourcesSupplied.includes(hash)));
  return { ...memory, sourcesSupplied, sourcesInsteadOf };
}

function added(memory: Own, run: string, fact: Fact): Own {
  switch (fact.fact) {
    case 'replacing':
      announced(memory, fact);
      return memory;
    case 'replaced':
      setBaseline(memory, fact.path, (memory.baselines[fact.path] ?? []).slice(-1));
      return memory;
    case 'restored':
    case 'knownAs':
      setBaseline(memory, fact.path, fact.baselines);
      return memory;
    case 'kept':
      setBaseline(memory, fact.path, [fact.offered]);
      return memory;
    case 'owed': {
      const { what, unit, because } = fact;
      const same = (owed: OwedByRun): boolean => owed.what === what && owed.unit === unit && owed.run === run;
      const before = memory.owed.find(same)?.because ?? [];
      const owed = { what, unit, because: withReasons(before, because), run };
      return { ...memory, owed: [...memory.owed.filter((each) => !same(each)), owed] };
    }
    case 'settled':
      return {
        ...memory,
        owed: memory.owed.filter((owed) => owed.what !== fact.what || owed.unit !== fact.unit),
      };
    case 'revoked':
      return { ...memory, owed: memory.owed.filter((owed) => owed.run !== run) };
    case 'secretsMade':
      return { ...memory, secretsMade: true };
    case 'secretsPurged':
      return { ...memory, secretsMade: false, secretsSupplied: {} };
    case 'secretsSupplied':
      return withSupplied(memory, fact);
    case 'sourceSupplied':
      return withSource(memory, fact);
    case 'packagesRequested':
      return {
        ...memory,
        packagesRequested: unique([...memory.packagesRequested, ...fact.names]).toSorted(),
      };
    // Of use to undoing, which reads the run itself; what an installation needs stands in other facts.
    case 'secretsReplaced':
    case 'settingsFound':
    case 'unitsFound':
    case 'undoing':
    case 'undone':
      return memory;
    case 'installer':
      return { ...memory, installer: fact.version };
  }
}

/**
 * What is known, with facts added as they come. Each of them costs the same, however much is known: of ten thousand files
 * none is copied for the next one. So `memory` is what is known now, and not what was known when it was asked for.
 */
export class Knowledge {
  private now: Own;

  constructor(memory: Memory) {
    const owed = memory.owed.map((each) => ({ ...each, because: [...each.because] }));
    this.now = { ...memory, owed, baselines: { ...memory.baselines } };
  }

  get memory(): Memory {
    return this.now;
  }

  /** One fact of `run`. */
  add(run: string, fact: Fact): void {
    this.now = added(this.now, run, fact);
  }
}

/** One fact of `run` added to what is known: a new memory, beside which the old one stays. */
export function remember(memory: Memory, run: string, fact: Fact): Memory {
  const knowledge = new Knowledge(memory);
  knowledge.add(run, fact);
  return knowledge.memory;
}
