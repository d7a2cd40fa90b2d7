/** Others at the same time: two and ten runs at once, and somebody who swaps what is managed for links, again and again. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isErrorCode } from '../../../src/errors.ts';
import { files, type HostTree } from '../../support/host-tree.ts';
import { bundle, resultOf, run, type Ran } from '../../support/installer.ts';
import type { FaultClass, Injection, Verdict } from '../fault-class.ts';
import { treeOf } from '../../support/tree.ts';
import { judge, resultIn } from '../judge.ts';
import { secretsOf } from '../looks.ts';
import type { Prepared } from '../prepared.ts';

/**
 * Whoever does not get the lock waits a moment for it, and a quick run is over by then: so that one meets another, what each
 * of them writes takes longer to be on the disk.
 */
const slowly = ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=fsync', '-e', 'inject=fsync:delay_enter=100ms'];

function command(prepared: Prepared, host: HostTree): Promise<Ran> {
  const args = [...prepared.scenario.command(host, prepared.runs), '--json', '--root', host.path];
  const env = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent' };
  return resultOf(spawn('strace', [...slowly, process.execPath, bundle, ...args], { env }));
}

/** They may come one after the other all the same: then that shows nothing. */
const tries = 20;

/** One of them works, and the others too or they say that it is not their turn. */
async function atOnce(prepared: Prepared, count: number): Promise<Verdict> {
  for (let attempt = 0; attempt < tries; attempt += 1) {
    using host = prepared.copy();
    const all = await Promise.all(Array.from({ length: count }, () => command(prepared, host)));
    const worked = all.find(({ exitCode }) => exitCode === 0);
    if (worked === undefined) return { fired: true, problems: ['V12: none of them worked'] };
    if (all.every(({ exitCode }) => exitCode === 0)) continue;
    return {
      fired: true,
      problems: [
        ...all
          .filter(({ exitCode }) => exitCode !== 0 && exitCode !== 11)
          .map(({ exitCode, output }) => `V12: exit ${exitCode}: ${output.trim()}`),
        ...(await judge(prepared, host, { ...worked, calls: [], text: '', hung: false })),
      ],
    };
  }
  return { fired: false, problems: [] };
}

/** Swaps what stands there for a link to somebody else's and back, at no instant without either, until it is killed. */
const swapper = `import ctypes, os, sys
at, victim = (os.fsencode(each) for each in sys.argv[1:])
planted = at + b'.planted'
os.symlink(victim, planted)
exchange = ctypes.CDLL(None).renameat2
exchange(-100, at, -100, planted, 2)
print('swaps', flush=True)
while True:
    exchange(-100, at, -100, planted, 2)
`;

const swapped: readonly string[] = [
  files.env,
  files.code,
  files.service,
  files.site,
  '/etc/mcp-oauth-proxy',
  '/usr/local/lib/mcp-oauth-proxy',
  '/etc/nginx/sites-available',
  `${files.journal}/runs`,
];
/** With all these places two hundred. */
const runsEach = 25;

/** Something of somebody else's, of the same kind as what stands there. */
function victimFor(
  host: HostTree,
  place: string,
): { readonly at: string; contents(): readonly string[] } & Disposable {
  const outside = `${host.path}-outside`;
  const at = path.join(outside, path.basename(place));
  if (lstatSync(host.at(place)).isDirectory()) mkdirSync(at, { recursive: true });
  else mkdirSync(outside);
  writeFileSync(existsSync(at) ? path.join(at, 'theirs') : at, 'theirs\n');
  return {
    at,
    contents: () => [...treeOf(outside)].map(([name, facts]) => `${name} ${facts}`),
    [Symbol.dispose]: () => rmSync(outside, { recursive: true, force: true }),
  };
}

/** Takes the link away wherever the loop was stopped; where a run has replaced it, what the run wrote stays. */
function settle(at: string): void {
  const planted = `${at}.planted`;
  if (lstatSync(at).isSymbolicLink()) {
    rmSync(at);
    renameSync(planted, at);
  } else {
    rmSync(planted, { recursive: true });
  }
}

async function swappedDuringRuns(prepared: Prepared, place: string): Promise<Verdict> {
  using host = prepared.copy();
  using victim = victimFor(host, place);
  const before = victim.contents();
  const problems: string[] = [];
  const ends = new Set<number>();
  const loop = spawn('python3', ['-c', swapper, host.at(place), victim.at]);
  const ended = once(loop, 'close');
  try {
    await once(loop.stdout, 'data');
    for (let nth = 0; nth < runsEach; nth += 1) {
      const port = String(9000 + nth);
      const { exitCode, output, stdout } = await run([
        'install',
        '--port',
        port,
        '--json',
        '--root',
        host.path,
      ]);
      ends.add(exitCode);
      const isTold = [10, 12, 13, 65].includes(exitCode) && isErrorCode(resultIn(stdout)?.error?.code);
      if (exitCode !== 0 && !isTold)
        problems.push(`V12: exit ${exitCode}: ${output.trim().split('\n').at(-1)}`);
    }
  } finally {
    loop.kill('SIGKILL');
    await ended;
  }
  if (victim.contents().join() !== before.join()) problems.push('what lies outside was touched');
  settle(host.at(place));
  for (const outcome of [undefined, 'unchanged']) {
    const { exitCode, output, stdout } = await run(['install', '--json', '--root', host.path]);
    const result = resultIn(stdout);
    if (exitCode !== 0 || (outcome !== undefined && result?.outcome !== outcome))
      problems.push(`V8: exit ${exitCode}: ${output.trim().split('\n').at(-1)}`);
  }
  const secrets = secretsOf(host);
  if ([...(prepared.secrets ?? [])].some(([name, value]) => secrets?.get(name) !== value))
    problems.push('V1: secrets changed');
  // At least one of them met the link.
  return { fired: [...ends].some((end) => end !== 0), problems };
}

export const races: FaultClass = {
  id: '5c',
  title: 'runs at once, and links swapped in during 200 runs',
  needs: ['python3', 'strace'],
  scenarios: ['fresh', 'rerun', 'upgrade', 'rotate-all', 'uninstall'],
  injections: (prepared) =>
    Promise.resolve(
      prepared.flatMap((each): Injection[] => {
        const { name } = each.scenario;
        // One that uninstalls is done before a second one has started.
        const together = (name === 'uninstall' ? [10] : [2, 10]).map((count) => ({
          id: `5c/${name}/AT-ONCE/${count}`,
          quick: name === 'fresh' && count === 2,
          make: () => atOnce(each, count),
        }));
        const swaps = (name === 'rerun' ? swapped : []).map((place) => ({
          id: `5c/${name}/SWAP/${place}`,
          quick: place === files.env,
          make: () => swappedDuringRuns(each, place),
        }));
        return [...together, ...swaps];
      }),
    ),
};
