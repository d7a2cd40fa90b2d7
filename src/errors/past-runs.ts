/** What keeps past runs from being undone, pruned, recorded, read or exported. */
import { v, type ErrorEntry } from './entry.ts';

export const pastRunErrors = {
  E_UNDO_ROTATION: {
    exit: 10,
    what: (x) =>
      `Since run ${v(x, 'run')} these secrets got other values, and the old ones are nowhere any more: ${v(x, 'names')}.`,
    remedy: () => 'Undo a later run, or none: whoever had the old values has been given the new ones.',
  },
  E_UNDO_EDITED: {
    exit: 10,
    what: (x) => `A person edited what would be put back: ${v(x, 'paths')}.`,
    remedy: () => 'Put the edits aside and restore what the installer wrote, then run this again.',
  },
  E_UNDO_LOST: {
    exit: 10,
    what: (x) => `What stood at ${v(x, 'paths')} was not kept, so it cannot be put back.`,
    remedy: () => 'Undo a later run, or put the files back by hand.',
  },
  E_UNDO_PRUNED: {
    exit: 10,
    what: (x) =>
      `What stood at ${v(x, 'paths')} before run ${v(x, 'run')} cannot be put back: its copies were pruned, since only the newest runs keep theirs.`,
    remedy: () =>
      'Later runs can be undone as far as their copies are kept (`mcp-installer history` lists the runs). What is installed can be uninstalled: the originals from before it are kept. Where nothing is installed, install anew.',
  },
  E_PRUNE: {
    exit: 13,
    what: (x) => `The copies of run ${v(x, 'run')} could not be pruned: ${v(x, 'why')}.`,
    remedy: () =>
      'Put the cause right, then run `mcp-installer history --prune`: it goes on where this stopped. Nothing else was touched.',
  },
  E_JOURNAL: {
    exit: 10,
    what: (x) => `The journal cannot be written: ${v(x, 'why')}.`,
    remedy: (x) => `Make room or make ${v(x, 'path')} writable, and run this again.`,
  },
  E_JOURNAL_UNREAD: {
    exit: 10,
    what: (x) => `${v(x, 'subject')} cannot be read, and tells what was done: ${v(x, 'why')}.`,
    remedy: () => 'Put the cause right and run this again; nothing was changed.',
  },
  E_JOURNAL_DAMAGED: {
    exit: 65,
    what: (x) => `The journal ${v(x, 'path')} is damaged or foreign: ${v(x, 'why')}.`,
    remedy: (x) => x['remedy'] ?? 'A new install is not stopped by it; a restart then counts as owed.',
  },
  E_RUN_UNKNOWN: {
    exit: 64,
    what: (x) => `There is no run ${v(x, 'run')}.`,
    remedy: () => 'See `mcp-installer history` for the runs of this host.',
  },
  E_EXPORT: {
    exit: 10,
    what: (x) => `The run was not exported to ${v(x, 'path')}: ${v(x, 'why')}.`,
    remedy: (x) => x['remedy'] ?? 'Name a file in a directory that you can write.',
  },
  E_EXPORT_SECRET: {
    exit: 10,
    what: (x) =>
      `The journal of run ${v(x, 'run')} holds the value of ${v(x, 'name')}, so it was not exported.`,
    remedy: () =>
      'This should not be possible: please report it, without the journal, and rotate that secret with --force-rotate-tokens.',
  },
} as const satisfies Record<string, ErrorEntry>;
