#!/usr/bin/env node
/** argv in, exit code out. */
import { isBareVersion, tellBareVersion } from './commands/bare-version.ts';
import { refuseNode, start } from './commands/start.ts';

const argv = process.argv.slice(2);
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 20 || (major === 20 && minor < 19)) {
  // Before anything is loaded that an old Node does not know.
  process.exitCode = refuseNode(argv);
} else if (isBareVersion(argv)) process.exitCode = await tellBareVersion();
else process.exitCode = await start(argv);
