/** Installs the service on this host, or below the directory that is named. */
import { parseArgs } from 'node:util';
import { install, type RunEvent } from 'mcp-installer';
import { signer } from './product.js';

const { values } = parseArgs({
  options: { root: { type: 'string', default: '/' }, rotate: { type: 'string', multiple: true } },
});

function tell(event: RunEvent): void {
  if (event.type === 'operation') console.log(`${event.operation.action} ${event.operation.path}`);
  if (event.type === 'secret') console.log(`${event.name}: ${event.origin}`);
  if (event.type === 'reloaded') for (const { how, unit } of event.reloads) console.log(`${how} ${unit}`);
  if (event.type === 'verified') console.log(`${event.outcome}`);
  if (event.type === 'note') console.log(`note: ${event.text}`);
}

const { output } = await install({
  product: signer,
  root: values.root,
  request: { rotate: values.rotate ?? 'none' },
  onEvent: tell,
});
console.log(`${output.outcome} ${output.exitCode}`);
if (output.error !== null)
  console.log(`${output.error.code}: ${output.error.message} ${output.error.remedy}`);
process.exitCode = output.exitCode;
