/** Kinds of values that several fields of a described service have. */
import * as v from 'valibot';

/** No other fields than these: a misspelled one would silently not count. */
export const fields = <T extends v.ObjectEntries>(entries: T) =>
  v.strictObject(entries, `valid: ${Object.keys(entries).join(', ')}`);

/** A sentence for people. */
export const words = (description: string) =>
  v.pipe(
    v.string('a sentence is needed'),
    v.regex(/^[\x20-\x7e\u00a1-\uffff]{1,400}$/, 'it must be one line of 1 to 400 characters'),
    v.description(description),
  );

/** A name in the env file. */
export const key = (description: string, needed = 'a name is needed, such as API_KEY') =>
  v.pipe(
    v.string(needed),
    v.regex(/^[A-Z][A-Z0-9_]{0,63}$/, 'it must be of A-Z, 0-9 and _, beginning with a letter'),
    v.description(description),
  );

/** An option of the command line, without dashes. */
export const option = (description: string) =>
  v.pipe(
    v.string('a name is needed, such as api-key-file'),
    v.regex(
      /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
      'it must be of a-z, 0-9 and single hyphens, beginning with a letter',
    ),
    v.maxLength(40, 'it must have at most 40 characters'),
    v.description(description),
  );

export const port = (description: string) =>
  v.pipe(
    v.number('a port number is needed'),
    v.integer('a port is a whole number'),
    v.minValue(1, 'it must be between 1 and 65535'),
    v.maxValue(65_535, 'it must be between 1 and 65535'),
    v.description(description),
  );
