/** The journal's own directory after a fault: nothing but what belongs there, whole, and what was there before untouched. */
import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { readRun, runIds } from '../../src/journal/reader.ts';
import { files, type HostTree } from '../support/host-tree.ts';
import { pathsBelow } from './looks.ts';

const home = files.journal;
const run = `${home}/runs/\\d{8}T\\d{6}Z-[0-9a-f]{4}`;

/** What may be there, with its mode. */
const allowed: readonly (readonly [RegExp, string])[] = [
  [new RegExp(`^${home}$`, 'u'), '700'],
  [new RegExp(`^${home}/runs$`, 'u'), '700'],
  [new RegExp(`^${home}/fingerprint\\.key$`, 'u'), '600'],
  [new RegExp(`^${run}$`, 'u'), '700'],
  [new RegExp(`^${run}/journal\\.jsonl$`, 'u'), '600'],
  [new RegExp(`^${run}/before$`, 'u'), '700'],
  [new RegExp(`^${run}/before/\\d+(?:\\.masked)?$`, 'u'), '600'],
];

/** Path → bytes of every file of the journal. */
export type JournalBytes = ReadonlyMap<string, Buffer>;

export const journalBytes = (host: HostTree): JournalBytes =>
  new Map(
    pathsBelow(host, home)
      .filter((file) => lstatSync(host.at(file)).isFile())
      .map((file) => [file, readFileSync(host.at(file))]),
  );

/** What is there that should not be, or not so. */
export function strangers(host: HostTree): readonly string[] {
  const modeOf = (file: string): string => (lstatSync(host.at(file)).mode & 0o7777).toString(8);
  const ways = ['/var', '/var/lib'].filter((file) => existsSync(host.at(file)) && modeOf(file) !== '755');
  const odd = pathsBelow(host, home).filter((file) => {
    const mode = allowed.find(([form]) => form.test(file))?.[1];
    return modeOf(file) !== mode;
  });
  return [...ways, ...odd].map((file) => `${file} has mode ${modeOf(file)}, or does not belong there`);
}

/** What was written before the fault and reads otherwise now. */
export function rewritten(before: JournalBytes, host: HostTree): readonly string[] {
  const now = journalBytes(host);
  return [...before]
    .filter(([file, bytes]) => now.get(file)?.equals(bytes) !== true)
    .map(([file]) => `${file} is not what it was`);
}

/** Journals that do not read as what they are; that of one run may be torn, and that of one damaged. */
export function unreadable(host: HostTree, torn: string | null, damaged?: string): readonly string[] {
  return runIds(host.at(home)).flatMap((id) => {
    const read = readRun(host.at(home), id);
    if (id === damaged) return [];
    if (read.damage !== null) return [`the journal of ${id} is damaged: ${read.damage}`];
    return read.torn && id !== torn ? [`the journal of ${id} is torn`] : [];
  });
}

/** Id of the newest run; null where there is none. */
export const newestRun = (host: HostTree): string | null => runIds(host.at(home)).at(-1) ?? null;
