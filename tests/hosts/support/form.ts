/**
 * Which build of the command line runs on the hosts: `MCP_INSTALLER_FORM`.
 *
 * `bundle` (unless it says otherwise): one JavaScript file, on a host with this machine's Node. `standalone`: one
 * executable, on a host without Node. `deb`: the same, from its Debian package. `mixed`: the bundle on bookworm, the
 * executable on trixie, so that one pass sees both.
 */
import { execFileSync } from 'node:child_process';
import { alone } from '../../support/alone.ts';
import { repositoryRoot, type Suite } from './base.ts';

export type Form = 'bundle' | 'standalone' | 'deb';

const asked = process.env['MCP_INSTALLER_FORM'] ?? 'bundle';
if (!['bundle', 'standalone', 'deb', 'mixed'].includes(asked))
  throw new Error(`MCP_INSTALLER_FORM: ${asked} is not bundle, standalone, deb or mixed`);

/** Where a host sees this repository. */
export const checkout = '/opt/mcp-installer';

/** Where a host has this machine's Node for the tests' own programs, out of the way of what is tested. */
export const testNode = '/opt/test-node';

/** Of a host that does not say otherwise. */
export function formOn(suite: Suite): Form {
  if (asked === 'standalone' || asked === 'deb') return asked;
  return asked === 'mixed' && suite === 'trixie' ? 'standalone' : 'bundle';
}

/** The words that stand for `mcp-installer` where the repository and the Node of this process stand in other places, as in a chroot. */
export const programsIn = (form: Form, repository: string, node: string): readonly string[] =>
  form === 'bundle'
    ? [node, `${repository}/dist/mcp-installer.mjs`]
    : [`${repository}/dist/mcp-installer-linux-${process.arch}`];

/** The words that stand for `mcp-installer` on a host. */
export const programs: Readonly<Record<Form, readonly string[]>> = {
  bundle: programsIn('bundle', checkout, '/usr/local/bin/node'),
  standalone: programsIn('standalone', checkout, ''),
  deb: ['/usr/bin/mcp-installer'],
};

/** A pattern of pkill(1) for the command line under way, whatever form it has; not for the shell that looks for it. */
export const installerProcess = '[m]cp-installer([.]mjs|-linux)|^/usr/bin/[m]cp-installer';

/** Where a host has this machine's Node: in its `PATH` only where the command line needs one. */
export const nodesOn = (form: Form): readonly string[] =>
  form === 'bundle' ? [testNode, '/usr/local/bin/node'] : [testNode];

export const installPackage = `dpkg --install ${checkout}/dist/mcp-installer_*_$(dpkg --print-architecture).deb`;

/** Makes what the hosts run, where it is not there or older than its sources. */
const build = (script: string): void =>
  void execFileSync('node', [`scripts/${script}`, '--if-stale'], { cwd: repositoryRoot, stdio: 'inherit' });

/** For test files that need another form than all have; they run at the same time, and one of them builds. */
export const buildAlso = (form: 'standalone' | 'deb'): void =>
  void alone('node', `scripts/build-${form}.mjs`, '--if-stale');

export function buildForHosts(): void {
  build('build.mjs');
  if (asked === 'standalone' || asked === 'mixed') build('build-standalone.mjs');
  if (asked === 'deb') build('build-deb.mjs');
}
