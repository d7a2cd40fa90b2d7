/** Programs that effects run, by their absolute paths on Debian, and how a failure of one is told. */
import { InstallerError, type ErrorCode } from '../errors.ts';
import type { CommandResult } from './host/port.ts';

export const tools = {
  systemctl: '/usr/bin/systemctl',
  systemdAnalyze: '/usr/bin/systemd-analyze',
  nginx: '/usr/sbin/nginx',
  dpkgQuery: '/usr/bin/dpkg-query',
  aptGet: '/usr/bin/apt-get',
  getent: '/usr/bin/getent',
} as const;

/**
 * The last lines of a child's complaint that say something, shortened. Only for programs that never see a secret:
 * systemd, nginx, dpkg and apt are given names and paths alone.
 */
export function complaint(result: CommandResult): string {
  const lines = `${result.stderr}\n${result.stdout}`
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const telling = lines.filter((line) => /emerg|error|fail|cannot|unable|E:/iu.test(line));
  const words = (telling.length > 0 ? telling : lines).slice(0, 3).join('; ').slice(0, 400);
  return words === '' ? `exit code ${result.exitCode}` : words.replace(/\.$/u, '');
}

/** Throws where a program did not succeed. */
export function mustSucceed(
  result: CommandResult | 'predicted',
  command: string,
  code: ErrorCode = 'E_COMMAND_FAILED',
): void {
  if (result === 'predicted' || result.exitCode === 0) return;
  throw new InstallerError(code, { command, tool: command, why: complaint(result) });
}
