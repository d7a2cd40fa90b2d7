/** systemd's grammar to the letter; that it is systemd's own is tested against systemd, in `tests/hosts`. */
import { describe, expect, test } from 'vitest';
import { scan } from '../../src/effects/env-grammar.ts';

const read = (text: string) => scan(text).assignments.map(({ key, value }) => [key, value]);

describe('a value', () => {
  test.each([
    ['ends before blanks at the end of the file', 'A=1 \t', '1'],
    ['keeps blanks inside', 'A=1 2', '1 2'],
    ['loses a backslash outside quotes', 'A=a\\b', 'ab'],
    ['that begins with a backslash loses it', 'A=\\b', 'b'],
    ['keeps a blank behind a backslash, also at its end', 'A=a\\ ', 'a '],
    ['goes on in the next line behind a backslash', 'A=a\\\nb', 'ab'],
    ['keeps a backslash in single quotes', "A='a\\b'", 'a\\b'],
    ['keeps blanks in single quotes, also at its end', "A=' '", ' '],
    ['keeps blanks in double quotes, also at its end', 'A=" "', ' '],
    ['loses a backslash in double quotes before what needs one', 'A="\\$"', '$'],
    ['keeps a backslash in double quotes before anything else', 'A="\\a"', '\\a'],
    ['goes on behind a backslash at a line end in double quotes', 'A="a\\\nb"', 'ab'],
    ['is what all its quoted parts make', `A='1'"2" 3`, '123'],
    ['is empty where nothing stands', 'A=', ''],
  ])('%s', (_, text, value) => {
    expect(scan(text)).toMatchObject({ assignments: [{ key: 'A', value }], openQuote: null });
  });
});

describe('no assignment', () => {
  test.each([
    ['a comment', '#A=1'],
    ['a comment with a semicolon', ';A=1\n'],
    ['a comment behind blanks', ' \t# A=1'],
    ['a comment in which a quote is opened', "# it's A='1\n"],
    ['a word', 'odd'],
    ['a word with a line end', 'odd\n'],
    ['nothing', ''],
    ['blanks', ' \t\r\n'],
  ])('is %s', (_, text) => {
    expect(scan(text)).toEqual({ assignments: [], openQuote: null });
  });
});

test('a key stands behind blanks of any kind, and a line that is none does not become part of it', () => {
  expect(read('\rA=1\n\n \tB=2\nodd\nC=3\rD=4')).toEqual([
    ['A', '1'],
    ['B', '2'],
    ['C', '3'],
    ['D', '4'],
  ]);
});

test('an assignment ends behind its own line end, not behind the next one', () => {
  const offsets = scan('A=1\n\nB= "2" \r\n\r\nC=3').assignments.map(
    ({ line, start, end, valueStart, valueEnd }) => ({ line, start, end, valueStart, valueEnd }),
  );
  expect(offsets).toEqual([
    { line: 1, start: 0, end: 4, valueStart: 2, valueEnd: 3 },
    { line: 3, start: 5, end: 14, valueStart: 8, valueEnd: 11 },
    { line: 5, start: 16, end: 19, valueStart: 18, valueEnd: 19 },
  ]);
});

test.each([
  ['a single one', "A=1\nB='x\n", 2],
  ['a double one', '\nA="x', 2],
  ['a double one that ends in a backslash', 'A="x\\', 1],
  ['one that is opened again behind one that was closed', "A='1\n2' '3\nB=2\n", 2],
])('a quote that is never closed is told by its line: %s', (_, text, line) => {
  expect(scan(text).openQuote).toBe(line);
});
