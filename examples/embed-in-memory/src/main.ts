/** Installs on a host in memory, changes a setting by a second run, and looks at what is there. */
import { createMemoryHost, install, type RunEvent } from 'mcp-installer';

const host = createMemoryHost();

function tell(event: RunEvent): void {
  if (event.type === 'mode') console.log(`mode: ${event.mode}`);
  if (event.type === 'secret') console.log(`  ${event.name}: ${event.origin}`);
  if (event.type === 'operation' && event.operation.kind === 'writeFile')
    console.log(`  ${event.operation.action} ${event.operation.path}`);
}

const first = await install({ host, onEvent: tell });
console.log(`${first.output.outcome}, exit code ${first.output.exitCode}`);

const settings = { LISTEN_PORT: '9000' };
const second = await install({ host, request: { settings }, onEvent: tell });
console.log(`${second.output.outcome}, exit code ${second.output.exitCode}`);

const file = host.readFile('/etc/mcp-oauth-proxy/.env') ?? new Uint8Array();
const names = Buffer.from(file)
  .toString()
  .matchAll(/^(\w+)=/gmu);
console.log(`the env file holds ${[...names].map(([, name]) => name).join(', ')}`);
