/** What is shown of a bug. */
import { standardError } from './streams.ts';

/** The places of the code, without the message: that may repeat what must not be told. */
export function printTrace(error: unknown): void {
  const name = error instanceof Error ? error.name : typeof error;
  // A line of the message may look like a place.
  const stack = error instanceof Error ? (error.stack ?? '').replace(error.message, '') : '';
  const places = stack.split('\n').filter((line) => line.trim().startsWith('at '));
  standardError().write(`${[name, ...places].join('\n')}\n`);
}
