/**
 * Which build of the command line runs on the hosts: `MCP_INSTALLER_FORM`.
 *
 * `bundle` (unless it says otherwise): one JavaScript file, on a host with this machine's Node. `standalone`: one
 * executable, on a host without Node. `mixed`: the one on bookworm, the other on trixie, so that one pass sees both.
 */
import type { Suite } from './base.ts';

type Form = 'bundle' | 'standalone';

const asked = process.env['MCP_INSTALLER_FORM'] ?? 'bundle';
if (!['bundle', 'standalone', 'mixed'].includes(asked))
  throw new Error(`MCP_INSTALLER_FORM: ${asked} is not bundle, standalone or mixed`);

/** Where a host sees this repository. */
export const checkout = '/opt/mcp-installer';

/** Where a host has this machine's Node for the tests' own programs, out of the way of what is tested. */
export const testNode = '/opt/test-node';

const formOn = (suite: Suite): Form =>
  asked === 'standalone' || (asked === 'mixed' && suite === 'trixie') ? 'standalone' : 'bundle';

/** Where else a host has this machine's Node: in its `PATH` where the command line needs one. */
export const nodeInPath = (suite: Suite): string | null =>
  formOn(suite) === 'bundle' ? '/usr/local/bin/node' : null;

/** The words that stand for `mcp-installer`. */
export const programOn = (suite: Suite): readonly string[] =>
  formOn(suite) === 'bundle'
    ? ['/usr/local/bin/node', `${checkout}/dist/mcp-installer.mjs`]
    : [`${checkout}/dist/mcp-installer-linux-${process.arch}`];

/** Is the executable to be made before the tests? */
export const needsStandalone = asked !== 'bundle';
