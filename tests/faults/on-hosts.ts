/** The installer on a host that runs, struck from outside: its own thread alone, none of the programs that it starts. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { until, type Host } from '../hosts/support/host.ts';
import { resultOf, temporaryRoot, type Ran } from '../support/installer.ts';
import { changingCalls } from '../support/trace.ts';

export interface TracedOnHost extends Ran {
  /** Its calls that change something, as `allCalls` reads them. */
  readonly text: string;
}

const statusOf = (pid: number, field: string): string =>
  new RegExp(`^${field}:\\s*(\\S+)`, 'mu').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '';

/** The one child of nsenter, once it has stopped itself; nsenter stops with it, and goes on with it. */
function stoppedChildOf(pid: number): number | undefined {
  if (statusOf(pid, 'State') !== 'T') return undefined;
  const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return child !== undefined && statusOf(Number(child), 'State') === 'T' ? Number(child) : undefined;
}

/** @param inject as in strace's `inject=`; null: it is only looked at */
export async function tracedOnHost(
  host: Host,
  args: readonly string[],
  inject: string | null,
): Promise<TracedOnHost> {
  using directory = temporaryRoot();
  const file = path.join(directory.path, 'trace');
  // It stops before it is the installer, so that it is looked at from its first call on.
  const nsenter = host.spawn(['sh', '-c', 'kill -STOP $$; exec "$@"', 'sh', ...host.installerCommand(args)]);
  nsenter.stdin.end();
  const ran = resultOf(nsenter);
  const pid = await until('the installer waits', () => stoppedChildOf(nsenter.pid!));
  const options = ['-qq', '-y', '-s', '0', '-o', file, '-e', `trace=${changingCalls}`, '-p', `${pid}`];
  if (inject !== null) options.push('-e', `inject=${inject}`);
  const strace = spawn('strace', options, { stdio: 'ignore' });
  const looked = new Promise((resolve) => strace.once('close', resolve));
  await until('it is looked at', () => (statusOf(pid, 'TracerPid') === '0' ? undefined : true));
  process.kill(nsenter.pid!, 'SIGCONT');
  const ended = await ran;
  await looked;
  return { ...ended, text: readFileSync(file, 'latin1') };
}
