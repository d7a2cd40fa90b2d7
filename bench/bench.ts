/**
 * How fast: this executable beside others that do the same job, on a real host, in one run.
 *
 *     npm run bench -- [bookworm|trixie] [ROUNDS]
 *
 * Prints a table of medians with their spread and of ratios, which are what counts. Takes some twenty minutes.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { suites } from '../tests/hosts/support/base.ts';
import { checkout } from '../tests/hosts/support/form.ts';
import { createHost, type Host } from '../tests/hosts/support/host.ts';
import { sweepHosts } from '../tests/hosts/support/leftovers.ts';
import { pinnedNode } from '../scripts/pinned-node.mjs';
import { compare, measure, row, type Timed } from './measure.ts';
import { bashScript, engines, mustWork, preparePeers, reset } from './peers.ts';
import { scale } from './scale.ts';

const [word, count] = process.argv.slice(2);
const suite = word === undefined ? 'trixie' : suites.find((each) => each === word);
const rounds = Number(count ?? 21);
if (suite === undefined || !Number.isInteger(rounds) || rounds < 1)
  throw new Error(`usage: npm run bench -- [${suites.join('|')}] [ROUNDS]`);

execFileSync('node', ['scripts/build-deb.mjs', '--if-stale'], { stdio: 'inherit' });
const node = [`${checkout}/${pinnedNode(process.arch).executable}`, '-e', '0'];

/**
 * As it comes from a disk, not as the build has left it in the page cache: of what was written just now the kernel may map
 * two megabytes at a time, and all of that would count as memory of the process.
 */
const fromDisk = (host: Host, file: string): Promise<string> =>
  host.must(`sync ${file} && dd if=${file} iflag=nocache count=0 status=none`);

/** Everything that is about an installation that stands. */
async function reruns(host: Host, installer: readonly string[]): Promise<void> {
  const commands: Timed[] = [
    { name: 'node -e 0', argv: node },
    { name: '--version', argv: [...installer, '--version'] },
    // Exit code 2 if it found anything to do.
    { name: 'rerun', argv: [...installer, '--detailed-exitcode'] },
    { name: 'dry run', argv: [...installer, '--detailed-exitcode', '--dry-run'] },
    { name: 'status', argv: [...installer, 'status'] },
    ...Object.entries(engines).map(([name, { argv }]) => ({ name, argv })),
    // Many starts in a row are no crash loop: systemd's limit is not what is measured.
    { name: 'bash script', argv: bashScript, before: ['systemctl', 'reset-failed'] },
  ];
  const costs = await measure(host, rounds, commands);
  const ms = (name: string): readonly number[] => costs.get(name)?.ms ?? [];
  const mib = (name: string): readonly number[] => costs.get(name)?.mib ?? [];
  compare('`--version`', '`node -e 0`', [ms('--version'), ms('node -e 0')], 1.3);
  compare('rerun, nothing to do', '`cf-agent`', [ms('rerun'), ms('cf-agent')], 1);
  compare('the same', '`ansible-playbook`', [ms('rerun'), ms('ansible-playbook')], 1 / 40);
  compare('the same', '`puppet apply`', [ms('rerun'), ms('puppet apply')], 1 / 30);
  compare('the same', 'the plain bash script, its wait included', [ms('rerun'), ms('bash script')], 1 / 8);
  compare('dry run', 'rerun, nothing to do', [ms('dry run'), ms('rerun')], 1);
  compare('`status`', 'rerun, nothing to do', [ms('status'), ms('rerun')], 1);
  compare('memory of a rerun, MiB', '`node -e 0`', [mib('rerun'), mib('node -e 0')], 1.5);
}

/** Without what comes once the service is started: waiting for its answer, and whether it stays up, which is on purpose. */
async function freshInstalls(host: Host, installer: readonly string[]): Promise<void> {
  const waiting = { from: '"state":"verifying"', to: '"type":"verified"' };
  const costs = await measure(host, rounds, [
    { name: 'fresh', argv: [...installer, '--json'], before: reset, ...waiting },
    { name: 'bash script', argv: bashScript, before: reset, from: 'waiting' },
  ]);
  const ms = (name: string): readonly number[] => costs.get(name)?.ms ?? [];
  compare(
    'fresh install, up to its first question',
    'the plain bash script, likewise',
    [ms('fresh'), ms('bash script')],
    1.2,
  );
  const mib = costs.get('fresh')?.mib ?? [];
  process.stdout.write(`\nMemory of a fresh install: at most ${Math.max(...mib).toFixed(0)} MiB.\n`);
}

sweepHosts();
await using host = await createHost({ suite, name: 'bench', form: 'standalone', network: true });
const installer = host.installerCommand([]);
await host.must(installer.join(' '));
await preparePeers(host);
for (const [name, engine] of Object.entries(engines)) await mustWork(host, name, engine);
await host.must(reset.join(' '));
await host.must(installer.join(' '));

process.stdout.write(
  `\n${suite}: median (least–most) of ${rounds}, in milliseconds unless it says otherwise; commands in turn\n\n`,
);
row('what', 'against', 'what', 'against', 'ratio', 'aim');
row('---', '---', '---', '---', '---', '---');
for (const file of [installer[0] ?? '', node[0] ?? '']) await fromDisk(host, file);
await reruns(host, installer);
await freshInstalls(host, installer);
await scale(host, installer, rounds);

process.stdout.write('\nSizes, MB\n\n');
row('file', 'MB');
row('---', '---');
for (const file of readdirSync('dist').filter((each) => /^mcp-installer[._-]/u.test(each)))
  row(`\`${file}\``, (statSync(`dist/${file}`).size / 1e6).toFixed(1));
