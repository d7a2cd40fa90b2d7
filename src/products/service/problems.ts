/** What is wrong with a description, as people are told it. */
import * as v from 'valibot';

/** What is wrong, and where: keys and indexes from the top. */
export interface Problem {
  readonly path: readonly (string | number)[];
  /** Half a sentence that says what would be valid; never a secret, of which a definition holds none. */
  readonly what: string;
}

function problemOf(issue: v.BaseIssue<unknown>): Problem {
  const path = (issue.path ?? []).flatMap(({ key: at }) =>
    typeof at === 'string' || typeof at === 'number' ? [at] : [],
  );
  const name = path.at(-1) ?? '';
  if (issue.type === 'strict_object' && issue.expected === 'never')
    return { path, what: `there is no field ${JSON.stringify(name)} here; ${issue.message}` };
  if (issue.type === 'strict_object' && issue.received === 'undefined')
    return { path, what: 'it is missing' };
  const got = typeof issue.input === 'string' ? `${JSON.stringify(issue.input.slice(0, 60))}: ` : '';
  return { path, what: `${got}${issue.message}` };
}

export type Read<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problems: readonly Problem[] };

export function readAs<S extends v.GenericSchema>(schema: S, value: unknown): Read<v.InferOutput<S>> {
  const { success, output, issues } = v.safeParse(schema, value);
  return success ? { ok: true, value: output } : { ok: false, problems: issues.map(problemOf) };
}
