/** What makes an env file one that readers do not agree on, or cannot read at all: each with its line and what to do. */

export interface Problem {
  /** 1-based; null where the file as a whole is meant. */
  readonly line: number | null;
  /** A sentence without any value. */
  readonly what: string;
  readonly remedy: string;
}

/** An env file is a page of text; more than this is something else, and is not read into memory twice. */
const maxBytes = 64 * 1024;

const lineAt = (bytes: Uint8Array, offset: number): number =>
  bytes.subarray(0, offset).filter((byte) => byte === 0x0a).length + 1;

/** Is there a byte sequence that is not UTF-8? Its offset, else null. */
function notUtf8(bytes: Uint8Array): number | null {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let start = 0;
  // By lines: the decoder does not tell where it failed.
  while (start < bytes.length) {
    const lineEnd = bytes.indexOf(0x0a, start);
    const end = lineEnd === -1 ? bytes.length : lineEnd + 1;
    try {
      decoder.decode(bytes.subarray(start, end));
    } catch {
      return start;
    }
    start = end;
  }
  return null;
}

/** What makes the bytes unreadable as text, whoever reads them. */
export function problemsOfBytes(bytes: Uint8Array): Problem[] {
  if (bytes.length > maxBytes) {
    return [
      { line: null, what: 'the file is larger than 64 KiB.', remedy: 'Look whether it is the right file.' },
    ];
  }
  const problems: Problem[] = [];
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    problems.push({
      line: 1,
      what: 'the file starts with a byte order mark, which makes systemd ignore the first line.',
      remedy: 'Remove it: sed -i "1s/^\\xEF\\xBB\\xBF//" FILE',
    });
  }
  const nul = bytes.indexOf(0);
  if (nul !== -1) {
    problems.push({
      line: lineAt(bytes, nul),
      what: 'a NUL byte stands in this line.',
      remedy: 'Restore the file from a backup; it may be damaged.',
    });
  }
  const foreign = notUtf8(bytes);
  if (foreign !== null) {
    problems.push({
      line: lineAt(bytes, foreign),
      what: 'this line is not UTF-8, which makes systemd reject the whole file.',
      remedy: 'Save the file as UTF-8.',
    });
  }
  return problems;
}

/** What makes lines mean different things to different readers. */
export function problemsOfText(text: string): Problem[] {
  const problems: Problem[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const own = line.endsWith('\r') ? line.slice(0, -1) : line;
    if (own.includes('\r')) {
      problems.push({
        line: index + 1,
        what: 'a carriage return stands inside this line; systemd reads two lines there, others one.',
        remedy: 'Remove the carriage return, or make it a line end.',
      });
    }
    if (own.endsWith('\\')) {
      problems.push({
        line: index + 1,
        what: 'this line ends in a backslash, which joins it to the next one for some readers.',
        remedy: 'Remove the backslash.',
      });
    }
  }
  return problems;
}
