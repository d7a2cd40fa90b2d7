/** The machine as XState's own configuration in JSON. */
import { installerMachine } from '../machines/installer.ts';
import type { RunPath } from './path.ts';

/**
 * Loads in `createMachine` and in Stately Studio's import. Guards, actions and actors stand by their names; what they do
 * is code, and is not in it.
 *
 * @param path stands beside the machine, under `meta.path`, where XState keeps what is not its own
 */
export function toJson(path?: RunPath): string {
  const config =
    path === undefined ? installerMachine.config : { ...installerMachine.config, meta: { path } };
  return `${JSON.stringify(config, null, 2)}\n`;
}
