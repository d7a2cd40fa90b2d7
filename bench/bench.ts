/**
 * Wall times on a real host, side by side in one run: machines are noisy, so what counts are the ratios.
 *
 * Median of the runs, in milliseconds; the commands take turns. Entering the host's namespaces is part of each.
 */
import { spawnSync } from 'node:child_process';
import { suites } from '../tests/hosts/support/base.ts';
import { createHost, type Host } from '../tests/hosts/support/host.ts';

const bundle = '/opt/mcp-installer/dist/mcp-installer.mjs';
const rounds = 9;
const freshRounds = 3;

function time(host: Host, argv: readonly string[]): number {
  const [file = '', ...args] = host.command(argv);
  const began = process.hrtime.bigint();
  const { status, stdout, stderr } = spawnSync(file, args, { encoding: 'utf8' });
  const took = Number(process.hrtime.bigint() - began) / 1e6;
  if (status !== 0) throw new Error(`${argv.join(' ')}: exit ${status ?? 'none'}\n${stdout}${stderr}`);
  return took;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

const tell = (rows: ReadonlyMap<string, readonly number[]>): void => {
  const base = median(rows.get('node -e 0') ?? []);
  const bash = median(rows.get('bash script, again') ?? []);
  for (const [name, times] of rows) {
    const ms = median(times);
    const cells = [
      name.padEnd(30),
      `${ms.toFixed(0).padStart(7)} ms`,
      `${(ms / base).toFixed(2).padStart(8)} x node -e 0`,
    ];
    process.stdout.write(`${[...cells, `${(ms / bash).toFixed(2).padStart(8)} x bash script`].join('')}\n`);
  }
};

/** The files of an installation, for the bash script to install again. */
const collect = `mkdir -p /root/src && cd /root/src && cp /usr/local/lib/mcp-oauth-proxy/oauth_proxy.py /etc/systemd/system/mcp-oauth-proxy.* . &&
  cp /etc/nginx/snippets/mcp-oauth-proxy.conf snippet.conf && cp /etc/nginx/sites-available/mcp-oauth-proxy.conf site.conf`;

for (const suite of suites) {
  const rows = new Map<string, number[]>();
  const add = (name: string, ms: number): void => void rows.set(name, [...(rows.get(name) ?? []), ms]);
  await using host = await createHost({ suite, name: 'bench' });
  await host.must(`node ${bundle}`);
  await host.must(collect);
  for (let round = 0; round < rounds; round += 1) {
    add('node -e 0', time(host, ['node', '-e', '0']));
    add('--version', time(host, ['node', bundle, '--version']));
    add('dry run', time(host, ['node', bundle, '--dry-run']));
    add('rerun, nothing to do', time(host, ['node', bundle, '--detailed-exitcode']));
  }
  for (let round = 0; round < freshRounds; round += 1) {
    await using fresh = await createHost({ suite, name: 'bench-fresh' });
    add('fresh install', time(fresh, ['node', bundle]));
    await using other = await createHost({ suite, name: 'bench-bash' });
    await other.must('mkdir -p /root/src');
    for (const file of [
      'oauth_proxy.py',
      'mcp-oauth-proxy.service',
      'mcp-oauth-proxy.socket',
      'snippet.conf',
      'site.conf',
    ]) {
      await other.write(`/root/src/${file}`, host.read(`/root/src/${file}`));
    }
    add('bash script, fresh', time(other, ['bash', '/opt/mcp-installer/bench/install.sh', '/root/src']));
    for (let again = 0; again < 2; again += 1) {
      await other.must('systemctl reset-failed mcp-oauth-proxy.service || true');
      add('bash script, again', time(other, ['bash', '/opt/mcp-installer/bench/install.sh', '/root/src']));
    }
  }
  process.stdout.write(`\n${suite}, median of ${rounds} (fresh: ${freshRounds})\n`);
  tell(rows);
}
