/** A product of one, a hundred and ten thousand files, beside `rsync --archive --checksum` of the same tree. */
import type { Host } from '../tests/hosts/support/host.ts';
import { measure, median, row, summary, type Cost } from './measure.ts';

const counts = [1, 100, 10_000] as const;

const name = (count: number): string => `many-${count}`;

/** Files of a kilobyte each, no two alike, in directories of a hundred. */
const prepare = (count: number): string => `
import os
base = '/root/${name(count)}'
os.makedirs(base + '/service')
lines = ['name: ${name(count)}', 'description: ${count} files', 'unit: service/unit', 'packages: []', 'secrets:',
  '  - {name: KEY, purpose: to have one, afterRotation: Nothing.}', 'files:']
open(base + '/service/unit', 'w').write(
  '[Unit]\\nDescription=x\\n[Service]\\nEnvironmentFile={{envFile}}\\nExecStart=/usr/bin/sleep infinity\\n'
  '[Install]\\nWantedBy=multi-user.target\\n')
for n in range(${count}):
  name = 'files/%03d/%05d.txt' % (n // 100, n)
  os.makedirs(os.path.dirname(base + '/' + name), exist_ok=True)
  open(base + '/' + name, 'w').write(('%05d ' % n) * 170)
  lines.append('  - {path: /usr/local/share/${name(count)}/%s, from: %s}' % (name, name))
open(base + '/product.yml', 'w').write('\\n'.join(lines) + '\\n')
`;

const perFile = (of: (count: number) => number, from: number, to: number): number =>
  (of(to) - of(from)) / (to - from);

/** How much more each file costs: flat where it is the same from 1 to 100 and from 100 to 10,000. */
function tell(what: string, of: (command: string, count: number) => Cost | undefined): void {
  const median1 = (command: string) => (count: number) => median(of(command, count)?.ms ?? []);
  const cell = (command: string, count: number): string => summary(of(command, count)?.ms ?? []);
  for (const command of ['ours', 'rsync']) {
    const each = [perFile(median1(command), 1, 100), perFile(median1(command), 100, 10_000)];
    row(
      what,
      command === 'ours' ? 'mcp-installer' : '`rsync`',
      ...counts.map((count) => cell(command, count)),
      ...each.map((ms) => (ms * 1000).toFixed(0)),
    );
  }
  const ratio = perFile(median1('ours'), 100, 10_000) / perFile(median1('rsync'), 100, 10_000);
  const whole = median1('ours')(10_000) / median1('rsync')(10_000);
  process.stdout.write(
    `  per file ${ratio.toFixed(2)} of rsync, as a whole ${whole.toFixed(2)} (aim: ≤ 1.5)\n`,
  );
}

export async function scale(host: Host, installer: readonly string[], rounds: number): Promise<void> {
  const again = new Map<string, Cost>();
  const fresh = new Map<string, Cost>();
  for (const count of counts) {
    await host.must('python3 -', { input: prepare(count) });
    const product = ['--product', `/root/${name(count)}/product.yml`];
    const source = `/root/${name(count)}/files`;
    const rsync = ['rsync', '--archive', '--checksum', source, `/root/to-${count}`];
    const purge = [...installer, ...product, 'uninstall', '--purge', '--yes', '--quiet'];
    const before = {
      ours: ['sh', '-c', `${purge.join(' ')} || true`],
      rsync: ['rm', '-rf', `/root/to-${count}`],
    };
    const waiting = { from: '"state":"verifying"', to: '"type":"verified"' };
    const few = count > 1000 ? 3 : rounds;
    const first = await measure(host, few, [
      { name: 'ours', argv: [...installer, ...product, '--json'], before: before.ours, ...waiting },
      { name: 'rsync', argv: rsync, before: before.rsync },
    ]);
    const second = await measure(host, rounds, [
      { name: 'ours', argv: [...installer, ...product, '--detailed-exitcode'] },
      { name: 'rsync', argv: rsync },
    ]);
    for (const command of ['ours', 'rsync']) {
      fresh.set(`${command} ${count}`, first.get(command)!);
      again.set(`${command} ${count}`, second.get(command)!);
    }
    await host.must(purge.join(' '));
  }
  process.stdout.write('\nProducts of many files, milliseconds; microseconds for each file more\n\n');
  row(
    'what',
    'by',
    ...counts.map((count) => `files: ${count.toLocaleString('en')}`),
    'each, to 100',
    'each, to 10,000',
  );
  row('---', '---', '---', '---', '---', '---', '---');
  tell('fresh install, without waiting', (command, count) => fresh.get(`${command} ${count}`));
  tell('rerun, nothing to do', (command, count) => again.get(`${command} ${count}`));
}
