/**
 * Files that a disk gave back other than they were written: the newest journal cut at each byte of its last record, or with
 * one bit of it flipped; what a replacement of the env file left half written; and the env file itself cut short.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { readRun } from '../../../src/journal/reader.ts';
import { files, type HostTree } from '../../support/host-tree.ts';
import { run } from '../../support/installer.ts';
import type { Traced } from '../../support/trace.ts';
import type { FaultClass, Injection, Verdict } from '../fault-class.ts';
import { journalBytes, newestRun } from '../journals.ts';
import { judge } from '../judge.ts';
import { differences, lookAtHost } from '../looks.ts';
import type { Prepared } from '../prepared.ts';

const id = '2b';
const sample = 101;

/** As a run that was killed looks to whoever comes later. */
const nobody: Traced = { exitCode: 137, hung: false, text: '', stdout: '', stderr: '', calls: [] };

interface Newest {
  readonly run: string;
  readonly file: string;
  readonly bytes: Buffer;
  /** First byte of the last record. */
  readonly start: number;
}

function newestJournal(host: HostTree): Newest {
  const newest = newestRun(host) ?? '';
  const file = host.at(`${files.journal}/runs/${newest}/journal.jsonl`);
  const bytes = readFileSync(file);
  return { run: newest, file, bytes, start: bytes.lastIndexOf(0x0a, bytes.length - 2) + 1 };
}

async function withJournal(prepared: Prepared, damage: (newest: Newest) => Buffer): Promise<Verdict> {
  using host = prepared.copy();
  const newest = newestJournal(host);
  writeFileSync(newest.file, damage(newest));
  const { damage: why } = readRun(host.at(files.journal), newest.run);
  const problems = await judge(prepared, host, nobody, {
    journals: journalBytes(host),
    ...(why === null ? {} : { damaged: newest.run }),
  });
  return { fired: !newest.bytes.equals(readFileSync(newest.file)), problems };
}

function flipped({ bytes, start }: Newest, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  const at = start + Math.floor(bit / 8);
  copy[at] = copy[at]! ^ (1 << (bit % 8));
  return copy;
}

/** Half of what a rotation was about to put in its place. */
async function withLeftover(prepared: Prepared, end: number): Promise<Verdict> {
  using host = prepared.copy();
  const text = host
    .read(files.env)
    .replaceAll(/[0-9a-f]{32}/gu, (value) => Array.from(value).reverse().join(''));
  const name = '/etc/mcp-oauth-proxy/..env.0123456789abcdef.mcp-installer-tmp';
  host.write(name, text.slice(0, end), 0o600);
  return { fired: true, problems: await judge(prepared, host, nobody) };
}

/** A URL that was cut short may still be one, and is kept in its canonical spelling: `http://1` is `http://0.0.0.1/`. */
function canonical(line: string): string {
  const [key = '', ...rest] = line.split('=');
  const value = rest.join('=');
  return URL.canParse(value) ? `${key}=${new URL(value).href}` : line;
}

/** Nothing that is left of the file is lost, and nothing is made up that is there; or it is refused, and nothing touched. */
async function withEnvCut(prepared: Prepared, end: number): Promise<Verdict> {
  using host = prepared.copy();
  const left = host.read(files.env).slice(0, end);
  host.write(files.env, left, 0o600);
  const before = lookAtHost(host);
  const install = async (...more: readonly string[]) => run(['install', ...more, '--root', host.path]);
  const first = await install();
  const problems: string[] = [];
  if (first.exitCode === 10) {
    if (!/\[ERROR\] E_[A-Z_]+: /u.test(first.output)) problems.push(`V12: ${first.output}`);
    problems.push(...differences(before, lookAtHost(host)).map((each) => `V12: ${each}`));
  } else if (first.exitCode === 0) {
    const lines = host.read(files.env).split('\n');
    const whole = left.split('\n').filter((line) => !/^[A-Z_]+=?$/u.test(line));
    const isKept = (line: string): boolean => lines.includes(line) || lines.includes(canonical(line));
    problems.push(...whole.filter((line) => !isKept(line)).map(() => 'V1: a line is lost'));
    const second = await install('--json');
    if (second.exitCode !== 0 || !second.stdout.includes('"outcome":"unchanged"'))
      problems.push(`V8: once more: ${second.output}`);
  } else {
    problems.push(`V12: exit ${first.exitCode}: ${first.output}`);
  }
  return { fired: true, problems };
}

const named = (
  scenario: string,
  fault: string,
  count: number,
  make: (nth: number) => Promise<Verdict>,
): readonly Injection[] =>
  Array.from({ length: count }, (_, nth) => ({
    id: `${id}/${scenario}/${fault}/${nth}`,
    quick: nth % sample === sample - 1,
    make: () => make(nth),
  }));

export const torn: FaultClass = {
  id,
  title: 'torn and damaged files, at each byte and each bit',
  needs: [],
  scenarios: ['rerun'],
  injections: (prepared) =>
    Promise.resolve(
      prepared.flatMap((each) => {
        using host = each.copy();
        const newest = newestJournal(host);
        const length = newest.bytes.length - newest.start;
        const env = host.read(files.env).length;
        const { name } = each.scenario;
        return [
          ...named(name, 'CUT-JOURNAL', length, (nth) =>
            withJournal(each, ({ bytes, start }) => bytes.subarray(0, start + nth)),
          ),
          ...named(name, 'FLIP-JOURNAL', 8 * length, (bit) => withJournal(each, (one) => flipped(one, bit))),
          ...named(name, 'HALF-ENV', env, (end) => withLeftover(each, end)),
          ...named(name, 'CUT-ENV', env, (end) => withEnvCut(each, end)),
        ];
      }),
    ),
};
