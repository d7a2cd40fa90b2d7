/** What is done before any command is loaded, and what is said where none could be. */
import { InstallerError, toPublicError } from '../errors.ts';
import { keepMemoryOutOfCoreDumps } from './core-dump.ts';
import { standardError, standardOutput } from './streams.ts';
import { printTrace } from './trace.ts';

/** For what happens where not even the commands could be loaded; @returns the exit code */
function tell(error: unknown, argv: readonly string[], exitCode: number): number {
  const { code, message, remedy } = toPublicError(error);
  standardError().write(`[ERROR] ${code}: ${message}\n        ${remedy}\n`);
  if (argv.includes('--json')) {
    const result = { v: 1, type: 'result', command: 'install', outcome: 'refused', exitCode };
    const rest = { changed: false, plan: null, run: null, error: { code, message, remedy } };
    standardOutput().write(`${JSON.stringify({ ...result, ...rest })}\n`);
  }
  return exitCode;
}

/** On a Node that is older than what the commands need; @returns the exit code */
export const refuseNode = (argv: readonly string[]): number =>
  tell(new InstallerError('E_NODE', { version: process.versions.node }), argv, 10);

/** @returns the exit code */
export async function start(argv: readonly string[]): Promise<number> {
  try {
    // What children and files get does not depend on how this was called.
    process.umask(0o022);
    keepMemoryOutOfCoreDumps();
    const { main } = await import('./main.ts');
    return await main(argv);
  } catch (error) {
    printTrace(error);
    return tell(error, argv, 70);
  }
}
