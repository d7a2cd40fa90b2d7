/**
 * Wall times on a real host, side by side in one run: machines are noisy, so what counts are the ratios.
 *
 * Median of the runs, in milliseconds; the commands take turns. Entering the host's namespaces is part of each. A fresh
 * install waits two seconds longer than the script on purpose: a service that crashes after its first answer has crashed.
 */
import { spawnSync } from 'node:child_process';
import { suites, type Suite } from '../tests/hosts/support/base.ts';
import { createHost, type Host } from '../tests/hosts/support/host.ts';

const bundle = '/opt/mcp-installer/dist/mcp-installer.mjs';
const rounds = 11;
const freshRounds = 3;

function time(host: Host, argv: readonly string[]): number {
  const [file = '', ...args] = host.command(argv);
  const began = process.hrtime.bigint();
  const { status, stdout, stderr } = spawnSync(file, args, { encoding: 'utf8' });
  const took = Number(process.hrtime.bigint() - began) / 1e6;
  if (status !== 0) throw new Error(`${argv.join(' ')}: exit ${status ?? 'none'}\n${stdout}${stderr}`);
  return took;
}

const sorted = (values: readonly number[]): readonly number[] => values.toSorted((a, b) => a - b);
const median = (values: readonly number[]): number => sorted(values)[Math.floor(values.length / 2)] ?? NaN;

type Rows = Map<string, number[]>;

/** What a row is held against: the bare interpreter, or the script that does the same job. */
const aims: Readonly<Record<string, { readonly against: string; readonly most: number }>> = {
  '--version': { against: 'node -e 0', most: 2 },
  'rerun, nothing to do': { against: 'bash script, again', most: 1 },
};

const row = (...cells: readonly string[]): string =>
  `${cells.map((cell, at) => (at === 0 ? cell.padEnd(22) : cell.padStart(17))).join('')}\n`;

function tell(suite: string, rows: Rows): void {
  const base = median(rows.get('node -e 0') ?? []);
  const bash = median(rows.get('bash script, again') ?? []);
  process.stdout.write(`\n${suite}: median of ${rounds} (fresh: ${freshRounds}), commands in turn\n`);
  process.stdout.write(row('', 'median ms', 'min-max ms', '/ node -e 0', '/ bash, again', 'aim'));
  for (const [name, times] of rows) {
    const [ms, all] = [median(times), sorted(times)];
    const aim = aims[name];
    const ratio = aim === undefined ? NaN : ms / median(rows.get(aim.against) ?? []);
    const verdict = aim === undefined ? '' : `<= ${aim.most}: ${ratio <= aim.most ? 'met' : 'missed'}`;
    const spread = `${(all[0] ?? NaN).toFixed(0)}-${(all.at(-1) ?? NaN).toFixed(0)}`;
    process.stdout.write(
      row(name, ms.toFixed(0), spread, (ms / base).toFixed(2), (ms / bash).toFixed(2), verdict),
    );
  }
}

/** The files of an installation, for the bash script to install again. */
const parts = {
  'oauth_proxy.py': '/usr/local/lib/mcp-oauth-proxy/oauth_proxy.py',
  'mcp-oauth-proxy.service': '/etc/systemd/system/mcp-oauth-proxy.service',
  'mcp-oauth-proxy.socket': '/etc/systemd/system/mcp-oauth-proxy.socket',
  'snippet.conf': '/etc/nginx/snippets/mcp-oauth-proxy.conf',
  'site.conf': '/etc/nginx/sites-available/mcp-oauth-proxy.conf',
};
const script = ['bash', '/opt/mcp-installer/bench/install.sh', '/root/src'];

async function hostForBash(suite: Suite, source: Host): Promise<Host> {
  const host = await createHost({ suite, name: 'bench-bash' });
  for (const [name, path] of Object.entries(parts)) await host.write(`/root/src/${name}`, source.read(path));
  return host;
}

for (const suite of suites) {
  const rows: Rows = new Map();
  const add = (name: string, ms: number): void => void rows.set(name, [...(rows.get(name) ?? []), ms]);
  await using host = await createHost({ suite, name: 'bench' });
  await host.must(`node ${bundle}`);
  await using other = await hostForBash(suite, host);
  time(other, script);
  for (let round = 0; round < rounds; round += 1) {
    add('node -e 0', time(host, ['node', '-e', '0']));
    add('--version', time(host, ['node', bundle, '--version']));
    add('dry run', time(host, ['node', bundle, '--dry-run']));
    add('rerun, nothing to do', time(host, ['node', bundle, '--detailed-exitcode']));
    // Many starts in a row are no crash loop: systemd's limit is not what is measured.
    await other.must('systemctl reset-failed mcp-oauth-proxy.service nginx.service || true');
    add('bash script, again', time(other, script));
  }
  for (let round = 0; round < freshRounds; round += 1) {
    await using fresh = await createHost({ suite, name: 'bench-fresh' });
    add('fresh install', time(fresh, ['node', bundle]));
    await using bash = await hostForBash(suite, host);
    add('bash script, fresh', time(bash, script));
  }
  tell(suite, rows);
}
