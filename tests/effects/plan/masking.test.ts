/** What a diff may show: no secret in any encoding, and of lines that somebody else wrote the keys alone. */
import { describe, expect, test } from 'vitest';
import { parsedEnv } from '../../../src/effects/env-parsed.ts';
import { createMemoryHost } from '../../../src/effects/host/memory.ts';
import { createMasking, type Masking } from '../../../src/effects/plan/masking.ts';
import { emptyScope } from '../../support/scope.ts';
import { smallProduct } from '../../support/small-product.ts';

interface Known {
  readonly before?: string;
  readonly after?: string;
  readonly env?: string;
}

/** Of a host whose secret TOKEN has these values, and that has this env file. */
function masking({ before, after, env }: Known): Masking {
  const product = smallProduct();
  const scope = emptyScope({ host: createMemoryHost(), product });
  if (before !== undefined) scope.state.before = new Map([['TOKEN', before]]);
  if (after !== undefined) scope.state.after = new Map([['TOKEN', after]]);
  if (env !== undefined) {
    const bytes = Buffer.from(env);
    const identity = { type: 'file', hash: null, mode: 0o600, uid: 0, gid: 0 } as const;
    scope.state.env = { bytes, identity, file: parsedEnv(product, bytes) };
  }
  return createMasking(scope);
}

const hidden = '<hidden>';
const secret = 'correct-horse/battery?staple';
const isHidden = (known: Known, line: string): boolean =>
  masking(known).own(`a\n${line}\nb`) === `a\n${hidden}\nb`;

describe('a line that tells a secret is hidden, and no other line', () => {
  test.each<readonly [string, Known]>([
    ['that is replaced', { before: secret }],
    ['that is new', { after: secret }],
    ['of somebody else’s in the env file', { env: `OTHER=${secret}\n` }],
    ['beside one that has no value', { before: '', after: secret }],
  ])('one %s', (_, known) => {
    expect(isHidden(known, `x ${secret} y`)).toBe(true);
    expect(isHidden(known, 'x correct y')).toBe(false);
    expect(isHidden(known, '')).toBe(false);
  });

  test('settings are no secrets, whatever else stands beside them', () => {
    const text = 'PORT=8000\nlisten 8000;';
    expect(masking({ env: 'PORT=8000\nOTHER=x-y-z\n' }).own(text)).toBe(text);
  });

  test('each line of a value of several lines is one', () => {
    const known = { env: 'OTHER="first-line\n  \nlast-line"\n' };
    expect(isHidden(known, 'x first-line')).toBe(true);
    expect(isHidden(known, 'x last-line')).toBe(true);
    expect(isHidden(known, '    ')).toBe(false);
  });

  test('where nothing is secret, all is shown', () => {
    const text = 'a\n<b>\nYWJj 616263 %61 \\x61';
    expect(masking({}).own(text)).toBe(text);
    expect(masking({ before: '', after: ' ' }).own(text)).toBe(text);
  });
});

describe('a secret is found', () => {
  const values = [secret, 'abc', 'schlüssel-für-später', 'x'.repeat(2000)];
  const bytes = (text: string): Buffer => Buffer.from(text);

  test.each(values.map((value) => [value.slice(0, 30), value]))('%s in any encoding', (_, value) => {
    // The longest alone cannot be what the others are found by.
    for (const known of [{ after: value }, { after: value, env: `OTHER=${'z'.repeat(3000)}\n` }]) {
      for (const around of ['', 'q', 'qq', 'qqq']) {
        const within = bytes(`${around}${value}${around}`);
        const lines = {
          base64: within.toString('base64'),
          base64url: within.toString('base64url'),
          hex: within.toString('hex'),
          HEX: within.toString('hex').toUpperCase(),
          'shifted hex': `a${within.toString('hex')}`,
          percent: within.toString('hex').replaceAll(/../gu, '%$&'),
          escapes: within.toString('hex').toUpperCase().replaceAll(/../gu, '\\x$&'),
          'percent in base64': bytes(within.toString('hex').replaceAll(/../gu, '%$&')).toString('base64'),
        };
        for (const [encoding, line] of Object.entries(lines))
          expect([encoding, around, isHidden(known, `key = "${line}";`)]).toEqual([encoding, around, true]);
        expect(
          isHidden(
            known,
            `${bytes('another word, and longer than those').toString('base64')} ${lines.base64}`,
          ),
        ).toBe(true);
        for (const shift of ['A', 'AA', 'AAA'])
          expect(isHidden(known, `key = "${shift}${lines.base64}";`)).toBe(true);
      }
    }
  });

  test('where only some of its characters are escaped', () => {
    expect(isHidden({ after: secret }, 'x=correct-horse%2Fbattery%3fstaple')).toBe(true);
    expect(isHidden({ after: secret }, 'x=correct-horse\\x2fbattery\\x3Fstaple')).toBe(true);
    expect(isHidden({ after: 'schlüssel/a' }, 'x=schlüssel%2fa')).toBe(true);
    expect(isHidden({ after: secret }, 'x=correct-horse%2Fbattery%3fstapl')).toBe(false);
  });

  test('and what is encoded otherwise is somebody else’s', () => {
    for (const encoding of ['base64', 'hex'] as const)
      expect(isHidden({ after: secret }, Buffer.from(`not ${'-'.repeat(30)}`).toString(encoding))).toBe(
        false,
      );
  });
});

describe('of lines that somebody else wrote', () => {
  const shown = (line: string, own = ''): string => masking({}).foreign(line, own);

  test.each([
    // Structure says nothing.
    '',
    '   ',
    '[Unit]',
    '  [X]  ',
    '}',
    '  });  ',
    '([]{},;',
  ])('%j stands as it is', (line) => {
    expect(shown(line)).toBe(line);
  });

  test.each([
    ['Key=value', 'Key=<hidden>'],
    ['  Key=value=x', '  Key=<hidden>'],
    ['KEY_OF_MINE =value', 'KEY_OF_MINE =<hidden>'],
    ['Key  =value', 'Key  =<hidden>'],
    ['x=1', 'x=<hidden>'],
    [`${'k'.repeat(32)}=1`, `${'k'.repeat(32)}=<hidden>`],
    ['listen 80;', 'listen <hidden>'],
    ['    server_name  a.example.org;', '    server_name  <hidden>'],
    ['set\t$a b;', 'set\t<hidden>'],
    ['proxy_pass http://127.0.0.1;', 'proxy_pass <hidden>'],
    ['ssl_certificate_key x;', 'ssl_certificate_key <hidden>'],
  ])('of %j the key is shown', (line, masked) => {
    expect(shown(line)).toBe(masked);
  });

  test.each([
    'word',
    'a word=x',
    '1Key=x',
    '_Key=x',
    'Key1=x',
    'a-b=x',
    `${'k'.repeat(33)}=1`,
    'Key=',
    'Key= value',
    'Key==value',
    'Key = value',
    'listen',
    'listen ',
    'listen80;',
    'a listen 80;',
    'unknown 80;',
    'proxy_1 x;',
    'proxy_ x;',
    'proxy_Pass x;',
    'other_pass x;',
    'x [Unit]',
    '[Unit] x',
    '[1x]',
    '[Unit x]',
    '} x',
    'x }',
    'a # comment',
    'a;',
  ])('%j is hidden as a whole', (line) => {
    expect(shown(line)).toBe(hidden);
  });

  test.each(['# words', '#', '   ; words', '\t#'])('%j is told to be a comment', (line) => {
    expect(shown(line)).toBe('# <comment>');
  });

  test('one that goes on with the line before is hidden, whatever it looks like', () => {
    const text = 'Key=a \\\nb=c\\\n[Unit]\nKey=d\n# \\\n}\n}';
    expect(shown(text)).toBe('Key=<hidden>\n<hidden>\n<hidden>\nKey=<hidden>\n# <comment>\n<hidden>\n}');
  });

  test('one that we would write as well is shown, but for a secret in it', () => {
    const own = `Key=ours\nOther=${secret}\nExec=x \\`;
    expect(shown('Key=ours\nKey=theirs\nExec=x \\\nKey=ours\nword', own)).toBe(
      'Key=ours\nKey=<hidden>\nExec=x \\\nKey=ours\n<hidden>',
    );
    expect(masking({ after: secret }).foreign(`Key=ours\nOther=${secret}`, own)).toBe('Key=ours\n<hidden>');
  });

  test('one whose key tells a secret is hidden as a whole', () => {
    expect(masking({ after: 'SecretWord' }).foreign('SecretWord=x\n[SecretWord]', '')).toBe(
      `${hidden}\n${hidden}`,
    );
  });
});
