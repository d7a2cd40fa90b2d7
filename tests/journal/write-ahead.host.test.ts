/** Written ahead: what is about to happen is on disk, synced, before the first system call of it. */
import { rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { suites } from '../hosts/support/base.ts';
import { createHost } from '../hosts/support/host.ts';
import { files, installed, place } from '../support/place.ts';
import { changesNames, parseTrace, traced, type Call } from '../support/trace.ts';

interface Announced {
  readonly path: string;
  readonly backup: string | null;
}

interface Seen {
  /** Paths of which the journal on disk says that they are about to be replaced, and backups that it names. */
  readonly replacing: Set<string>;
  /** Paths because of which the journal on disk says that something is owed. */
  readonly owed: Set<string>;
  readonly backups: Map<string, string | null>;
}

const isTemporary = (name: string): boolean => name.endsWith('.mcp-installer-tmp');

/** Records of the journal that are on disk: written, and synced after that. */
function eachWithJournal<T>(
  calls: readonly Call[],
  use: (call: Call, seen: Seen) => readonly T[],
): readonly T[] {
  const found: T[] = [];
  const seen: Seen = { replacing: new Set(), owed: new Set(), backups: new Map() };
  let pending = '';
  for (const call of calls) {
    if (path.basename(call.path) === 'journal.jsonl') {
      if (call.name === 'write') pending += call.data;
      if (call.name === 'fsync') {
        for (const line of pending.split('\n').filter((text) => text !== '')) {
          const { fact } = JSON.parse(line) as { fact?: Announced & { fact: string; because: string[] } };
          if (fact?.fact === 'replacing') {
            seen.replacing.add(fact.path);
            seen.backups.set(fact.path, fact.backup);
          }
          if (fact?.fact === 'owed') for (const because of fact.because) seen.owed.add(because);
        }
        pending = '';
      }
    }
    found.push(...use(call, seen));
  }
  return found;
}

/** The path that a change of the host is about, below the root; null for what is no such change. */
function changed(call: Call, root: string): string | null {
  if (!changesNames(call) || !call.path.startsWith(`${root}/`)) return null;
  const file = call.path.slice(root.length);
  const isJournal = file.startsWith(files.journal) || file === '/var' || file === '/var/lib';
  return isJournal || isTemporary(file) ? null : file;
}

interface Change {
  readonly path: string;
  readonly call: string;
  readonly announced: boolean;
}

const changesOf = (calls: readonly Call[], root: string): readonly Change[] =>
  eachWithJournal(calls, (call, seen): Change[] => {
    const file = changed(call, root);
    return file === null ? [] : [{ path: file, call: call.name, announced: seen.replacing.has(file) }];
  });

const ahead = (changes: readonly Change[]): readonly Change[] =>
  changes.map((change) => ({ ...change, announced: true }));

test('every change of a name is on record, synced, before it is made', async () => {
  using root = place();
  root.write('/own.py', '# own\n');
  for (const [args, least] of [
    [[], 20],
    [['--force-rotate-tokens'], 1],
    [['--port', '9000'], 4],
    [['--source', root.at('/own.py')], 1],
  ] as const) {
    const { exitCode, calls } = await traced([...args, '--root', root.path]);
    const changes = changesOf(calls, root.path);
    expect({ args, exitCode, changes }).toEqual({ args, exitCode: 0, changes: ahead(changes) });
    expect(changes.length).toBeGreaterThanOrEqual(least);
  }
  rmSync(root.at(files.siteLink));
  symlinkSync('/etc/nginx/sites-available/other.conf', root.at(files.siteLink));
  expect(changesOf((await traced(['--force-config', '--root', root.path])).calls, root.path)).toEqual([
    { path: files.siteLink, call: 'rename', announced: true },
  ]);
});

test('what is replaced lies in the journal, durable, before it is replaced', async () => {
  using root = await installed();
  const { calls } = await traced(['--port', '9000', '--root', root.path]);
  const kept = eachWithJournal(calls, (call, seen): string[] => {
    const file = changed(call, root.path);
    const backup = file === null ? null : (seen.backups.get(file) ?? null);
    if (file === null || backup === null) return [];
    const before = calls.slice(0, calls.indexOf(call));
    const renamed = before.find(({ name, path: to }) => name === 'rename' && to.endsWith(`/${backup}`))!;
    const story = before
      .filter(
        ({ path: of }) => of === renamed.from || of === renamed.path || of === path.dirname(renamed.path),
      )
      .filter(({ name }) => name !== 'openat')
      .map(({ name, path: of }) => `${name} ${path.basename(of).replace(/[0-9a-f]{16}/u, 'N')}`);
    const id = path.basename(backup);
    const words = [
      `fchmod .${id}.N.mcp-installer-tmp`,
      `write .${id}.N.mcp-installer-tmp`,
      `fsync .${id}.N.mcp-installer-tmp`,
      `rename ${id}`,
      'fsync before',
    ];
    const start = story.indexOf(words[0]!);
    expect({ file, story: story.slice(start, start + words.length) }).toEqual({ file, story: words });
    return [file];
  });
  expect(kept).toEqual([files.socket, files.snippet, files.site]);
});

describe.each(suites)('%s', (suite) => {
  test('what becomes due by a change is on record before the change', async () => {
    await using host = await createHost({ suite, name: 'ahead' });
    const program = host.command(host.installerCommand([]));
    for (const args of [[], ['--force-rotate-tokens'], ['--port', '9000']] as const) {
      const { exitCode, text } = await traced(args, { command: program });
      expect({ args, exitCode }).toEqual({ args, exitCode: 0 });
      const changes = eachWithJournal(parseTrace(text), (call, seen) => {
        const file = changed(call, '');
        if (file === null || call.name === 'mkdir' || !/^\/(etc|usr)\//u.test(file)) return [];
        return [{ file, announced: seen.replacing.has(file), owed: seen.owed.has(file) }];
      });
      expect(changes).toEqual(changes.map((each) => ({ ...each, announced: true, owed: true })));
      expect(changes.length).toBeGreaterThan(0);
    }
  });
});
