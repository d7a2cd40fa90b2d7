/** Whether a host that runs serves: what V2 and V7 of `judge.ts` ask, which no host below a root can answer. */
import type { Host } from '../hosts/support/host.ts';
import { secretsInFile, secretsInProcess } from '../hosts/support/secrets.ts';

/** Where they answer where nobody asked for other ports: the service, and nginx on loopback. */
export const usualPorts = [8083, 8084] as const;

async function answers(host: Host, port: number): Promise<readonly string[]> {
  const ask = async (path: string): Promise<string> => {
    const { stdout } = await host.sh(`curl -s -i --max-time 10 http://127.0.0.1:${port}${path}`);
    const status = /^HTTP\/\S+ (\d+)/u.exec(stdout)?.[1] ?? 'nothing';
    return /^www-authenticate: bearer/imu.test(stdout) ? `${status} Bearer` : status;
  };
  const expected = {
    '/healthz': '200',
    '/.well-known/oauth-authorization-server': '200',
    '/mcp': '401 Bearer',
  };
  const problems: string[] = [];
  for (const [path, status] of Object.entries(expected)) {
    const found = await ask(path);
    if (found !== status) problems.push(`V7: port ${port} answers ${path} with ${found}`);
  }
  return problems;
}

/** @returns what does not hold */
export async function serves(host: Host, ports: readonly number[]): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const port of ports) problems.push(...(await answers(host, port)));
  const active = await host.sh('systemctl is-active mcp-oauth-proxy.service nginx.service');
  if (active.exitCode !== 0) problems.push(`V7: units are ${active.stdout.trim().replaceAll('\n', ' and ')}`);
  if (JSON.stringify(await secretsInProcess(host)) !== JSON.stringify(secretsInFile(host)))
    problems.push('V2: the process has other secrets than the file');
  return problems;
}
