/**
 * Every error of the project: a stable code, what happened, what to do, and the exit code that follows.
 *
 * One table, so that the reference page, the command line and the library cannot disagree. Values that go into
 * a sentence are public by rule: names, paths, numbers, never a secret (see docs/reference/errors.md).
 */
import { v, type ErrorEntry, type Values } from './errors/entry.ts';
import { failures } from './errors/failures.ts';
import { pastRunErrors } from './errors/past-runs.ts';
import { refusals } from './errors/refusals.ts';

/** Every error code with its exit code, what happened, and what to do. */
export const errorTable = {
  ...refusals,
  ...failures,
  ...pastRunErrors,
  E_OUTPUT: {
    exit: 13,
    what: (x) => `What was to be told could not be written to stdout (${v(x, 'why')}).`,
    remedy: (x) => x['remedy'] ?? 'What was done stands; make room, and see `mcp-installer show last`.',
  },
  E_NODE: {
    exit: 10,
    what: (x) => `Node ${v(x, 'version')} is too old for this.`,
    remedy: () => 'Install Node 20.19 or newer; or use install.sh of a clone, which fetches one for itself.',
  },
  E_BOOTSTRAP: {
    exit: 10,
    what: (x) => `install.sh could not make the installer ready: ${v(x, 'why')}.`,
    remedy: (x) => x['remedy'] ?? 'The lines above tell why; put it right and run this again.',
  },
  E_INTERNAL: {
    exit: 70,
    what: (x) => `A bug in the installer: ${v(x, 'why')}.`,
    remedy: () => 'Please report it with the trace above; `mcp-installer status` tells how the host is.',
  },
} as const satisfies Record<string, ErrorEntry>;

/** A stable code that programs can match, as `E_BUSY`. */
export type ErrorCode = keyof typeof errorTable;

/** What of an error may be journaled, shown and inspected: all of it is public. */
export interface PublicError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string;
}

/**
 * The one error class that leaves the effects.
 *
 * @param code row of {@link errorTable}
 * @param values public words for the sentences; never a secret
 * @param cause the original, kept out of JSON, of the journal and of the inspector
 */
export class InstallerError extends Error {
  readonly code: ErrorCode;
  readonly remedy: string;

  constructor(code: ErrorCode, values: Values = {}, cause?: unknown) {
    const entry: ErrorEntry = errorTable[code];
    super(entry.what(values));
    this.name = 'InstallerError';
    this.code = code;
    this.remedy = entry.remedy(values);
    // Not enumerable: whoever serialises this error must not find output or arguments of a child in it.
    Object.defineProperty(this, 'cause', { value: cause, enumerable: false });
  }

  toJSON(): PublicError {
    return { code: this.code, message: this.message, remedy: this.remedy };
  }
}

/** Is this a code of {@link errorTable}? */
export const isErrorCode = (code: unknown): code is ErrorCode =>
  typeof code === 'string' && Object.hasOwn(errorTable, code);

/**
 * The public face of anything that was thrown. Unknown errors become `E_INTERNAL` by name only: their message may
 * hold arguments or output of a child.
 */
export function toPublicError(error: unknown): PublicError {
  if (error !== null && typeof error === 'object' && 'code' in error && isErrorCode(error.code)) {
    const { code, message, remedy } = error as PublicError;
    if (typeof message === 'string' && typeof remedy === 'string') return { code, message, remedy };
  }
  const name = error instanceof Error ? error.name : typeof error;
  return new InstallerError('E_INTERNAL', { why: `an unexpected ${name}` }, error).toJSON();
}
