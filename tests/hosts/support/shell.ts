/**
 * `npm run host -- SUITE [--bare] [--network] [COMMAND …]`: from nothing to a booted host, then a shell in it (or the
 * command), and nothing of it stays afterwards. The checkout is at /opt/mcp-installer there.
 */
import { spawn } from 'node:child_process';
import { suites, type Suite } from './base.ts';
import { createHost } from './host.ts';
import { sweepHosts } from './leftovers.ts';

const usage = `usage: npm run host -- ${suites.join('|')} [--bare] [--network] [COMMAND …]\n`;

const isSuite = (word: string | undefined): word is Suite => suites.some((suite) => suite === word);

const [suite, ...words] = process.argv.slice(2);
const first = words.findIndex((word) => !word.startsWith('--'));
const options = first === -1 ? words : words.slice(0, first);
const command = first === -1 ? ['bash', '-l'] : words.slice(first);

if (!isSuite(suite) || options.some((option) => !['--bare', '--network'].includes(option))) {
  process.stderr.write(usage);
  process.exitCode = 64;
} else {
  sweepHosts();
  await using host = await createHost({
    suite,
    name: 'shell',
    bare: options.includes('--bare'),
    network: options.includes('--network'),
  });
  const argv = host.command(command, {
    env: { TERM: process.env['TERM'] ?? 'dumb' },
    cwd: '/opt/mcp-installer',
  });
  const [file = '', ...args] = argv;
  // Ctrl-C is for what runs in the host.
  process.on('SIGINT', () => undefined);
  const child = spawn(file, args, { stdio: 'inherit' });
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}
