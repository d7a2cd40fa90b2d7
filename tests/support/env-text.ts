/** Env files as people write them, for property tests: lines of every kind that systemd's grammar knows. */
import fc from 'fast-check';

const ends = fc.constantFrom('\n', '\r\n');
const blanks = fc.constantFrom('', '', ' ', '\t', '  ');
/** None of them a line end or a lone surrogate. */
const letters = (more: string): fc.Arbitrary<string> =>
  fc.constantFrom(
    ...Array.from(`abXY019_-.,:/+=@%#;~!?*()[]{}<>|&^ \tüñ☃😀\u0001\u001b\u007f\u0085\u2028${more}`),
  );
const word = (more = '', maxLength = 8): fc.Arbitrary<string> =>
  fc.array(letters(more), { maxLength }).map((parts) => parts.join(''));

const bare = word('$`');
const escaped = fc.constantFrom('\\a', '\\"', "\\'", '\\\\', '\\$', '\\ ', '\\n');
const single = fc.oneof(word('\\"$`\n'), fc.constant('one\r\ntwo')).map((text) => `'${text}'`);
const double = fc
  .array(
    fc.oneof(word("'\n", 4), fc.constantFrom('\r\n', '\\"', '\\\\', '\\$', '\\`', '\\a', "\\'", '\\\n')),
    {
      maxLength: 5,
    },
  )
  .map((parts) => `"${parts.join('')}"`);

export const rawValue = fc
  .array(fc.oneof(bare, escaped, single, double), { maxLength: 3 })
  .map((parts) => parts.join(''));

/** Keys that some readers stumble over. */
export const oddKeys = [
  'A',
  'B2',
  '_c',
  'lower',
  'LONG_NAME_WITH_DIGITS_42',
  '__proto__',
  'constructor',
] as const;
const noKeys = ['export X', 'A-B', '9D', 'a b', 'é', ''] as const;

const assignment = (keys: readonly string[]): fc.Arbitrary<string> =>
  fc
    .tuple(blanks, fc.constantFrom(...keys), blanks, blanks, rawValue, blanks, ends)
    .map(([a, key, b, c, raw, d, end]) => `${a}${key}${b}=${c}${raw}${d}${end}`);

const comment = fc
  .tuple(blanks, fc.constantFrom('#', ';', '# A=1 ', '#"', ";'"), word('"\'$'), ends)
  .map((parts) => parts.join(''));
const noAssignment = fc.tuple(fc.constantFrom('odd line', 'A', '[x]'), ends).map((parts) => parts.join(''));
const blank = fc.tuple(blanks, ends).map((parts) => parts.join(''));

/** Lines of a file, each with its line end; some of them are more than one line. */
export const envLines = (keys: readonly string[] = oddKeys): fc.Arbitrary<string[]> =>
  fc.array(
    fc.oneof(
      { arbitrary: assignment(keys), weight: 6 },
      { arbitrary: assignment(noKeys), weight: 1 },
      { arbitrary: comment, weight: 2 },
      { arbitrary: noAssignment, weight: 1 },
      { arbitrary: blank, weight: 1 },
    ),
    { maxLength: 12 },
  );

/** Values that the installer writes: what its validators let through, and some more. */
export const plainValue: fc.Arbitrary<string> = word('"$`', 24).map((value) =>
  value.replaceAll(/[\u0000-\u001f\u007f]/gu, ''),
);
