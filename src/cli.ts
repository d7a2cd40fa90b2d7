#!/usr/bin/env node
/** argv in, exit code out. */
import { version } from './version.ts';

const argv = process.argv.slice(2);

if (argv.length === 1 && argv[0] === '--version') {
  // The commonest question of scripts is answered without loading anything.
  process.stdout.write(`${version}\n`);
} else {
  try {
    // What children and files get does not depend on how this was called.
    process.umask(0o022);
    const { main } = await import('./commands/program.ts');
    process.exitCode = await main(argv);
  } catch (error) {
    const places =
      error instanceof Error
        ? (error.stack ?? '').split('\n').filter((line) => line.trim().startsWith('at '))
        : [];
    const name = error instanceof Error ? error.name : typeof error;
    process.stderr.write(
      `${[name, ...places].join('\n')}\nE_INTERNAL: a bug in the installer. Please report it with the lines above.\n`,
    );
    process.exitCode = 70;
  }
}
