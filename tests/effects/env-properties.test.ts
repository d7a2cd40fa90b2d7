/** Whatever stands in an env file: reading loses nothing, and changing a value changes that value alone. */
import fc from 'fast-check';
import { parse as parseDotenv } from 'dotenv';
import { expect, test } from 'vitest';
import { EnvFile, renderEnvFile } from '../../src/effects/env-file.ts';
import { validatePassword } from '../../src/products/mcp-oauth-proxy/settings.ts';
import { cases } from '../support/cases.ts';
import { envLines, plainValue, rawValue } from '../support/env-text.ts';

const unmanaged = { secrets: [], settings: [] };

function parsed(text: string): EnvFile | null {
  const file = EnvFile.parse(Buffer.from(text), unmanaged);
  return file.ok ? file.file : null;
}

function accepted(text: string): EnvFile {
  const file = parsed(text);
  fc.pre(file !== null);
  return file;
}

const textOf = (file: EnvFile): string => Buffer.from(file.toBytes()).toString('utf8');
const valuesOf = (file: EnvFile): readonly (readonly [string, string | undefined])[] =>
  file.keys().map((key) => [key, file.get(key)] as const);

test('a valid password is read alike by both readers, as it is typed and as it is written', () => {
  const character = fc.constantFrom(
    ...Array.from({ length: 94 }, (_, at) => String.fromCharCode(0x21 + at)).filter(
      (each) => validatePassword(each.repeat(12)).ok,
    ),
  );
  const keys = { secrets: ['OWNER_PASSWORD'], settings: [] };
  fc.assert(
    fc.property(fc.string({ unit: character, minLength: 12, maxLength: 128 }), (password) => {
      expect(validatePassword(password)).toEqual({ ok: true, value: password });
      for (const bytes of [
        Buffer.from(`OWNER_PASSWORD=${password}\n`),
        renderEnvFile([['OWNER_PASSWORD', password]]),
      ]) {
        const file = EnvFile.parse(bytes, keys);
        expect(file.ok && file.file.get('OWNER_PASSWORD')).toBe(password);
      }
    }),
    cases,
  );
});

test('a file that is read and not changed is the same bytes', () => {
  fc.assert(
    fc.property(envLines(), fc.boolean(), (lines, whole) => {
      const text = whole ? lines.join('') : lines.join('').replace(/\r?\n$/u, '');
      expect(textOf(accepted(text))).toBe(text);
    }),
    cases,
  );
});

test('a value that is replaced is read back, and every byte around it stays', () => {
  fc.assert(
    fc.property(envLines(), rawValue, envLines(), plainValue, (before, raw, after, value) => {
      const [head, tail] = [before.join(''), after.join('')];
      const file = accepted(`${head}KEY=${raw}\n${tail}`);
      // A quote that is open in what stands before would make the key part of a value.
      fc.pre(accepted(head).keys().length + 1 + accepted(tail).keys().length >= file.keys().length);
      fc.pre(file.has('KEY') && !/(^|\n)\s*KEY/u.test(head + tail));
      const changed = file.with('KEY', value);
      const text = textOf(changed);
      expect([text.slice(0, head.length + 4), text.slice(text.length - tail.length - 1)]).toEqual([
        `${head}KEY=`,
        `\n${tail}`,
      ]);
      expect(changed.get('KEY')).toBe(value);
      const others = (of: EnvFile) => valuesOf(of).filter(([key]) => key !== 'KEY');
      expect(others(changed)).toEqual(others(file));
      expect(textOf(accepted(text))).toBe(text);
    }),
    cases,
  );
});

test('a value that is added is read back, beside all that was there', () => {
  fc.assert(
    fc.property(envLines(), plainValue, (lines, value) => {
      const text = lines.join('');
      const file = accepted(text);
      const changed = file.with('KEY', value);
      const added = textOf(changed.with('KEY', '')).replace('KEY=', '');
      expect([`${text}\n`, `${text}\r\n`, `\n${text}`, `\r\n${text}`]).toContain(added);
      expect([valuesOf(changed), changed.get('KEY')].flat()).toEqual(
        expect.arrayContaining([...valuesOf(file), ['KEY', value], value]),
      );
      expect(valuesOf(changed)).toHaveLength(valuesOf(file).length + 1);
      expect(textOf(changed.without('KEY'))).toBe(text);
    }),
    cases,
  );
});

test('what is written into any accepted file is read alike by dotenv, or is refused', () => {
  const keys = { secrets: ['KEY'], settings: ['OTHER'] };
  fc.assert(
    fc.property(envLines(['KEY', 'OTHER', 'A', 'B2']), plainValue, plainValue, (lines, value, other) => {
      const read = EnvFile.parse(Buffer.from(lines.join('')), keys);
      fc.pre(read.ok);
      const bytes = read.file.with('KEY', value).with('OTHER', other).toBytes();
      const again = EnvFile.parse(bytes, keys);
      const seen = parseDotenv(Buffer.from(bytes));
      // Only a quote that dotenv never sees the end of can reach across lines to a quote of ours.
      expect(again.ok || /['"`]/u.test(lines.join(''))).toBe(true);
      expect(again.ok).toBe(seen['KEY'] === value && seen['OTHER'] === other);
    }),
    cases,
  );
});

test('what needs no quotes is never refused for what other people wrote around it', () => {
  const keys = { secrets: ['KEY'], settings: [] };
  const bare = fc.stringMatching(/^[A-Za-z0-9_.:/+=@%,-]{1,40}$/u);
  fc.assert(
    fc.property(envLines(), bare, (lines, value) => {
      const read = EnvFile.parse(Buffer.from(lines.join('')), keys);
      fc.pre(read.ok);
      expect(EnvFile.parse(read.file.with('KEY', value).toBytes(), keys)).toMatchObject({ ok: true });
    }),
    cases,
  );
});
