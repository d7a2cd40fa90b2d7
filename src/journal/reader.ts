/** Reading journals: the runs of a host, one run, and what all runs so far left to know. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { errnoOf } from '../errno.ts';
import { emptyMemory, Knowledge, type Memory } from '../memory.ts';
import { InstallerError } from '../errors.ts';
import type { FactsOfRun } from '../past.ts';
import { isCopy } from './copies.ts';
import { readRegularFile } from './files.ts';
import {
  parseJournal,
  type JournalRecord,
  type ParsedJournal,
  type RunEnded,
  type RunStarted,
} from './record.ts';

/** One run, read from its journal. */
export interface Run {
  readonly id: string;
  readonly records: readonly JournalRecord[];
  readonly started: (RunStarted & { readonly t: string }) | null;
  /** null where the run was killed, or is still under way. */
  readonly ended: (RunEnded & { readonly t: string }) | null;
  /** Name of the product that it was about. */
  readonly product: string | null;
  readonly torn: boolean;
  readonly damage: string | null;
  /** What kept the system from reading it, such as EIO; null where it was read, is missing, or is no file. */
  readonly unread: string | null;
  /** Version of the installer that wrote it, where its format is not known here. */
  readonly writtenBy: string | null;
}

/** `20261123T224934Z-3f2a`: sorts by time. */
export const runId = /^\d{8}T\d{6}Z-[0-9a-f]{4}$/u;

/**
 * Ids of all runs, oldest first.
 *
 * @throws InstallerError E_JOURNAL_UNREAD: to whoever cannot read them, past runs must not look like none */
export function runIds(home: string): readonly string[] {
  try {
    return readdirSync(path.join(home, 'runs'))
      .filter((name) => runId.test(name))
      .sort();
  } catch (error) {
    const why = errnoOf(error);
    // Somebody who is not root is told so by the first effect, not by the journal.
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(why)) return [];
    throw new InstallerError('E_JOURNAL_UNREAD', { subject: 'The list of past runs', why });
  }
}

/** How it is told that something else stands in the place of a file: a link, a socket, all else. */
const notFiles = ['ELOOP', 'ENXIO', 'unknown'];

/** One run from its journal. Never throws: a journal that cannot be read is a run whose `damage` says why. */
export function readRun(home: string, id: string): Run {
  let text: string;
  try {
    text = readRegularFile(path.join(home, 'runs', id, 'journal.jsonl')).toString('utf8');
  } catch (error) {
    const errno = errnoOf(error);
    const missing = errno === 'ENOENT';
    // A run that was killed between making its folder and its first record did nothing.
    const damage = missing ? null : 'it cannot be read';
    return {
      id,
      records: [],
      started: null,
      ended: null,
      product: null,
      torn: missing,
      damage,
      unread: missing || notFiles.includes(errno) ? null : errno,
      writtenBy: null,
    };
  }
  return runOf(id, parseJournal(text));
}

/** A run as undoing looks at it. */
export const factsOf = ({ id, product, records, started }: Run): FactsOfRun => ({
  id,
  product,
  facts: records.flatMap((record) => (record.k === 'fact' ? [record.fact] : [])),
  inherited: { ...emptyMemory, ...started?.inherited },
});

/**
 * All runs as undoing looks at them, oldest first.
 *
 * @throws InstallerError E_JOURNAL_UNREAD: what such a run did would stay, and be said not to be there
 */
export const factsOfRuns = (home: string): readonly FactsOfRun[] =>
  runIds(home).map((id) => {
    const run = readRun(home, id);
    if (run.unread === null) return factsOf(run);
    throw new InstallerError('E_JOURNAL_UNREAD', { subject: `The journal of run ${id}`, why: run.unread });
  });

/** @returns bytes that a run kept of a file that it replaced; null where they are gone, or cannot be read */
export function readBackup(home: string, id: string, name: string): Uint8Array | null {
  // A name that leads elsewhere is none that a run has given.
  if (!isCopy(name)) return null;
  try {
    return readRegularFile(path.join(home, 'runs', id, name));
  } catch {
    return null;
  }
}

/** A journal that was read, as a run. */
export function runOf(id: string, { records, torn, damage, writtenBy }: ParsedJournal): Run {
  const started = records.find((record) => record.k === 'run.started') ?? null;
  const ended = records.find((record) => record.k === 'run.ended') ?? null;
  const product = started === null ? null : productOf(started);
  return { id, records, started, ended, product, torn, damage, unread: null, writtenBy };
}

/** The id that `wanted` means: itself, an unambiguous beginning of one, or `last`; null where there is none. */
export function findRun(home: string, wanted: string): string | null {
  const ids = runIds(home);
  if (wanted === 'last') return ids.at(-1) ?? null;
  const matching = ids.filter((id) => id.startsWith(wanted));
  return ids.includes(wanted) ? wanted : matching.length === 1 ? matching[0]! : null;
}

/** The product that a run was about: installers that knew of one alone only named it in the run's input. */
function productOf({ inherited, input }: RunStarted): string | null {
  const known: unknown = inherited.product;
  if (typeof known === 'string') return known;
  const request = input !== null && typeof input === 'object' && 'request' in input ? input.request : null;
  const name =
    request !== null && typeof request === 'object' && 'product' in request ? request.product : null;
  return typeof name === 'string' ? name : null;
}

/** What a run left to know, on top of what it inherited; up to the damage where there is one. */
export function memoryOf(run: Run): Memory {
  // What an older run did not ask about yet, it inherited nothing of.
  const known = new Knowledge({ ...emptyMemory, ...run.started?.inherited, product: run.product });
  for (const record of run.records) if (record.k === 'fact') known.add(run.id, record.fact);
  return known.memory;
}

/** What the journals of a host tell a new run. */
export interface Remembered {
  readonly memory: Memory;
  /** The run that was killed before it ended, if the last one was. */
  readonly unfinished: string | null;
  /** The same, where its last record was cut off (a power cut). */
  readonly torn: string | null;
  readonly damaged: readonly { readonly run: string; readonly why: string }[];
  readonly lastId: string | null;
}

/** Folds what later runs need from the newest journal that can be read at all. */
export function readMemory(home: string | null): Remembered {
  const ids = home === null ? [] : runIds(home);
  const damaged: { run: string; why: string }[] = [];
  const base = { damaged, lastId: ids.at(-1) ?? null };
  // A format that cannot be read was written by a newer installer: what it knows is not known, but that it was here is.
  let newer: string | null = null;
  const withInstaller = (memory: Memory): Memory =>
    newer === null ? memory : { ...memory, installer: newer };
  for (const id of ids.toReversed()) {
    const run = readRun(home!, id);
    if (run.damage !== null) damaged.push({ run: id, why: run.damage });
    newer ??= run.writtenBy;
    if (run.started === null) continue;
    const open = run.ended === null && run.damage === null;
    return {
      ...base,
      memory: withInstaller(memoryOf(run)),
      unfinished: open ? id : null,
      torn: open && run.torn ? id : null,
    };
  }
  return { ...base, memory: withInstaller(emptyMemory), unfinished: null, torn: null };
}

/**
 * What a damaged journal may have known of is done again, whichever product it was about: a restart too many is better
 * than one too few.
 */
export function withDamage(memory: Memory, damaged: Remembered['damaged']): Memory {
  const services = [memory, ...Object.values(memory.others)].flatMap(({ service }) =>
    service === null ? [] : [service],
  );
  const owed = damaged.flatMap(({ run }) =>
    services.map((unit) => ({
      what: 'restart' as const,
      unit,
      because: [`the journal of run ${run} is damaged`],
      run,
    })),
  );
  return { ...memory, owed: [...memory.owed, ...owed] };
}
