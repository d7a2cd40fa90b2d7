/**
 * The env file as a document: what need not change stays byte for byte (comments, order, unknown keys, line ends).
 *
 * The value that counts is the one that systemd hands to the service; dotenv is the second reader, and a file on whose
 * managed keys the two disagree is refused.
 */
import { parse as parseDotenv } from 'dotenv';
import { scan, type Assignment } from './env-grammar.ts';
import { problemsOfBytes, problemsOfText, type Problem } from './env-problems.ts';

export interface ManagedKeys {
  /** Two different values of one of these are refused; of a setting the last one counts. */
  readonly secrets: readonly string[];
  readonly settings: readonly string[];
}

export type ParsedEnvFile =
  | { readonly ok: true; readonly file: EnvFile }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** All seven readers that we know of take these as they stand, a shell among them. */
const bare = /^[A-Za-z0-9_.:/+=@%,-]*$/u;

/**
 * A value as it is written. Everything else goes into single quotes, which no reader looks into.
 *
 * @throws TypeError for quotes, backslashes and control characters: validators keep them out before this
 */
function encode(value: string): string {
  if (bare.test(value)) return value;

  if (/['\\\u0000-\u001f\u007f]/u.test(value)) throw new TypeError('a value that no env file can hold');
  return `'${value}'`;
}

/** The text without blank lines between assignments, over which dotenv's expression takes quadratic time. */
function withoutGaps(text: string, assignments: readonly Assignment[]): string {
  const parts: string[] = [];
  let at = 0;
  const gap = (end: number): void => {
    for (const line of text.slice(at, end).split('\n')) if (line.trim() !== '') parts.push(`${line}\n`);
  };
  for (const { start, end } of assignments) {
    gap(start);
    parts.push(text.slice(start, end));
    at = end;
  }
  gap(text.length);
  return parts.join('');
}

/** Where a reader that disagrees may have found the key: an assignment, something that looks like one, or any mention. */
function lineOf(key: string, text: string, assignments: readonly Assignment[]): number {
  const own = assignments.findLast((assignment) => assignment.key === key);
  if (own !== undefined) return own.line;
  const lines = text.split('\n');
  const assigned = new RegExp(`^\\s*(export\\s+)?${key}\\s*[=:]`, 'u');
  const at = lines.findLastIndex((line) => assigned.test(line));
  // No reader finds a key that stands nowhere.
  return 1 + (at === -1 ? lines.findLastIndex((line) => line.includes(key)) : at);
}

/** The assignment above `key` without which the readers agree on its value; null where there is no such one. */
function causeOf(key: string, text: string, assignments: readonly Assignment[]): Assignment | null {
  const value = assignments.findLast((each) => each.key === key)?.value;
  if (value === undefined) return null;
  const without = ({ start, end }: Assignment): string => text.slice(0, start) + text.slice(end);
  const cause = assignments.findLast((each) => each.key !== key && parseDotenv(without(each))[key] === value);
  return cause ?? null;
}

function readsDifferently(text: string, keys: ManagedKeys, assignments: readonly Assignment[]): Problem[] {
  const first = new Map(assignments.map(({ key, value }) => [key, value]));
  const second = parseDotenv(withoutGaps(text, assignments));
  return [...keys.secrets, ...keys.settings]
    .filter((key) => (second[key] ?? null) !== (first.get(key) ?? null))
    .map((key) => {
      const cause = causeOf(key, text, assignments);
      return cause === null
        ? {
            line: lineOf(key, text, assignments),
            what: `systemd and dotenv read ${key} differently.`,
            remedy: `Write it as one bare line, ${key}=value, without export, quotes, blanks, # or backslash.`,
          }
        : {
            line: cause.line,
            what: `what stands here makes systemd and dotenv read ${key} differently.`,
            remedy: 'Write this value without quotes, backticks and backslashes, or remove the line.',
          };
    });
}

function twice(assignments: readonly Assignment[], names: readonly string[]): Problem[] {
  return names.flatMap((name) => {
    const own = assignments.filter(({ key }) => key === name);
    const other = own.find(({ value }) => value !== own[0]!.value);
    return other === undefined
      ? []
      : [
          {
            line: other.line,
            what: `${name} stands here with another value than in line ${own[0]!.line}.`,
            remedy: 'Remove the line that is wrong.',
          },
        ];
  });
}

const inOrder = (problems: readonly Problem[]): readonly Problem[] =>
  problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));

export class EnvFile {
  private readonly text: string;
  private readonly assignments: readonly Assignment[];

  private constructor(text: string) {
    this.text = text;
    this.assignments = scan(text).assignments.filter(({ named }) => named);
  }

  static empty(): EnvFile {
    return new EnvFile('');
  }

  /** Problems are in the order of their lines; each tells its line, what is wrong and what to do, never a value. */
  static parse(bytes: Uint8Array, keys: ManagedKeys): ParsedEnvFile {
    const unreadable = problemsOfBytes(bytes);
    if (unreadable.length > 0) return { ok: false, problems: unreadable };
    const text = Buffer.from(bytes).toString('utf8');
    const problems = problemsOfText(text);
    const { openQuote, assignments } = scan(text);
    if (openQuote !== null) {
      problems.push({
        line: openQuote,
        what: 'a quote is opened here and never closed, so systemd swallows what follows.',
        remedy: 'Close the quote, or remove it.',
      });
    }
    if (problems.length > 0) return { ok: false, problems: inOrder(problems) };
    const file = new EnvFile(text);
    const ambiguous = twice(file.assignments, keys.secrets);
    if (ambiguous.length > 0) return { ok: false, problems: inOrder(ambiguous) };
    const disputed = readsDifferently(text, keys, assignments);
    return disputed.length > 0 ? { ok: false, problems: inOrder(disputed) } : { ok: true, file };
  }

  private values(): ReadonlyMap<string, string> {
    return new Map(this.assignments.map(({ key, value }) => [key, value]));
  }

  /** The value that systemd hands to the service; undefined where the key is missing. */
  get(key: string): string | undefined {
    return this.values().get(key);
  }

  has(key: string): boolean {
    return this.assignments.some((assignment) => assignment.key === key);
  }

  keys(): readonly string[] {
    return [...this.values().keys()];
  }

  /**
   * The file with this value: every line of the key gets it, so none keeps an old one; a new key goes to the end, or to
   * the head where only there both readers see it.
   */
  with(key: string, value: string): EnvFile {
    const own = this.assignments.filter((assignment) => assignment.key === key);
    if (own.length === 0) return this.append(key, value);
    let text = this.text;
    for (const { valueStart, valueEnd } of own.toReversed()) {
      text = text.slice(0, valueStart) + encode(value) + text.slice(valueEnd);
    }
    return new EnvFile(text);
  }

  private append(key: string, value: string): EnvFile {
    const newline = this.text.includes('\r\n') ? '\r\n' : '\n';
    const joint = this.text === '' || this.text.endsWith('\n') ? '' : newline;
    const line = `${key}=${encode(value)}${newline}`;
    const text = `${this.text}${joint}${line}`;
    // At the head, nothing can take it for its own value, as a last line `note:` would in dotenv's eyes.
    return new EnvFile(parseDotenv(text)[key] === value ? text : `${line}${this.text}`);
  }

  without(key: string): EnvFile {
    let text = this.text;
    for (const { key: own, start, end } of this.assignments.toReversed()) {
      if (own === key) text = text.slice(0, start) + text.slice(end);
    }
    return new EnvFile(text);
  }

  toBytes(): Uint8Array {
    return Buffer.from(this.text);
  }
}

/** A fresh env file: bare lines in the order given. */
export const renderEnvFile = (entries: readonly (readonly [string, string])[]): Uint8Array =>
  Buffer.from(entries.map(([key, value]) => `${key}=${encode(value)}\n`).join(''));

/**
 * The file for other people's eyes: names of keys stay, every value and comment is hidden, since other people's keys
 * are secrets too.
 *
 * @param tag what stands for a value
 */
export function maskedText(bytes: Uint8Array, tag: (value: string) => string = () => '<hidden>'): string {
  const whole = Buffer.from(bytes).toString('utf8');
  const text = whole === '' || whole.endsWith('\n') ? whole : `${whole}\n`;
  const masked: string[] = [];
  const maskUnassigned = (from: number, to: number): void => {
    for (const line of text.slice(from, to).split('\n').slice(0, -1)) {
      if (line.trim() === '') masked.push('');
      else masked.push(/^\s*[#;]/u.test(line) ? '# <comment>' : '<line that systemd ignores>');
    }
  };
  let at = 0;
  for (const { key, value, start, end, named } of scan(text).assignments) {
    maskUnassigned(at, start);
    masked.push(named ? `${key}=${tag(value)}` : '<line that systemd ignores>');
    at = end;
  }
  maskUnassigned(at, text.length);
  return masked.map((line) => `${line}\n`).join('');
}
