/**
 * Many hosts: the Ansible collection beside a playbook of core modules that does the same job, on the same hosts.
 *
 *     npm run bench:fleet -- [ROUNDS]
 *
 * Whole plays are timed, for 1, 5 and 20 hosts in turn. The most memory, on the control machine and on a host, is that of a play
 * with nothing to do. Takes about ten minutes for each round.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { repositoryRoot } from '../tests/hosts/support/base.ts';
import { checkout } from '../tests/hosts/support/form.ts';
import type { Host } from '../tests/hosts/support/host.ts';
import { sweepHosts } from '../tests/hosts/support/leftovers.ts';
import { createFleet, forEach, project } from '../tests/integrations/support/fleet.ts';
import { compare, row } from './measure.ts';
import { keepSources, peers, reset } from './peers.ts';

const rounds = Number(process.argv[2] ?? 3);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error('usage: npm run bench:fleet -- [ROUNDS]');
const sizes = [1, 5, 20];
const executable = '/usr/local/bin/mcp-installer';
const released = `dist/mcp-installer-linux-${process.arch}`;

execFileSync('node', ['scripts/build-standalone.mjs', '--if-stale'], { stdio: 'inherit' });
sweepHosts();
await using fleet = await createFleet(
  'trixie',
  Array.from({ length: Math.max(...sizes) }, () => 'trixie'),
);
const { control, members } = fleet;
await fleet.bring(`${repositoryRoot}/${released}`);
// Without a domain, as the peers' definitions have it.
const plays = {
  collection: ['site.yml', '--extra-vars', '{"mcp_installer_settings": {}}'],
  'core modules': [`${peers}/playbook.yml`],
};
type Who = keyof typeof plays;

/** Of all that runs on a host, in MiB; what several processes share counts once. */
function memoryOf({ init }: Host): number {
  const namespace = readlinkSync(`/proc/${init}/ns/pid`);
  let kib = 0;
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/u.test(pid)) continue;
    try {
      if (readlinkSync(`/proc/${pid}/ns/pid`) !== namespace) continue;
      kib += Number(/^Pss:\s*(\d+)/mu.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
    } catch {
      // It ended while we looked.
    }
  }
  return kib / 1024;
}

async function play(who: Who, size: number, isIdle: boolean): Promise<number> {
  const began = performance.now();
  const limit = `proxies[0:${size - 1}]`;
  const { exitCode, output } = await control.run(['ansible-playbook', '--limit', limit, ...plays[who]], {
    cwd: project,
    env: { ANSIBLE_NOCOLOR: '1' },
  });
  const ms = performance.now() - began;
  const done = output.match(/changed=\d+ +unreachable=0 +failed=0/gu) ?? [];
  const idle = done.filter((line) => line.startsWith('changed=0 ')).length;
  if (exitCode !== 0 || done.length !== size || idle !== (isIdle ? size : 0))
    throw new Error(`${who}, ${size} hosts: not what was to be measured\n${output}`);
  return ms;
}

/** The most memory of hosts over what they have when nothing runs, in MiB. Not in a play that is timed. */
async function peaksOf(looked: readonly Host[], who: Who, size: number): Promise<number[]> {
  const before = looked.map(memoryOf);
  const most = [...before];
  const looking = setInterval(() => {
    for (const [at, host] of looked.entries()) most[at] = Math.max(most[at]!, memoryOf(host));
  }, 100);
  try {
    await play(who, size, true);
  } finally {
    clearInterval(looking);
  }
  return most.map((value, at) => value - before[at]!);
}

async function takeAway(size: number, more = ''): Promise<void> {
  await forEach(members.slice(0, size), ({ host }) => host.must(`${reset.join(' ')}; rm -f ${more}`));
}

type Figures = Record<Who, number[]>;
const figures = new Map<string, Figures>();
const keep = (what: string, who: Who, value: number): void => {
  const found = figures.get(what) ?? { collection: [], 'core modules': [] };
  found[who].push(value);
  figures.set(what, found);
};

// What the peers install is what the collection has installed.
await play('collection', 1, false);
await keepSources(control, members[0]!.host);
await takeAway(1, executable);

const names = Object.keys(plays) as Who[];
for (let round = 0; round < rounds; round += 1) {
  for (const size of sizes) {
    for (const who of names) {
      await takeAway(size, executable);
      const fresh = await play(who, size, false);
      keep(`${size}, fresh`, who, fresh);
      if (who === 'core modules') keep(`${size}, fresh, the executable there`, who, fresh);
      keep(`${size}, nothing to do`, who, await play(who, size, true));
      const [ofControl = NaN, ofHost = NaN] = await peaksOf([control, members[0]!.host], who, size);
      keep(`${size}, memory of the control machine, MiB`, who, ofControl);
      keep(`${size}, memory of a host, MiB`, who, ofHost);
    }
    await takeAway(size);
    await forEach(members.slice(0, size), ({ host }) =>
      host.must(`cp ${checkout}/${released} ${executable}`),
    );
    keep(`${size}, fresh, the executable there`, 'collection', await play('collection', size, false));
  }
}

process.stdout.write(
  `\nMedian (least–most) of ${rounds}, milliseconds unless it says otherwise; plays in turn\n\n`,
);
row('hosts, what', 'against', 'collection', 'core modules', 'ratio', 'aim');
row('---', '---', '---', '---', '---', '---');
for (const [what, of] of figures) compare(what, 'core modules', [of.collection, of['core modules']], 1 / 3);
