/**
 * What `--inspect` costs a run that nobody watches, on a real host: pairs of runs, with and without in turn, so that what
 * the machine does meanwhile falls on both. What counts is the median of the pairs' ratios.
 *
 * A rerun that finds nothing to do is the shortest run there is, so the cost weighs most there; a rotation is the next.
 */
import { spawnSync } from 'node:child_process';
import { suites } from '../tests/hosts/support/base.ts';
import { createHost, type Host } from '../tests/hosts/support/host.ts';
import { median } from './measure.ts';

const bundle = '/opt/mcp-installer/dist/mcp-installer.mjs';
const pairs = Number(process.argv[2] ?? 15);
const most = 1.05;

const kinds: Readonly<Record<string, readonly string[]>> = {
  'rerun, nothing to do': [],
  'rotation of CLIENT_ID': ['--force-rotate-tokens', 'CLIENT_ID'],
};

function time(host: Host, args: readonly string[]): number {
  const [file = '', ...rest] = host.command(['node', bundle, '--yes', ...args]);
  const began = process.hrtime.bigint();
  const { status, stdout, stderr } = spawnSync(file, rest, { encoding: 'utf8' });
  const took = Number(process.hrtime.bigint() - began) / 1e6;
  if (status !== 0) throw new Error(`${args.join(' ')}: exit ${status ?? 'none'}\n${stdout}${stderr}`);
  return took;
}

for (const suite of suites) {
  await using host = await createHost({ suite, name: 'bench-inspect' });
  await host.must(`node ${bundle} --yes`);
  process.stdout.write(`\n${suite}: median of ${pairs} pairs, in ms\n`);
  for (const [name, args] of Object.entries(kinds)) {
    const [plain, watched]: [number[], number[]] = [[], []];
    for (let pair = 0; pair < pairs; pair += 1) {
      // Many starts in a row are no crash loop: systemd's limit is not what is measured.
      await host.must('systemctl reset-failed mcp-oauth-proxy.service nginx.service || true');
      const runs = [
        () => void plain.push(time(host, args)),
        () => void watched.push(time(host, [...args, '--inspect'])),
      ];
      for (const run of pair % 2 === 0 ? runs : runs.toReversed()) run();
    }
    const ratio = median(watched.map((ms, at) => ms / (plain[at] ?? NaN)));
    const verdict = ratio <= most ? 'met' : 'missed';
    process.stdout.write(
      `${name.padEnd(24)} without ${median(plain).toFixed(0)}, with ${median(watched).toFixed(0)}, ratio ${ratio.toFixed(3)} (aim <= ${most}: ${verdict})\n`,
    );
  }
}
