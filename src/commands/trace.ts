/** What is shown of a bug. */
import { standardError } from './streams.ts';

/** The places of the code, without the message: that may repeat what must not be told. */
export function printTrace(error: unknown): void {
  const name = error instanceof Error ? error.name : typeof error;
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const places = stack.split('\n').filter((line) => line.trim().startsWith('at '));
  standardError().write(`${[name, ...places].join('\n')}\n`);
}
