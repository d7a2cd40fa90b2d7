/**
 * systemd's `EnvironmentFile=` grammar: the state machine of `src/basic/env-file.c` (systemd 252 to 257), with offsets,
 * so that the editor knows where each value stands. Works on text that `problemsOfBytes` found acceptable.
 */

/** An assignment as systemd reads it. Offsets are in UTF-16 units of the text. */
export interface Assignment {
  readonly key: string;
  readonly value: string;
  /** 1-based line of the key. */
  readonly line: number;
  /** First character of its first line, and the first one of what follows its line end. */
  readonly start: number;
  readonly end: number;
  /** Where the raw value stands, quotes included, blanks around it not. */
  readonly valueStart: number;
  readonly valueEnd: number;
  /** systemd drops assignments to names that are none (`export A`, `A-B`). */
  readonly named: boolean;
}

export interface Scan {
  readonly assignments: readonly Assignment[];
  /** Line of a quote that is never closed. */
  readonly openQuote: number | null;
}

type State =
  | 'beforeKey'
  | 'key'
  | 'beforeValue'
  | 'value'
  | 'valueEscape'
  | 'singleQuoted'
  | 'doubleQuoted'
  | 'doubleQuotedEscape'
  | 'comment';

const isBlank = (c: string): boolean => c === ' ' || c === '\t' || c === '\n' || c === '\r';
const trimStart = (text: string): string => text.replace(/^[ \t\r\n]+/u, '');
/** systemd's blanks only: what JavaScript trims beyond them belongs to the key or the value. */
const trimEnd = (text: string): string => text.replace(/[ \t\r\n]+$/u, '');
const isLineEnd = (c: string): boolean => c === '\n' || c === '\r';
const isName = (key: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/u.test(key);

/** What a backslash inside double quotes takes away; before anything else it stays (SHELL_NEED_ESCAPE). */
const escapable = '"\\`$';

class Scanner {
  private readonly assignments: Assignment[] = [];
  private state: State = 'beforeKey';
  private key = '';
  private value = '';
  /** Length of `value` up to its last character that may not be stripped. */
  private solid = 0;
  private line = 1;
  private keyLine = 1;
  private lineStart = 0;
  private start = 0;
  private valueStart = 0;
  private quoteLine = 1;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  scan(): Scan {
    for (let at = 0; at < this.text.length; at += 1) {
      const c = this.text.charAt(at);
      this.step(c, at);
      if (c === '\n') {
        this.line += 1;
        this.lineStart = at + 1;
      }
    }
    const open = this.state === 'singleQuoted' || this.state.startsWith('doubleQuoted');
    if (this.state !== 'beforeKey' && this.state !== 'key' && this.state !== 'comment') {
      this.finish(this.text.length);
    }
    return { assignments: this.assignments, openQuote: open ? this.quoteLine : null };
  }

  private push(c: string, solid: boolean): void {
    this.value += c;
    if (solid) this.solid = this.value.length;
  }

  private quote(state: State): void {
    this.state = state;
    this.quoteLine = this.line;
  }

  private finish(at: number): void {
    const key = trimEnd(this.key);
    let end = at;
    if (this.text.charAt(end) === '\r') end += 1;
    if (this.text.charAt(end) === '\n') end += 1;
    const raw = this.text.slice(this.valueStart, at);
    const first = this.valueStart + (raw.length - trimStart(raw).length);
    this.assignments.push({
      key,
      value: this.value.slice(0, this.solid),
      line: this.keyLine,
      start: this.start,
      end,
      valueStart: first,
      valueEnd: Math.max(first, this.valueStart + trimEnd(raw).length),
      named: isName(key),
    });
    this.state = 'beforeKey';
  }

  private step(c: string, at: number): void {
    switch (this.state) {
      case 'beforeKey':
        if (c === '#' || c === ';') this.state = 'comment';
        else if (!isBlank(c)) {
          this.state = 'key';
          this.key = c;
          this.keyLine = this.line;
          this.start = this.lineStart;
        }
        return;
      case 'key':
        if (isLineEnd(c)) this.state = 'beforeKey';
        else if (c === '=') {
          this.state = 'beforeValue';
          this.value = '';
          this.solid = 0;
          this.valueStart = at + 1;
        } else this.key += c;
        return;
      case 'beforeValue':
        if (isLineEnd(c)) this.finish(at);
        else if (c === "'") this.quote('singleQuoted');
        else if (c === '"') this.quote('doubleQuoted');
        else if (c === '\\') this.state = 'valueEscape';
        else if (!isBlank(c)) {
          this.state = 'value';
          this.push(c, true);
        }
        return;
      case 'value':
        if (isLineEnd(c)) this.finish(at);
        else if (c === '\\') this.state = 'valueEscape';
        else this.push(c, !isBlank(c));
        return;
      case 'valueEscape':
        this.state = 'value';
        if (!isLineEnd(c)) this.push(c, true);
        return;
      case 'singleQuoted':
        if (c === "'") this.state = 'beforeValue';
        else this.push(c, true);
        return;
      case 'doubleQuoted':
        if (c === '"') this.state = 'beforeValue';
        else if (c === '\\') this.state = 'doubleQuotedEscape';
        else this.push(c, true);
        return;
      case 'doubleQuotedEscape':
        this.state = 'doubleQuoted';
        if (escapable.includes(c)) this.push(c, true);
        else if (c !== '\n') this.push(`\\${c}`, true);
        return;
      case 'comment':
        // A backslash at the end of a comment is refused before: its meaning changed with systemd 254.
        if (isLineEnd(c)) this.state = 'beforeKey';
        return;
    }
  }
}

export const scan = (text: string): Scan => new Scanner(text).scan();
