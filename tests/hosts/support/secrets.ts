/** The secrets of a host: in its env file, and in the process that serves. Without the test runner, so that any program may look. */
import type { Host } from './host.ts';

export const envFile = '/etc/mcp-oauth-proxy/.env';
export const secretNames = ['MCP_TOKEN', 'CLIENT_ID', 'CLIENT_SECRET', 'TOKEN_SECRET'] as const;

export type Secrets = Readonly<Record<(typeof secretNames)[number], string>>;

const pick = (lines: readonly string[]): Secrets =>
  Object.fromEntries(
    secretNames.map((name) => [
      name,
      lines.findLast((line) => line.startsWith(`${name}=`))?.slice(name.length + 1) ?? '',
    ]),
  ) as Record<(typeof secretNames)[number], string>;

export const secretsInFile = (host: Host): Secrets => pick(host.read(envFile).split('\n'));

export const mainPid = (host: Host): Promise<string> =>
  host.must('systemctl show --property=MainPID --value mcp-oauth-proxy.service');

export async function secretsInProcess(host: Host): Promise<Secrets> {
  const environment = await host.must(`tr '\\0' '\\n' </proc/${await mainPid(host)}/environ`);
  return pick(environment.split('\n'));
}
