/**
 * `tests/support/installer.ts` for mutation runs: the same command line, in the test's own process, since no mutant is
 * active in a child.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { main } from '../../src/commands/main.ts';
import type { Ran, RunOptions } from '../support/installer.ts';

export { bundle, resultOf, temporaryRoot } from '../support/installer.ts';
export type { Ran, RunOptions } from '../support/installer.ts';

type Written = Record<'stdout' | 'stderr' | 'output', string>;

/** What each of several runs at once has printed. */
const printed = new AsyncLocalStorage<Written>();

for (const name of ['stdout', 'stderr'] as const) {
  const stream = process[name];
  const write = stream.write.bind(stream);
  stream.write = ((text: string, done?: () => void): boolean => {
    const written = printed.getStore();
    if (written === undefined) return write(text, done);
    written[name] += text;
    written.output += text;
    if (typeof done === 'function') queueMicrotask(done);
    return true;
  }) as typeof stream.write;
}

export async function run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  if (options.input !== undefined) throw new Error('what reads stdin needs a process of its own');
  const { env, argv } = process;
  const texts: Written = { stdout: '', stderr: '', output: '' };
  process.env = { PATH: env['PATH'] ?? '', HOME: '/nonexistent', ...options.env };
  process.argv = [process.execPath, 'mcp-installer', ...args];
  try {
    const exitCode = await printed.run(texts, () => main(args));
    return { exitCode, ...texts };
  } finally {
    process.env = env;
    process.argv = argv;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(signal);
  }
}
