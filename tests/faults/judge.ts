/**
 * What has to hold after a fault: at once, after whatever the operator types next, and after typing it once more. Each
 * problem begins with the invariant that it is about:
 *
 * V1 secrets whole, V4 secrets private, V5 nothing half made or left behind, V6 journal whole, V8 converged, V9 no secret
 * told, V10 what people wrote survives (part of V5: contents are compared), V12 a run that ends by itself says why, and
 * leaves what it says. V2, V3 and V7 are about running programs: `serves.ts`, `classes/kill-on-hosts.ts`. V11 is about dry
 * runs, which nothing strikes: tests/hosts/dry-run.host.test.ts.
 */
import { lstatSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { heldBy } from '../../src/commands/secret-search.ts';
import { isErrorCode } from '../../src/errors.ts';
import { files, type HostTree } from '../support/host-tree.ts';
import { run, type Ran } from '../support/installer.ts';
import { changedPaths, treeOf } from '../support/tree.ts';
import { allCalls, type Traced } from '../support/trace.ts';
import { newestRun, rewritten, strangers, unreadable, type JournalBytes } from './journals.ts';
import { differences, lookAtHost, pathsBelow, secretsOf, type Secrets } from './looks.ts';
import type { Prepared } from './prepared.ts';
import { byHand, secretNames } from './scenarios.ts';

export interface JudgeOptions {
  /** The fault lied: a call was skipped and reported as done. What the run says of itself then counts for nothing. */
  readonly lied?: boolean;
  /** Did anybody hear what it said? */
  readonly heard?: boolean;
  /** Journals as the fault left them, where it is they that it struck. */
  readonly journals?: JournalBytes;
  /** The run whose journal the fault damaged. */
  readonly damaged?: string;
}

const secretDirectories = [path.dirname(files.env), files.journal];
const isTemporary = (file: string): boolean => file.endsWith('.mcp-installer-tmp');

/** Old and new values must not be mixed: each secret has the old value, or each that is rotated has a new one. */
function secretProblems(prepared: Prepared, now: Secrets): readonly string[] {
  const { scenario, secrets: before } = prepared;
  if (now === null) return before === null || scenario.purges ? [] : ['V1: the secrets are gone'];
  const incomplete = secretNames.filter(
    (name) => !/^(?:[0-9a-f]{32}|[0-9a-f]{64})$/u.test(now.get(name) ?? ''),
  );
  if (incomplete.length > 0) return [`V1: not whole: ${incomplete.join(', ')}`];
  if (before === null) return [];
  const changed = secretNames.filter((name) => before.get(name) !== now.get(name));
  const allowed = [[], scenario.rotates].some((each) => each.join() === changed.join());
  return allowed ? [] : [`V1: changed: ${changed.join(', ')}`];
}

/**
 * Whatever holds secrets was never open to others, not for an instant; but what an operator had left open is so again where
 * everything is put back.
 */
function exposures({ look }: Prepared, trace: string, root: string): readonly string[] {
  const wasSo = (file: string, mode: string): boolean =>
    look.get(file.slice(root.length))?.split(' ')[1] === mode.replace(/^0+/u, '');
  return allCalls(trace)
    .filter(({ path: file }) =>
      secretDirectories.some((each) => file === root + each || file.startsWith(`${root}${each}/`)),
    )
    .filter(({ name, path: file, flags, mode }) => {
      if (name === 'fchmod' && wasSo(file, mode)) return false;
      const open = (parseInt(mode, 8) & 0o077) !== 0;
      const makes = flags.includes('O_CREAT');
      return (makes && !flags.includes('O_EXCL')) || ((makes || /^(?:mkdir|f?chmod)/u.test(name)) && open);
    })
    .map(({ name, path: file, mode }) => `V4: ${name} ${file.slice(root.length)} ${mode}`);
}

function openFiles(host: HostTree): readonly string[] {
  // The operator's own mode is theirs until the first run has narrowed it: the file, and not what is made beside it.
  return pathsBelow(host, path.dirname(files.env))
    .filter((file) => isTemporary(file) && (lstatSync(host.at(file)).mode & 0o077) !== 0)
    .map((file) => `V4: ${file} is open to others`);
}

/** @param values name and value of every secret that may have been in use */
function toldSecrets(
  host: HostTree,
  values: readonly (readonly [string, string])[],
  texts: readonly string[],
): readonly string[] {
  const printed = texts.flatMap((text, at) => {
    const name = heldBy(text, values);
    return name === null ? [] : [`V9: output ${at + 1} holds ${name}`];
  });
  const kept = pathsBelow(host, '/').flatMap((file) => {
    if (file === files.env || !lstatSync(host.at(file)).isFile()) return [];
    const name = heldBy(readFileSync(host.at(file), 'latin1'), values);
    return name === null ? [] : [`V9: ${file} holds ${name}`];
  });
  return [...printed, ...kept];
}

interface Result {
  readonly type: string;
  readonly outcome?: string;
  readonly changed?: boolean;
  readonly error?: { readonly code: string } | null;
}

/** The last line of `--json`. */
export function resultIn(stdout: string): Result | null {
  try {
    const last = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Result;
    return last.type === 'result' ? last : null;
  } catch {
    return null;
  }
}

const signalCodes: readonly number[] = [129, 130, 143];

/** A run that was not killed: it says how it ended, and the host is as it says. */
function endProblems(prepared: Prepared, host: HostTree, ended: Traced, heard: boolean): readonly string[] {
  const { exitCode, stdout, stderr } = ended;
  const problems: string[] = [];
  const expected =
    exitCode === 0
      ? prepared.undisturbed
      : [10, 12, 64, ...signalCodes].includes(exitCode)
        ? prepared.look
        : exitCode === 13
          ? null
          : undefined;
  const told = `exit ${exitCode}, ${stderr.trim().split('\n').slice(-3).join(' | ')}`;
  if (expected === undefined) problems.push(`V12: ${told}`);
  const code = resultIn(stdout)?.error?.code;
  if (heard && exitCode !== 0 && !isErrorCode(code) && !signalCodes.includes(exitCode))
    problems.push(`V12: no reason is told: ${told}`);
  if (expected != null)
    problems.push(...differences(expected, lookAtHost(host)).map((each) => `V12: after ${told}: ${each}`));
  return problems;
}

async function again(prepared: Prepared, host: HostTree, more: readonly string[] = []): Promise<Ran> {
  return run([...prepared.scenario.next(host, prepared.runs), ...more, '--root', host.path]);
}

/** The next command finishes what was begun; the one after that has nothing to do. */
async function rerunProblems(
  prepared: Prepared,
  host: HostTree,
): Promise<{ problems: string[]; texts: string[] }> {
  const before = secretsOf(host);
  const first = await again(prepared, host);
  const texts = [first.output];
  const problems: string[] = [];
  if (first.exitCode !== 0) {
    problems.push(
      `V8: the next run ends with ${first.exitCode}: ${first.output.trim().split('\n').slice(-3).join(' | ')}`,
    );
    return { problems, texts };
  }
  const after = secretsOf(host);
  const kept = before === null || secretNames.every((name) => before.get(name) === after?.get(name));
  if (!kept && !prepared.scenario.purges) problems.push('V1: the next run made other secrets');
  problems.push(...secretProblems(prepared, after));
  const found = lookAtHost(host);
  const [nearest = []] = prepared.ends
    .map((end) => differences(end, found))
    .sort((one, other) => one.length - other.length);
  problems.push(...nearest.map((each) => `V5: ${each}`), ...strangers(host).map((each) => `V5: ${each}`));
  const trees = [treeOf(host.path)];
  const second = await again(prepared, host, ['--json']);
  texts.push(second.output);
  trees.push(treeOf(host.path));
  const result = resultIn(second.stdout);
  if (second.exitCode !== 0 || result?.changed !== false)
    problems.push(`V8: once more: exit ${second.exitCode}, ${result?.outcome ?? 'no result'}`);
  const isOwn = (file: string): boolean =>
    file === `${files.journal}/runs` || file.includes(`/runs/${newestRun(host)}`);
  problems.push(
    ...changedPaths(trees[0]!, trees[1]!)
      .filter((file) => !isOwn(file))
      .map((file) => `V8: the second run touched ${file}`),
  );
  return { problems, texts };
}

/** @returns what did not hold; nothing: the host has survived */
export async function judge(
  prepared: Prepared,
  host: HostTree,
  ended: Traced,
  { lied = false, heard = true, journals = prepared.journals, damaged }: JudgeOptions = {},
): Promise<readonly string[]> {
  const struck = newestRun(host);
  const problems: string[] = [
    ...secretProblems(prepared, secretsOf(host)),
    ...exposures(prepared, ended.text, host.path),
    ...openFiles(host),
    ...unreadable(host, struck, damaged).map((each) => `V6: ${each}`),
    ...rewritten(journals, host).map((each) => `V6: ${each}`),
  ];
  if (ended.exitCode !== 137 && !lied) problems.push(...endProblems(prepared, host, ended, heard));
  const between = secretsOf(host);
  const rerun = await rerunProblems(prepared, host);
  problems.push(...rerun.problems);
  problems.push(
    ...unreadable(host, struck, damaged).map((each) => `V6: afterwards ${each}`),
    ...rewritten(journals, host).map((each) => `V6: afterwards ${each}`),
  );
  const values = [prepared.secrets, between, secretsOf(host)].flatMap((each) => [...(each ?? [])]);
  const own: readonly [string, string] = [byHand.envKey, byHand.env.trim().split('=').at(-1)!];
  problems.push(...toldSecrets(host, [...values, own], [ended.stdout + ended.stderr, ...rerun.texts]));
  return problems;
}
