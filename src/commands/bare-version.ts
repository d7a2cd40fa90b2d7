/** `--version` and nothing else: the commonest question of scripts, answered without loading anything. */
import { version } from '../version.ts';
import { afterWriting, standardOutput } from './streams.ts';

export const isBareVersion = (argv: readonly string[]): boolean =>
  argv.length === 1 && argv[0] === '--version';

/** @returns the exit code */
export function tellBareVersion(): Promise<number> {
  standardOutput().write(`${version}\n`);
  return afterWriting(0, false);
}
