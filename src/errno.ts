/** What the system says was wrong, for everyone who asks. */

/** The code of a system error, `unknown` for anything else. */
export const errnoOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
