/**
 * Start states that somebody planted: at each managed path something that is not what it should be. Whatever it is, the run
 * ends soon; it refuses and touches nothing, or puts it right; and what lies outside is not touched, whichever name leads
 * to it.
 */
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { isErrorCode } from '../../../src/errors.ts';
import { files, type HostTree } from '../../support/host-tree.ts';
import { bundle, resultOf } from '../../support/installer.ts';
import { changedPaths, treeOf } from '../../support/tree.ts';
import type { FaultClass, Injection, Verdict } from '../fault-class.ts';
import { resultIn } from '../judge.ts';
import { secretsOf } from '../looks.ts';
import type { Prepared } from '../prepared.ts';

const id = '5';
const sample = 23;
const stranger = 12_345;

/** Something outside of the root that nobody may touch. */
interface Victim {
  readonly file: string;
  readonly directory: string;
}

function victimBeside(host: HostTree): Victim & Disposable {
  const outside = `${host.path}-outside`;
  const victim = { file: path.join(outside, 'file'), directory: path.join(outside, 'directory') };
  mkdirSync(victim.directory, { recursive: true, mode: 0o755 });
  writeFileSync(victim.file, 'of somebody else\n');
  chmodSync(victim.file, 0o644);
  return { ...victim, [Symbol.dispose]: () => rmSync(outside, { recursive: true, force: true }) };
}

const directories: readonly string[] = [
  '/etc/mcp-oauth-proxy',
  '/usr/local/lib/mcp-oauth-proxy',
  '/etc/nginx/sites-available',
  '/etc/systemd/system',
  files.journal,
  `${files.journal}/runs`,
];
const regular: readonly string[] = [
  files.env,
  files.code,
  files.service,
  files.socket,
  files.site,
  files.siteLink,
  files.zones,
  files.snippet,
  `${files.journal}/fingerprint.key`,
];

/** What is put in the place of a path; `there` is what stood there. */
const states: Readonly<Record<string, (at: string, victim: Victim, there: 'file' | 'directory') => void>> = {
  link: (at, victim, there) =>
    replaced(at, () => symlinkSync(there === 'file' ? victim.file : victim.directory, at)),
  dangling: (at) => replaced(at, () => symlinkSync('/nonexistent/place', at)),
  circle: (at) => replaced(at, () => symlinkSync(at, at)),
  directory: (at, _, there) => there === 'file' && replaced(at, () => mkdirSync(at)),
  file: (at, _, there) => there === 'directory' && replaced(at, () => writeFileSync(at, 'not a directory\n')),
  fifo: (at) => replaced(at, () => void execFileSync('mkfifo', [at])),
  device: (at) => replaced(at, () => void execFileSync('mknod', [at, 'c', '1', '3'])),
  hardlink: (at, victim, there) => there === 'file' && replaced(at, () => linkSync(victim.file, at)),
  owner: (at) => lchownSync(at, stranger, stranger),
  'parent-owner': (at) => chownSync(path.dirname(at), stranger, stranger),
  'parent-open': (at) => chmodSync(path.dirname(at), 0o777),
  open: (at) => lstatSync(at).isSymbolicLink() || chmodSync(at, 0o777),
  closed: (at) => lstatSync(at).isSymbolicLink() || chmodSync(at, 0),
  empty: (at, _, there) => there === 'file' && !lstatSync(at).isSymbolicLink() && truncateSync(at, 0),
  huge: (at, _, there) => there === 'file' && !lstatSync(at).isSymbolicLink() && truncateSync(at, 10_000_000),
};

function replaced(at: string, make: () => void): void {
  renameSync(at, `${at}.aside`);
  rmSync(`${at}.aside`, { recursive: true });
  make();
}

const describe = (file: string): string => {
  const { mode, uid, gid, mtimeMs } = lstatSync(file);
  const content = lstatSync(file).isFile() ? readFileSync(file, 'utf8') : '';
  return [mode.toString(8), uid, gid, mtimeMs, content].join(' ');
};

interface Ended {
  readonly exitCode: number;
  readonly code: string | null;
  readonly outcome: string | null;
  readonly output: string;
}

/** Seconds in which every run ends, whatever it opens. */
const patience = 30;

async function install(host: HostTree): Promise<Ended> {
  // `timeout` ends it with 137: then it has waited for something that never comes.
  const ran = await resultOf(
    spawn('timeout', [
      '--signal=KILL',
      String(patience),
      process.execPath,
      bundle,
      'install',
      '--json',
      '--root',
      host.path,
    ]),
  );
  const result = resultIn(ran.stdout);
  return {
    exitCode: ran.exitCode,
    code: result?.error?.code ?? null,
    outcome: result?.outcome ?? null,
    output:
      ran.exitCode === 137 ? `it did not end in ${patience} s` : (ran.output.trim().split('\n').at(-1) ?? ''),
  };
}

async function planted(prepared: Prepared, place: string, state: string): Promise<Verdict> {
  using host = prepared.copy();
  using victim = victimBeside(host);
  const at = host.at(place);
  const before = describe(at);
  states[state]!(at, victim, directories.includes(place) ? 'directory' : 'file');
  const touched = [describe(victim.file), describe(victim.directory)];
  const fired = describe(at) !== before || state.startsWith('parent');
  const tree = treeOf(host.path, [files.journal]);

  const first = await install(host);
  const problems: string[] = [];
  if (![0, 10, 65].includes(first.exitCode)) problems.push(`V12: exit ${first.exitCode}: ${first.output}`);
  if (first.exitCode !== 0) {
    if (!isErrorCode(first.code)) problems.push(`V12: no reason is told: ${first.output}`);
    const now = treeOf(host.path, [files.journal]);
    problems.push(...changedPaths(tree, now).map((each) => `V12: refused, and yet ${each} is changed`));
  } else {
    const now = secretsOf(host);
    if ([...(prepared.secrets ?? [])].some(([name, value]) => now?.get(name) !== value))
      problems.push('V1: secrets changed');
    const second = await install(host);
    if (second.exitCode !== 0 || second.outcome !== 'unchanged')
      problems.push(`V8: once more: exit ${second.exitCode}, ${second.outcome ?? second.output}`);
  }
  if (touched.join() !== [describe(victim.file), describe(victim.directory)].join())
    problems.push('what lies outside was touched');
  return { fired, problems };
}

export const hostile: FaultClass = {
  id,
  title: 'hostile start states of every managed path',
  needs: [],
  scenarios: ['rerun'],
  injections: (prepared) =>
    Promise.resolve(
      prepared.flatMap((each) =>
        [...regular, ...directories]
          .flatMap((place) => Object.keys(states).map((state) => ({ place, state })))
          // A file is no odd state of a file, nor a directory one of a directory; other states are of files only.
          .filter(({ place, state }) =>
            directories.includes(place)
              ? !['directory', 'hardlink', 'empty', 'huge'].includes(state)
              : state !== 'file' &&
                !(place === files.siteLink && ['open', 'closed', 'empty', 'huge'].includes(state)),
          )
          .map(({ place, state }, index): Injection => ({
            id: `${id}/${each.scenario.name}/${state}/${place}`,
            quick: index % sample === sample - 1,
            make: () => planted(each, place, state),
          })),
      ),
    ),
};
