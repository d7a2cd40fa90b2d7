/**
 * What a diff may show of a file. A secret is hidden in every encoding; of lines that the installer did not write the
 * keys are shown alone, since other people's keys are secrets too and nobody can tell which of their words is one.
 */
import { EnvFile } from '../env-file.ts';
import type { Scope } from '../scope.ts';

const hidden = '<hidden>';

/** Words that may stand for themselves: keys of units, names in code, directives of nginx. */
const key =
  /^(\s*[A-Za-z][A-Za-z_]{0,31}\s*=(?!=)|\s*(?:listen|server|server_name|location|upstream|include|return|root|alias|index|if|set|rewrite|allow|deny|add_header|default_type|access_log|error_log|try_files|(?:ssl|proxy|client|auth|fastcgi|uwsgi)_[a-z_]+)\s+)(?=\S)/u;
const structure = /^\s*(?:\[[A-Za-z]+\]|[{}()[\];,]*)\s*$/u;

/** Every value that must not be seen: the secrets before and after, and what else the env file keeps. */
function valuesOf({ state, product }: Scope): readonly string[] {
  const settings = product.settings.map((setting) => setting.key);
  const file = state.env?.file ?? EnvFile.empty();
  const others = file
    .keys()
    .filter((name) => !settings.includes(name))
    .map((name) => file.get(name) ?? '');
  const all = [...state.before.values(), ...state.after.values(), ...others];
  return [...new Set(all.flatMap((value) => value.split('\n')))].filter((value) => value.trim() !== '');
}

const isEscaped = (text: string): boolean => /%|\\x/iu.test(text);

const unescaped = (text: string): string =>
  text.replace(/(?:%|\\x)([0-9a-f]{2})/giu, (_all, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );

/** Each byte as a character of its own: what is decoded is compared so, since nobody knows which letters its bytes are. */
const bytesOf = (text: string): string => Buffer.from(text).toString('latin1');

/** Finds the secrets in a line, however they are encoded. */
function finder(secrets: readonly string[]): (line: string) => boolean {
  const values = secrets.map(bytesOf);
  const shortest = Math.min(...values.map(({ length }) => length));
  // A word that is shorter than the encoding of any of them hides none, and is not decoded: most lines have no other.
  const words = [
    { encoding: 'base64', word: atLeast('A-Za-z0-9+/_-', Math.ceil((shortest * 4) / 3)), group: 4 },
    { encoding: 'hex', word: atLeast('0-9A-Fa-f', shortest * 2), group: 2 },
  ] as const;

  /** The line as it is, and whatever it could be an encoding of, from every place where one could begin. */
  const readings = (line: string): readonly string[] => {
    const decoded = words.flatMap(({ encoding, word, group }) =>
      [...line.matchAll(word)].flatMap(([found]) =>
        Array.from({ length: group }, (_, from) =>
          Buffer.from(found.slice(from), encoding).toString('latin1'),
        ),
      ),
    );
    return [line, ...decoded];
  };
  const tells = (text: string): boolean => values.some((value) => text.includes(value));
  return (line) =>
    readings(bytesOf(line)).some((text) => tells(text) || (isEscaped(text) && tells(unescaped(text))));
}

const atLeast = (characters: string, count: number): RegExp =>
  new RegExp(`[${characters}]{${Math.min(Math.max(count, 4), 1000)},}`, 'gu');

function keyOf(line: string): string {
  if (structure.test(line)) return line;
  if (/^\s*[#;]/u.test(line)) return '# <comment>';
  const known = key.exec(line)?.[1];
  return known === undefined ? hidden : `${known}${hidden}`;
}

export interface Masking {
  /** Text that the installer has written or would write. */
  own(text: string): string;
  /** Text of anybody else; a line that stands in the installer's own text as well is no secret of theirs. */
  foreign(text: string, own: string): string;
}

export function createMasking(scope: Scope): Masking {
  const tells = finder(valuesOf(scope));
  const safe = (line: string): string => (tells(line) ? hidden : line);
  return {
    own: (text) => text.split('\n').map(safe).join('\n'),
    foreign: (text, own) => {
      const known = new Set(own.split('\n'));
      let continued = false;
      return text
        .split('\n')
        .map((line) => {
          const within = continued;
          continued = line.endsWith('\\');
          if (known.has(line)) return safe(line);
          return within ? hidden : safe(keyOf(line));
        })
        .join('\n');
    },
  };
}
