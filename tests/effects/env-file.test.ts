import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { EnvFile, maskedText, renderEnvFile, type ManagedKeys } from '../../src/effects/env-file.ts';
import type { Problem } from '../../src/effects/env-problems.ts';

const keys: ManagedKeys = {
  secrets: ['MCP_TOKEN', 'CLIENT_ID', 'CLIENT_SECRET', 'TOKEN_SECRET'],
  settings: ['DOMAIN', 'LISTEN_PORT'],
};

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

function read(input: string | Uint8Array): EnvFile {
  const parsed = EnvFile.parse(typeof input === 'string' ? bytesOf(input) : input, keys);
  if (!parsed.ok) throw new Error(`refused: ${JSON.stringify(parsed.problems)}`);
  return parsed.file;
}

function refusedAt(input: string | Uint8Array): readonly Problem[] {
  const parsed = EnvFile.parse(typeof input === 'string' ? bytesOf(input) : input, keys);
  return parsed.ok ? [] : parsed.problems;
}

const after = (file: EnvFile): string => textOf(file.toBytes());

describe('reading', () => {
  test('keeps every byte of a file that is read and not changed', () => {
    const text =
      '# head\n\n;old=1\n  LISTEN_PORT = 9000  \r\nCLIENT_ID=ab\nodd line\nX-Y=1\nM="one\ntwo"\r\n\t\n=\nlast=1';
    expect(after(read(text))).toBe(text);
  });

  test('tells the keys in the order in which they first stand, unnamed and ignored lines left out', () => {
    const file = read('B=1\nA=2\nexport C=3\n9D=4\nA-B=5\nE\nB=6\n_f0=7\n');
    expect(file.keys()).toEqual(['B', 'A', '_f0']);
  });

  test('tells which keys are there, empty ones included', () => {
    const file = read('A=\nB=1\n#C=1\n');
    expect(['A', 'B', 'C', 'a'].map((key) => [key, file.has(key), file.get(key)])).toEqual([
      ['A', true, ''],
      ['B', true, '1'],
      ['C', false, undefined],
      ['a', false, undefined],
    ]);
  });

  test('takes the last of several values, as systemd does', () => {
    expect(read('A=1\nLISTEN_PORT=1\nA=2\nLISTEN_PORT=2\n').get('LISTEN_PORT')).toBe('2');
  });

  test('takes a secret that stands twice with the same value', () => {
    expect(read('CLIENT_ID=ab\nCLIENT_ID="ab"\n').get('CLIENT_ID')).toBe('ab');
  });

  test('takes blank lines inside quotes for a part of the value', () => {
    expect(read('DOMAIN="one\n\n two"\n').get('DOMAIN')).toBe('one\n\n two');
  });

  test('finds nothing in an empty file', () => {
    const file = read('');
    expect([file.keys(), after(file)]).toEqual([[], '']);
    expect(after(EnvFile.empty())).toBe('');
  });

  test('reads what was asked for although names are those of object properties', () => {
    const file = read('__proto__=1\nconstructor=2\n');
    expect([file.get('__proto__'), file.get('constructor'), file.get('toString')]).toEqual([
      '1',
      '2',
      undefined,
    ]);
  });
});

describe('changing a value', () => {
  test.each([
    ['in the middle', 'A=1\nDOMAIN=old\nB=2\n', 'A=1\nDOMAIN=new\nB=2\n'],
    ['without a final newline', 'A=1\nDOMAIN=old', 'A=1\nDOMAIN=new'],
    ['with CRLF line ends', 'A=1\r\nDOMAIN=old\r\nB=2\r\n', 'A=1\r\nDOMAIN=new\r\nB=2\r\n'],
    ['between blanks', '\t DOMAIN \t= \told \t\nB=2\n', '\t DOMAIN \t= \tnew \t\nB=2\n'],
    ['between double quotes', 'DOMAIN="old one"\n', 'DOMAIN=new\n'],
    ['between single quotes', "DOMAIN='old one'\r\n", 'DOMAIN=new\r\n'],
    ['over several lines', 'A=1\nDOMAIN="one\n# two\nthree"\nB=2\n', 'A=1\nDOMAIN=new\nB=2\n'],
    ['that is empty', 'DOMAIN=\nB=2\n', 'DOMAIN=new\nB=2\n'],
    ['that is empty at the end of the file', 'DOMAIN=', 'DOMAIN=new'],
    ['that is blanks only', 'DOMAIN=  \nB=2\n', 'DOMAIN=  new\nB=2\n'],
    [
      'that stands on several lines, on each of them',
      'DOMAIN=a\n#x\nDOMAIN="bb"\nA=1\nDOMAIN=\n',
      'DOMAIN=new\n#x\nDOMAIN=new\nA=1\nDOMAIN=new\n',
    ],
    [
      'and no line that only resembles it',
      '#DOMAIN=a\n;DOMAIN=a\nXDOMAIN=a\nDOMAINX=a\nA="\nDOMAIN=a\n"\ndomain=a\nDOMAIN=a\n',
      '#DOMAIN=a\n;DOMAIN=a\nXDOMAIN=a\nDOMAINX=a\nA="\nDOMAIN=a\n"\ndomain=a\nDOMAIN=new\n',
    ],
  ])('replaces one %s', (_where, before, expected) => {
    // Some of these disagree with dotenv, which does not matter here: no key is managed.
    const parsed = EnvFile.parse(bytesOf(before), { secrets: [], settings: [] });
    expect(parsed.ok && after(parsed.file.with('DOMAIN', 'new'))).toBe(expected);
  });

  test('leaves the file that it was made from as it was', () => {
    const file = read('A=1\n');
    file.with('A', '2').without('A');
    expect(after(file)).toBe('A=1\n');
  });

  test.each([
    ['an empty file', '', 'B=2\n'],
    ['a file', 'A=1\n', 'A=1\nB=2\n'],
    ['a file without a final newline', 'A=1', 'A=1\nB=2\n'],
    ['a file with CRLF line ends', 'A=1\r\n', 'A=1\r\nB=2\r\n'],
    ['a file with CRLF line ends and no final one', 'A=1\r\nC=3', 'A=1\r\nC=3\r\nB=2\r\n'],
    ['a file that ends in a comment', 'A=1\n# end', 'A=1\n# end\nB=2\n'],
    ['a file that ends in a line that is none', 'A=1\nodd', 'A=1\nodd\nB=2\n'],
    ['a file that names it in a comment only', '#B=1\n', '#B=1\nB=2\n'],
  ])('adds a missing key at the end of %s', (_what, before, expected) => {
    expect(after(read(before).with('B', '2'))).toBe(expected);
  });

  test.each([
    ['a last line that only dotenv takes for a key', 'A=1\nnote:\n'],
    ['a last comment that only dotenv sees the end of', 'A=1\n# on\u2028note:\n'],
    ['a quote that only dotenv leaves open', "A='C:\\'\n"],
  ])('adds a missing key at the head, where %s would take it', (_what, before) => {
    expect(after(read(before).with('B', '#2'))).toBe(`B='#2'\n${before}`);
  });

  test.each([
    ['A=1\nB=2\nC=3\n', 'A=1\nC=3\n'],
    ['B=2\n', ''],
    ['A=1\nB=2', 'A=1\n'],
    ['A=1\r\nB=2\r\nC=3\r\n', 'A=1\r\nC=3\r\n'],
    ['B=1\n#B=1\n  B = 2 \nB="x\ny"\nC=3\n', '#B=1\nC=3\n'],
    ['A=1\n', 'A=1\n'],
  ])('removes every line of a key: %j', (before, expected) => {
    expect(after(read(before).without('B'))).toBe(expected);
  });

  test.each([
    ['hex', '00ff', '00ff'],
    ['a URL', 'https://h.example.org:8443/a_b/+=@%2C,-', 'https://h.example.org:8443/a_b/+=@%2C,-'],
    ['nothing', '', ''],
    ['a blank', 'a b', "'a b'"],
    ['blanks at both ends', ' a ', "' a '"],
    ['a hash', 'a#b', "'a#b'"],
    ['a double quote', 'a"b', `'a"b'`],
    ['a backtick', 'a`b', "'a`b'"],
    ['a dollar sign', '$2b$12$abc', "'$2b$12$abc'"],
    ['a tilde', '~/x', "'~/x'"],
    ['a semicolon and an ampersand', 'p;q&r|s', "'p;q&r|s'"],
    ['letters outside ASCII', 'münchen', "'münchen'"],
  ])('writes %s so that it is read back', (_what, value, raw) => {
    const file = read('DOMAIN=old\n').with('DOMAIN', value).with('ADDED', value);
    expect(after(file)).toBe(`DOMAIN=${raw}\nADDED=${raw}\n`);
    const again = read(after(file));
    expect([again.get('DOMAIN'), again.get('ADDED')]).toEqual([value, value]);
  });

  test.each([
    ['a line end', 'a\nb'],
    ['a carriage return', 'a\rb'],
    ['a backslash', 'a\\b'],
    ['a single quote', "a'b"],
    ['NUL', 'a\0b'],
    ['a tabulator', 'a\tb'],
    ['DEL', 'a\u007fb'],
  ])('refuses to write a value with %s', (_what, value) => {
    expect(() => read('A=1\n').with('A', value)).toThrow(new TypeError('a value that no env file can hold'));
    expect(() => read('').with('A', value)).toThrow(TypeError);
    expect(() => renderEnvFile([['A', value]])).toThrow(TypeError);
  });

  test('makes a fresh file of bare lines in the order given', () => {
    const bytes = renderEnvFile([
      ['B', 'ff'],
      ['A', 'a b'],
      ['C', ''],
    ]);
    expect(textOf(bytes)).toBe("B=ff\nA='a b'\nC=\n");
  });
});

const loneReturn = {
  what: 'a carriage return stands inside this line; systemd reads two lines there, others one.',
  remedy: 'Remove the carriage return, or make it a line end.',
};
const backslash = {
  what: 'this line ends in a backslash, which joins it to the next one for some readers.',
  remedy: 'Remove the backslash.',
};
const openQuote = {
  what: 'a quote is opened here and never closed, so systemd swallows what follows.',
  remedy: 'Close the quote, or remove it.',
};
const nul = {
  what: 'a NUL byte stands in this line.',
  remedy: 'Restore the file from a backup; it may be damaged.',
};
const notUtf8 = {
  what: 'this line is not UTF-8, which makes systemd reject the whole file.',
  remedy: 'Save the file as UTF-8.',
};
const mark = {
  what: 'the file starts with a byte order mark, which makes systemd ignore the first line.',
  remedy: 'Remove it: sed -i "1s/^\\xEF\\xBB\\xBF//" FILE',
};
const disputed = (key: string) => ({
  what: `systemd and dotenv read ${key} differently.`,
  remedy: `Write it as one bare line, ${key}=value, without export, quotes, blanks, # or backslash.`,
});
const bytes = (...parts: readonly (string | readonly number[])[]): Uint8Array =>
  Buffer.concat(parts.map((part) => Buffer.from(part as string)));

describe('refusing', () => {
  test.each<[string, string | Uint8Array, number, { what: string; remedy: string }]>([
    ['a carriage return inside a value', 'A=1\nB=one\rC=injected\n', 2, loneReturn],
    ['a carriage return inside a comment', 'A=1\n\n# one\rC=injected\n', 3, loneReturn],
    ['a carriage return between quotes', 'A="one\rtwo"\n', 1, loneReturn],
    ['two carriage returns before a line end', 'A=1\r\r\n', 1, loneReturn],
    ['a value that ends in a backslash', 'A=1\nB=foo\\\nC=2\n', 2, backslash],
    ['a comment that ends in a backslash', '# c:\\dir\\\nA=1\n', 1, backslash],
    ['a last line that ends in a backslash', 'A=1\nB=2\\', 2, backslash],
    ['a backslash before CRLF', 'A=1\r\nB=2\\\r\nC=3\r\n', 2, backslash],
    ['a quoted value with a backslash at a line end', 'A="one\\\ntwo"\n', 1, backslash],
    ['a single quote that is never closed', "A=1\n\nB='b\nC=2\n", 3, openQuote],
    ['a double quote that is never closed', 'A=1\nB="b\nC=2\n', 2, openQuote],
    ['a quote that is opened again on a later line', "A='1\n2' '3\nB=2\n", 2, openQuote],
    ['a quote at the very end', 'A="', 1, openQuote],
    ['an escaped closing quote', 'A="b\\"\n', 1, openQuote],
    ['NUL', 'A=1\nB=2\0\nC=3\n', 2, nul],
    ['NUL where a power cut left the file in zeros', '\0\0\0\0', 1, nul],
    ['a byte order mark', '\ufeffA=1\n', 1, mark],
    ['a byte that is not UTF-8', bytes('A=1\nB=', [0xe9], 't\nC=3\n'), 2, notUtf8],
    ['a character that is cut off at the end', bytes('A=1\nB=', [0xe2, 0x82]), 2, notUtf8],
    ['an overlong encoding', bytes('A=', [0xc0, 0xaf], '\n'), 1, notUtf8],
    ['a lone surrogate', bytes('A=1\n\nB=', [0xed, 0xa0, 0x80], '\n'), 3, notUtf8],
  ])('names the line of %s, and a remedy', (_what, input, line, problem) => {
    expect(refusedAt(input)).toEqual([{ line, ...problem }]);
  });

  test('tells all that is wrong, in the order of the lines', () => {
    expect(refusedAt("A='x\nB=1\\\nC=a\rb\n")).toEqual([
      { line: 1, ...openQuote },
      { line: 2, ...backslash },
      { line: 3, ...loneReturn },
    ]);
    expect(refusedAt(bytes([0xef, 0xbb, 0xbf], 'A=1\0\nB=', [0xff], '\n'))).toEqual([
      { line: 1, ...mark },
      { line: 1, ...nul },
      { line: 2, ...notUtf8 },
    ]);
  });

  test.each([
    ['different values', 'CLIENT_ID=aa\nA=1\nCLIENT_ID=bb\n', 3],
    ['a value and an empty one', 'CLIENT_ID=\nCLIENT_ID=bb\n', 2],
    ['another value on its third line', 'CLIENT_ID=aa\nCLIENT_ID=aa\nCLIENT_ID=ab\n', 3],
  ])('refuses a secret that stands twice with %s', (_what, text, line) => {
    expect(refusedAt(text)).toEqual([
      {
        line,
        what: 'CLIENT_ID stands here with another value than in line 1.',
        remedy: 'Remove the line that is wrong.',
      },
    ]);
  });

  test.each([
    ['export A=b', 'export CLIENT_ID=b'],
    ['A: b', 'CLIENT_ID: b'],
    ['A=b#c', 'CLIENT_ID=b#c'],
    ['A=b # c', 'CLIENT_ID=b # c'],
    ['A=#b', 'CLIENT_ID=#b'],
    ['A="b" # c', 'CLIENT_ID="b" # c'],
    ['A="x"y', 'CLIENT_ID="x"y'],
    ['A=a\\b', 'CLIENT_ID=a\\b'],
    ['A="a\\nb"', 'CLIENT_ID="a\\nb"'],
    ['A="a\\"b"', 'CLIENT_ID="a\\"b"'],
    ['A="a\\\\b"', 'CLIENT_ID="a\\\\b"'],
    ['A="a\\$b"', 'CLIENT_ID="a\\$b"'],
    ["A='it'\\''s'", "CLIENT_ID='it'\\''s'"],
    ['A=`b`', 'CLIENT_ID=`b`'],
    ['a blank outside ASCII before the value', 'CLIENT_ID=\u00a0b'],
    ['a blank outside ASCII before the key', '\u00a0CLIENT_ID=b'],
    ['a blank outside ASCII behind the key', 'CLIENT_ID\u00a0=b'],
    ['a vertical tabulator behind the key', 'CLIENT_ID\u000b=b'],
    ['CRLF between quotes', 'CLIENT_ID="a\r\nb"'],
  ])('refuses a managed key that systemd and dotenv read differently: %s', (_form, line) => {
    expect(refusedAt(`A=1\n# two\n${line}\nB=2\n`)).toEqual([{ line: 3, ...disputed('CLIENT_ID') }]);
  });

  test('refuses a managed key that only one reader sees, wherever it hides', () => {
    expect(refusedAt('export A=`\nCLIENT_ID=b # `\n')).toEqual([{ line: 2, ...disputed('CLIENT_ID') }]);
    expect(refusedAt('# note\u2028CLIENT_ID=b\n')).toEqual([{ line: 1, ...disputed('CLIENT_ID') }]);
  });

  test.each([
    ['a backtick', 'A=1\nB=`\nCLIENT_ID=b\n`\n', 2],
    ['a backslash before a quote', "A='C:\\'\nCLIENT_ID='#'\n", 1],
    ['a backslash before a quote of what is no key', "export A='C:\\'\nCLIENT_ID='#'\n", 1],
    ['a backtick above lines of others', 'A=1\nB=`\nC=3\nCLIENT_ID=b\n`\nD=4\n', 2],
  ])('names the line of what hides a managed key from dotenv: %s', (_what, text, line) => {
    expect(refusedAt(text)).toEqual([
      {
        line,
        what: 'what stands here makes systemd and dotenv read CLIENT_ID differently.',
        remedy: 'Write this value without quotes, backticks and backslashes, or remove the line.',
      },
    ]);
  });

  test('names the line of the assignment, not of a comment that mentions the key', () => {
    expect(refusedAt('# CLIENT_ID=example\nOLD="\nCLIENT_ID=x"\nCLIENT_ID=a#b\n')).toEqual([
      { line: 4, ...disputed('CLIENT_ID') },
    ]);
  });

  test('names the line of the assignment, not of a later value that holds one', () => {
    expect(refusedAt('CLIENT_ID=a#b\nOLD="\nCLIENT_ID=x"\n')).toEqual([
      { line: 1, ...disputed('CLIENT_ID') },
    ]);
  });

  test('names the line of what looks like an assignment, not of a later mention', () => {
    expect(refusedAt('export CLIENT_ID=b\n# CLIENT_ID is above\n')).toEqual([
      { line: 1, ...disputed('CLIENT_ID') },
    ]);
  });

  test('blames no line of the key itself for hiding it', () => {
    expect(refusedAt('DOMAIN="a#b"\nDOMAIN=a#b\n')).toEqual([{ line: 2, ...disputed('DOMAIN') }]);
  });

  test('takes a first letter of which only some bytes are those of a byte order mark', () => {
    const first = ['\u203f', '\uf03f', '\u2eff', '\ufec0'];
    expect(first.map((letter) => refusedAt(`${letter}\nA=1\n`))).toEqual([[], [], [], []]);
  });

  test('refuses a disputed setting as it does a secret', () => {
    expect(refusedAt('CLIENT_ID=a\nDOMAIN=h # our host\n')).toEqual([{ line: 2, ...disputed('DOMAIN') }]);
  });

  test('tells every disputed key', () => {
    expect(refusedAt('TOKEN_SECRET=a#b\nexport MCP_TOKEN=c\n')).toEqual([
      { line: 1, ...disputed('TOKEN_SECRET') },
      { line: 2, ...disputed('MCP_TOKEN') },
    ]);
  });

  test('leaves keys that are not its own as odd as they like', () => {
    const text = [
      'export A=b',
      'B=b#c',
      'C="b" # c',
      'D="x"y',
      "E='it'\\''s'",
      'F=$(touch /tmp/never)',
      'G: h',
      'H-I=`id`',
      'J="one',
      'CLIENT_X=two"',
      'J=other',
      '}{',
      '=',
      '',
    ].join('\n');
    const file = read(text);
    expect(after(file)).toBe(text);
    expect(after(file.with('CLIENT_ID', 'ff'))).toBe(`${text}CLIENT_ID=ff\n`);
  });

  test('takes a file of exactly 64 KiB and refuses one byte more', () => {
    const whole = Buffer.alloc(64 * 1024, '# comment line\n');
    expect(read(whole).keys()).toEqual([]);
    expect(refusedAt(Buffer.concat([whole, Buffer.from('#')]))).toEqual([
      { line: null, what: 'the file is larger than 64 KiB.', remedy: 'Look whether it is the right file.' },
    ]);
  });

  test('reads many blank lines in no time', () => {
    const began = performance.now();
    read(`CLIENT_ID=ab\n#\n${'\n'.repeat(25_000)}#\n`);
    expect(performance.now() - began).toBeLessThan(500);
  });

  test('never repeats a value', () => {
    const secret = 'c0ffee5ec2e7';
    const hostile = [
      `CLIENT_ID=${secret}#x`,
      `CLIENT_ID=${secret}\\`,
      `CLIENT_ID="${secret}`,
      `CLIENT_ID=${secret}\rA=1`,
      `CLIENT_ID=${secret}\0`,
      `CLIENT_ID=1\nCLIENT_ID=${secret}`,
      `export CLIENT_ID=${secret}`,
    ];
    const problems = hostile.map(refusedAt);
    expect(problems.map(({ length }) => length)).toEqual(hostile.map(() => 1));
    expect(JSON.stringify(problems)).not.toContain(secret);
  });
});

describe('the masked text', () => {
  test('shows names of keys, and neither a value nor a comment nor a line that is none', () => {
    const text = '# pw: hunter2\n\nA=one\n ; x\nexport B=two\r\n  C = "three\nfour" \nodd five\nA-B=six\nD=';
    expect(textOf(bytesOf(maskedText(bytesOf(text))))).toBe(
      '# <comment>\n\nA=<hidden>\n# <comment>\n<line that systemd ignores>\nC=<hidden>\n<line that systemd ignores>\n<line that systemd ignores>\nD=<hidden>\n',
    );
  });

  test('shows what the caller makes of a value', () => {
    expect(maskedText(bytesOf('A="b c"\nB=\n'), (value) => `[${value.length}]`)).toBe('A=[3]\nB=[0]\n');
  });

  test.each([
    ['a last line that is none, without a line end', 'A=1\nodd', 'A=<hidden>\n<line that systemd ignores>\n'],
    ['a last comment without a line end', 'A=1\n#x', 'A=<hidden>\n# <comment>\n'],
    ['a line of blanks', ' \t\nA=1\n', '\nA=<hidden>\n'],
    ['a line with a # inside', 'odd # x\n', '<line that systemd ignores>\n'],
  ])('hides %s', (_what, text, masked) => {
    expect(maskedText(bytesOf(text))).toBe(masked);
  });

  test('is empty where the file is', () => {
    expect(maskedText(bytesOf(''))).toBe('');
  });

  test('consists of names and fixed words, whatever is in the file', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 12 }),
      fc.constantFrom(
        'A=',
        'export B=',
        '#',
        ';',
        '"',
        "'",
        '\\',
        '\n',
        '\r\n',
        '\r',
        ' ',
        '=',
        '\0',
        '\ufeff',
      ),
    );
    const line = /^(?:|# <comment>|<line that systemd ignores>|[A-Za-z_][A-Za-z0-9_]*=<hidden>)$/u;
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const masked = maskedText(bytesOf(pieces.join('')));
        expect(masked.split('\n').filter((each) => !line.test(each))).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  test('repeats no value and no comment of a file that was accepted', () => {
    const hex = fc.stringMatching(/^[0-9a-f]{16,32}$/u);
    const lines = fc.array(
      fc.oneof(
        hex.map((secret) => ({ secret, line: `# ${secret}` })),
        hex.map((secret) => ({ secret, line: `KEY=${secret}` })),
        hex.map((secret) => ({ secret, line: `KEY="a\n${secret}\n"` })),
        hex.map((secret) => ({ secret, line: `export KEY='${secret}'` })),
        hex.map((secret) => ({ secret, line: secret })),
      ),
    );
    fc.assert(
      fc.property(lines, (parts) => {
        const masked = maskedText(bytesOf(parts.map(({ line }) => line).join('\n')));
        expect(parts.filter(({ secret }) => masked.includes(secret))).toEqual([]);
      }),
    );
  });
});
