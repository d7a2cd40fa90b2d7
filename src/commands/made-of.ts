/** What `--version` tells: what this installer is made of. */
import { createHash } from 'node:crypto';
import { journalFormat } from '../journal/record.ts';
import { installerMachine, machineVersion } from '../machines/installer.ts';
import { mcpOauthProxy } from '../products/mcp-oauth-proxy/index.ts';
import type { MadeOf } from '../run-events.ts';
import { version } from '../version.ts';

/** The parameter of that name that `src/standalone.ts` calls the program with. */
declare const __CODE_CACHE__: 'used' | 'rejected' | 'none' | undefined;

/** Put in by the build: names and versions of the packages inside the bundle. */
declare const __LIBRARIES__: Readonly<Record<string, string>> | undefined;

export const madeOf = (): MadeOf => ({
  installer: version,
  node: process.version,
  standalone: typeof __CODE_CACHE__ === 'undefined' ? null : { codeCache: __CODE_CACHE__ },
  machine: { id: installerMachine.id, version: machineVersion },
  journalFormat,
  product: {
    name: mcpOauthProxy.name,
    sha256: createHash('sha256').update(mcpOauthProxy.bundledCode).digest('hex'),
  },
  libraries: typeof __LIBRARIES__ === 'undefined' ? {} : { ...__LIBRARIES__ },
});
