#!/usr/bin/env node
/** argv in, exit code out. */
import { keepMemoryOutOfCoreDumps } from './commands/core-dump.ts';
import { afterWriting, standardError, standardOutput } from './commands/streams.ts';
import { printTrace } from './commands/trace.ts';
import { InstallerError, toPublicError } from './errors.ts';
import { version } from './version.ts';

const argv = process.argv.slice(2);

/** For what happens where not even the commands could be loaded. */
function tell(error: unknown, exitCode: number): void {
  const { code, message, remedy } = toPublicError(error);
  standardError().write(`[ERROR] ${code}: ${message}\n        ${remedy}\n`);
  if (argv.includes('--json')) {
    const result = { v: 1, type: 'result', command: 'install', outcome: 'refused', exitCode };
    const rest = { changed: false, plan: null, run: null, error: { code, message, remedy } };
    standardOutput().write(`${JSON.stringify({ ...result, ...rest })}\n`);
  }
  process.exitCode = exitCode;
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 20 || (major === 20 && minor < 19)) {
  // Before anything is loaded that an old Node does not know.
  tell(new InstallerError('E_NODE', { version: process.versions.node }), 10);
} else if (argv.length === 1 && argv[0] === '--version') {
  // The commonest question of scripts is answered without loading anything.
  standardOutput().write(`${version}\n`);
  process.exitCode = await afterWriting(0, false);
} else {
  try {
    // What children and files get does not depend on how this was called.
    process.umask(0o022);
    keepMemoryOutOfCoreDumps();
    const { main } = await import('./commands/main.ts');
    process.exitCode = await main(argv);
  } catch (error) {
    printTrace(error);
    tell(error, 70);
  }
}
