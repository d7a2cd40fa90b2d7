/** One row of the table of errors. */

export type Values = Readonly<Record<string, string>>;

export interface ErrorEntry {
  /** Process exit code when this error ends a run before anything was changed. */
  readonly exit: 10 | 11 | 13 | 64 | 65 | 70;
  readonly what: (v: Values) => string;
  readonly remedy: (v: Values) => string;
}

/** A value that was forgotten shows in the sentence instead of breaking it. */
export const v = (values: Values, name: string): string => values[name] ?? `<${name}>`;
