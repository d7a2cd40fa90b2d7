/**
 * What a long history costs: the same commands below two roots, one with 10 past runs and one with 10,000.
 *
 * `npm run bench:history`. The two take turns in one run, since machines are noisy: what counts is the ratio. The past runs
 * are reruns that found nothing to do, as a scheduler leaves them: the records of a real one, under ids and times of
 * their own. The first and the last run are real ones that changed something.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readRun, runIds } from '../src/journal/reader.ts';
import { encodeRecord, type JournalRecord } from '../src/journal/record.ts';
import { median, row, summary } from './measure.ts';

const counts = [10, 10_000] as const;
const rounds = 21;
const bundle = path.resolve('dist/mcp-installer.mjs');
/** Tells on descriptor 3 how much memory the process had at most, in KiB. */
const tellMemory = `data:text/javascript,${encodeURIComponent(
  'import{writeSync}from"node:fs";process.on("exit",()=>writeSync(3,String(process.resourceUsage().maxRSS)))',
)}`;

/** A command, and by how much it may grow. */
const commands: Readonly<Record<string, { readonly args: readonly string[]; readonly aim: number | null }>> =
  {
    'rerun with nothing to do': { args: [], aim: 1.1 },
    'history, first page': { args: ['history'], aim: 1.5 },
    'rollback --dry-run': { args: ['rollback', '--dry-run'], aim: null },
  };

interface Cost {
  readonly ms: number;
  readonly mib: number;
}

function cost(root: string, args: readonly string[]): Cost {
  const begin = process.hrtime.bigint();
  const { status, output, stderr } = spawnSync(
    process.execPath,
    ['--import', tellMemory, bundle, ...args, '--root', root],
    { stdio: ['ignore', 'ignore', 'pipe', 'pipe'], encoding: 'utf8' },
  );
  const ms = Number(process.hrtime.bigint() - begin) / 1e6;
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status ?? 'a signal'}: ${stderr}`);
  return { ms, mib: Number(output[3]) / 1024 };
}

const idAt = (time: number, nth: number): string =>
  `${new Date(time).toISOString().replace(/[-:]/gu, '').slice(0, 15)}Z-${(nth % 0x10000).toString(16).padStart(4, '0')}`;

/** Reruns between the runs that are there and the next one, one for each minute of the past. */
function fill(home: string, count: number): void {
  const [first = '', model = ''] = runIds(home);
  const records = readRun(home, model).records;
  rmSync(path.join(home, 'runs', model), { recursive: true });
  const start = Date.parse(readRun(home, first).started?.t ?? '');
  for (let nth = 0; nth < count; nth += 1) {
    // Ids only grow; seconds are enough.
    const time = start + (nth + 1) * 1000;
    let previous = '';
    const lines = records.map((record) => {
      const own: JournalRecord = { ...record, t: new Date(time).toISOString() };
      const { line, sum } = encodeRecord(own, previous);
      previous = sum;
      return line;
    });
    const directory = path.join(home, 'runs', idAt(time, nth));
    mkdirSync(directory, { mode: 0o700 });
    writeFileSync(path.join(directory, 'journal.jsonl'), lines.join(''), { mode: 0o600 });
  }
}

function prepared(parent: string, count: number): string {
  const root = path.join(parent, String(count));
  mkdirSync(root);
  const run = (...args: readonly string[]): void => {
    execFileSync(process.execPath, [bundle, ...args, '--root', root], { stdio: 'ignore' });
  };
  run();
  run();
  fill(path.join(root, 'var/lib/mcp-installer'), count - 2);
  run('--port', '9000');
  return root;
}

const parent = mkdtempSync('/dev/shm/mcp-installer-bench-');
try {
  const roots = counts.map((count) => prepared(parent, count));
  const [few, many] = counts.map((count) => count.toLocaleString('en'));
  row('command', `${few} runs, ms`, `${many} runs, ms`, 'ratio', 'aim', 'MiB at most', 'ratio');
  row('---', '---', '---', '---', '---', '---', '---');
  for (const [name, { args, aim }] of Object.entries(commands)) {
    const costs: Cost[][] = roots.map(() => []);
    // The first one of each warms the page cache.
    for (let round = 0; round <= rounds; round += 1) {
      roots.forEach((root, at) => {
        const found = cost(root, args);
        if (round > 0) costs[at]!.push(found);
      });
    }
    const [a, b] = costs.map((each) => ({ ms: each.map(({ ms }) => ms), mib: each.map(({ mib }) => mib) }));
    const ratio = (of: 'ms' | 'mib'): string => (median(b![of]) / median(a![of])).toFixed(2);
    row(
      name,
      summary(a!.ms),
      summary(b!.ms),
      ratio('ms'),
      aim === null ? '' : `≤ ${aim}`,
      `${median(a!.mib).toFixed(0)} and ${median(b!.mib).toFixed(0)}`,
      ratio('mib'),
    );
  }
} finally {
  rmSync(parent, { recursive: true, force: true });
}
