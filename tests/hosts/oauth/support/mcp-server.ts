/** A real MCP server on a host, and what it was asked: programs/mcp-server.mjs. */
import { testNode } from '../../support/form.ts';
import { until, type Host } from '../../support/host.ts';

export const programs = '/opt/mcp-installer/tests/hosts/oauth/programs';

const records = '/var/log/mcp-server.jsonl';
const unit = 'mcp-server.service';

/** A request as it came in at the MCP server: after the service, if it came through that. */
export interface Recorded {
  readonly method: string;
  readonly url: string;
  /** Names in lower case; one that came twice is joined, as Node does it. */
  readonly headers: Readonly<Record<string, string>>;
  /** The method of the JSON-RPC message, where the body was one. */
  readonly rpc?: string;
}

async function listening(host: Host): Promise<void> {
  await until('the MCP server listens', async () =>
    (await host.sh('curl -s -o /dev/null http://127.0.0.1:8000/mcp')).exitCode === 0 ? true : undefined,
  );
}

/**
 * Starts the MCP server on 127.0.0.1:8000 as a unit of the host, which is up again after a reboot, and may be stopped
 * and started with systemctl.
 */
export async function startMcpServer(host: Host): Promise<void> {
  await host.write(
    `/etc/systemd/system/${unit}`,
    `[Service]
ExecStart=${testNode} ${programs}/mcp-server.mjs ${records}
[Install]
WantedBy=multi-user.target
`,
  );
  await host.must(`systemctl daemon-reload && systemctl -q enable --now ${unit}`);
  await listening(host);
}

/** Waits until the MCP server is up again, after a reboot. */
export const mcpServerIsUp = listening;

/** Every request that reached the MCP server, in order, without those by which a test looks whether it is up. */
export function recorded(host: Host): readonly Recorded[] {
  if (!host.exists(records)) return [];
  return host
    .read(records)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Recorded)
    .filter(({ headers }) => headers['user-agent']?.startsWith('curl/') !== true);
}
