/**
 * Which build of the command line runs on the hosts: `MCP_INSTALLER_FORM`.
 *
 * `bundle` (unless it says otherwise): one JavaScript file, on a host with this machine's Node. `standalone`: one
 * executable, on a host without Node. `deb`: the same, from its Debian package. `mixed`: the bundle on bookworm, the
 * executable on trixie, so that one pass sees both.
 */
import { execFileSync } from 'node:child_process';
import { repositoryRoot, type Suite } from './base.ts';

type Form = 'bundle' | 'standalone' | 'deb';

const asked = process.env['MCP_INSTALLER_FORM'] ?? 'bundle';
if (!['bundle', 'standalone', 'deb', 'mixed'].includes(asked))
  throw new Error(`MCP_INSTALLER_FORM: ${asked} is not bundle, standalone, deb or mixed`);

/** Where a host sees this repository. */
export const checkout = '/opt/mcp-installer';

/** Where a host has this machine's Node for the tests' own programs, out of the way of what is tested. */
export const testNode = '/opt/test-node';

function formOn(suite: Suite): Form {
  if (asked === 'standalone' || asked === 'deb') return asked;
  return asked === 'mixed' && suite === 'trixie' ? 'standalone' : 'bundle';
}

/** Where else a host has this machine's Node: in its `PATH` where the command line needs one. */
export const nodeInPath = (suite: Suite): string | null =>
  formOn(suite) === 'bundle' ? '/usr/local/bin/node' : null;

/** The words that stand for `mcp-installer`. */
export function programOn(suite: Suite): readonly string[] {
  if (formOn(suite) === 'deb') return ['/usr/bin/mcp-installer'];
  return formOn(suite) === 'bundle'
    ? ['/usr/local/bin/node', `${checkout}/dist/mcp-installer.mjs`]
    : [`${checkout}/dist/mcp-installer-linux-${process.arch}`];
}

/** Installs the package on a host that has just booted; null where none is asked for. */
export const packageOn = (suite: Suite): string | null =>
  formOn(suite) === 'deb'
    ? `dpkg --install ${checkout}/dist/mcp-installer_*_$(dpkg --print-architecture).deb`
    : null;

/** Makes what the hosts run, where it is not there or older than its sources. */
export function build(...scripts: readonly string[]): void {
  for (const script of scripts)
    execFileSync('node', [`scripts/${script}`, '--if-stale'], { cwd: repositoryRoot, stdio: 'inherit' });
}

export function buildForHosts(): void {
  build('build.mjs');
  if (asked === 'standalone' || asked === 'mixed') build('build-standalone.mjs');
  if (asked === 'deb') build('build-deb.mjs');
}
