/** The env file that shall be: made from nothing, or from what is there with as little changed as can be; and what a diff shows of it. */
import { describe, expect, test } from 'vitest';
import { createMemoryHost } from '../../../src/effects/host/memory.ts';
import { desiredEnv, maskedEnv } from '../../../src/effects/plan/env.ts';
import { parsedEnv } from '../../../src/effects/env-parsed.ts';
import type { Scope } from '../../../src/effects/scope.ts';
import type { Mode, SecretReport } from '../../../src/machines/types.ts';
import type { Settings } from '../../../src/products/product.ts';
import { emptyScope } from '../../support/scope.ts';
import { nothingDesired, smallProduct } from '../../support/small-product.ts';
import { told } from '../../support/told.ts';

const product = smallProduct();

/** Value and origin by name. */
type Secrets = Readonly<Record<string, readonly [string, SecretReport['origin']]>>;

function scopeOf(env: string | null, secrets: Secrets): Scope {
  const scope = emptyScope({ host: createMemoryHost(), product });
  const all = Object.entries(secrets);
  scope.state.after = new Map(all.map(([name, [value]]) => [name, value]));
  scope.state.secrets = all.map(([name, [, origin]]) => ({ name, origin, fingerprint: '' }));
  if (env !== null) {
    const bytes = Buffer.from(env);
    const identity = { type: 'file', hash: null, mode: 0o600, uid: 0, gid: 0 } as const;
    scope.state.env = { bytes, identity, file: parsedEnv(product, bytes) };
  }
  return scope;
}

const wanted = (env: string | null, secrets: Secrets, settings: Settings, mode: Mode = 'existing'): string =>
  Buffer.from(desiredEnv(scopeOf(env, secrets), mode, settings)).toString();

const made = { TOKEN: ['t', 'generated'], PASSWORD: ['', 'preserved'] } as const;
const same = { TOKEN: ['t', 'preserved'], KEY: ['k', 'preserved'] } as const;

describe('an env file that is made', () => {
  const fresh = 'TOKEN=t\nNAME=N\n';

  test('holds secrets, then settings, in the product’s order, and none that has no value', () => {
    expect(wanted(null, made, { NAME: 'N', PORT: '' }, 'fresh')).toBe(fresh);
    expect(wanted(null, { KEY: ['k', 'supplied'], ...made }, { QUIET: '1', PORT: '8000' }, 'fresh')).toBe(
      'TOKEN=t\nKEY=k\nPORT=8000\nQUIET=1\n',
    );
  });

  test('takes nothing from what stands there', () => {
    expect(wanted('# mine\nTOKEN=old\n', made, { NAME: 'N' }, 'fresh')).toBe(fresh);
  });

  test('is made as well where an installation has lost its own', () => {
    expect(wanted(null, made, { NAME: 'N' }, 'forceRotate')).toBe(fresh);
  });
});

describe('of an env file that is there', () => {
  test('every byte stays that need not change: quotes, comments and what is not ours', () => {
    const text = "# mine\n TOKEN='t'\nOTHER=x\nNAME='N'\n\nKEY=k\r\nPASSWORD=\n";
    const settings = { NAME: 'N', PORT: '8000' };
    expect(wanted(text, { ...same, PASSWORD: ['', 'preserved'] }, settings)).toBe(text);
  });

  test('a secret with another value gets it in its place, and one that is missing goes to the end', () => {
    const secrets = { TOKEN: ['new', 'rotated'], KEY: ['k', 'healed'] } as const;
    expect(wanted('TOKEN=old\n# mine\n', secrets, {})).toBe('TOKEN=new\n# mine\nKEY=k\n');
  });

  test('a secret without a value is an empty line', () => {
    const scope = scopeOf('TOKEN=old\n', { TOKEN: ['', 'preserved'] });
    expect(Buffer.from(desiredEnv(scope, 'existing', {})).toString()).toBe('TOKEN=\n');
    scope.state.after = new Map();
    expect(Buffer.from(desiredEnv(scope, 'existing', {})).toString()).toBe('TOKEN=\n');
  });

  test('the line of a secret that is removed goes', () => {
    const text = 'TOKEN=t\nPASSWORD=p\nKEY=k\n';
    expect(wanted(text, { ...same, PASSWORD: ['', 'removed'] }, {})).toBe('TOKEN=t\nKEY=k\n');
  });

  test.each([
    ['that is the default, and stands nowhere, is not written', '', '8000', ''],
    ['that is not the default is written', '', '9000', 'PORT=9000\n'],
    ['that is the default again is written where another one stood', 'PORT=9000\n', '8000', 'PORT=8000\n'],
    ['that is the default is not written over an empty line', 'PORT=\n', '8000', 'PORT=\n'],
    ['without a value has no line', 'PORT=9000\n', '', ''],
  ])('a setting %s', (_, text, value, after) => {
    expect(wanted(text, {}, { PORT: value })).toBe(after);
  });

  test('a setting without a default, and without a value, loses the line that it has', () => {
    expect(wanted('NAME=n\nQUIET=\n', {}, { NAME: 'M' })).toBe('NAME=M\nQUIET=\n');
    expect(wanted('NAME=n\nQUIET=1\n', {}, {})).toBe('');
  });

  test('a line of somebody else’s that would hide a new value from dotenv is told instead', async () => {
    const text = "A=1\nSHARE='C:\\'\nNAME=b\n";
    expect(await told(() => wanted(text, {}, { NAME: '#' }))).toEqual([
      'E_ENV_INVALID',
      '/etc/small/.env: line 2: what stands here makes systemd and dotenv read NAME differently.',
    ]);
  });
});

describe('a diff of the env file', () => {
  const text = 'TOKEN=t\nKEY=k\nPORT=8000\nOTHER=x\nEMPTY=\n';
  const masked = (
    secrets: Secrets,
    settings: Settings | null,
    which: 'before' | 'after' = 'after',
  ): string => {
    const scope = scopeOf(null, secrets);
    if (settings !== null) scope.state.desired = { ...nothingDesired, settings };
    return maskedEnv(scope, Buffer.from(text), which);
  };
  const hidden = 'TOKEN=<hidden>\nKEY=<hidden>\nPORT=<hidden>\nOTHER=<hidden>\nEMPTY=<hidden>\n';

  test('is empty where there is none', () => {
    expect(maskedEnv(scopeOf(null, made), null, 'after')).toBe('');
  });

  test('hides every value', () => {
    expect(masked(same, null)).toBe(hidden);
  });

  test('tells where a new value comes from, and of a value before nothing', () => {
    const secrets = { TOKEN: ['t', 'rotated'], KEY: ['k', 'preserved'] } as const;
    expect(masked(secrets, null)).toBe(hidden.replace('TOKEN=<hidden>', 'TOKEN=<rotated>'));
    expect(masked(secrets, null, 'before')).toBe(hidden);
  });

  test('tells nothing of an empty value where a secret was removed', () => {
    expect(masked({ PASSWORD: ['', 'removed'] }, null)).toBe(hidden);
  });

  test('tells of a setting that it is in force, before and after', () => {
    const shown = hidden.replace('PORT=<hidden>', 'PORT=<setting in force>');
    expect(masked(same, { PORT: '8000' })).toBe(shown);
    expect(masked(same, { PORT: '8000' }, 'before')).toBe(shown);
  });
});
