/** Looks for values of secrets in a text, in every spelling that somebody could have given them. */

/** In base64 a value looks different by where it begins; what its neighbours have a part in is left out. */
function base64Of(value: string): string[] {
  const bytes = Buffer.from(value);
  return [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/u, '');
    const begin = Math.ceil((shift * 8) / 6);
    const whole = Math.floor(((shift + bytes.length) * 8) / 6);
    return text.slice(begin, whole);
  });
}

const escapedJson = (value: string): string => JSON.stringify(value).slice(1, -1);
const asUrl = (base64: string): string => base64.replaceAll('+', '-').replaceAll('/', '_');

/** Percent-encoded: what need not be as it is, or byte by byte. */
function urlEncoded(value: string): string[] {
  const every = [...Buffer.from(value)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  const some = encodeURIComponent(value);
  return [
    some,
    some.replaceAll('%20', '+'),
    some.replace(/%[0-9A-F]{2}/gu, (found) => found.toLowerCase()),
    every,
    every.toUpperCase(),
  ];
}

const deepestText = 3;

function spellings(value: string): ReadonlySet<string> {
  const hex = Buffer.from(value).toString('hex');
  const base64 = base64Of(value);
  let spelled = [value, ...base64, ...base64.map(asUrl), hex, hex.toUpperCase(), ...urlEncoded(value)];
  const all = new Set(spelled);
  // A text of JSON in a text of JSON in a record.
  for (let depth = 0; depth < deepestText; depth += 1) {
    spelled = spelled.map(escapedJson);
    for (const text of spelled) all.add(text);
  }
  return all;
}

/** Shorter values are words of any text: they are looked for only behind their names. */
const shortestAnywhere = 8;

function namedSpellings(name: string, value: string): string[] {
  const plain = [
    `${name}=${value}`,
    `${name}="${value}"`,
    `${name}='${value}'`,
    `"${name}":${JSON.stringify(value)}`,
  ];
  return [...plain, ...plain.map(escapedJson)];
}

/**
 * @param secrets names and values
 * @returns the name of one whose value stands in the text; null where none does
 */
export function heldBy(text: string, secrets: Iterable<readonly [string, string]>): string | null {
  for (const [name, value] of secrets) {
    if (value.trim() === '') continue;
    const wanted = value.length < shortestAnywhere ? namedSpellings(name, value) : spellings(value);
    for (const spelling of wanted) if (text.includes(spelling)) return name;
  }
  return null;
}
