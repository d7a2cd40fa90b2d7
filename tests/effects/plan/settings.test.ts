/** Which settings are in force: what is given comes before what is remembered, and that before the default. */
import { describe, expect, test } from 'vitest';
import { createMemoryHost } from '../../../src/effects/host/memory.ts';
import { parsedEnv } from '../../../src/effects/env-parsed.ts';
import { changeNotes, settingsInForce } from '../../../src/effects/plan/settings.ts';
import type { Scope } from '../../../src/effects/scope.ts';
import { defaultRequest } from '../../../src/machines/request.ts';
import type { Answers, Note, Request } from '../../../src/machines/types.ts';
import { emptyMemory } from '../../../src/memory.ts';
import { createMcpOauthProxy, mcpOauthProxy } from '../../../src/products/mcp-oauth-proxy/index.ts';
import type { Product, Settings } from '../../../src/products/product.ts';
import { emptyScope } from '../../support/scope.ts';
import { smallProduct } from '../../support/small-product.ts';
import { told } from '../../support/told.ts';

function scopeOf(
  env: string | null,
  product: Product = smallProduct(),
  installer: string | null = null,
): Scope {
  const scope = emptyScope({
    host: createMemoryHost(),
    product,
    memory: () => ({ ...emptyMemory, installer }),
  });
  if (env !== null) {
    const bytes = Buffer.from(env);
    const identity = { type: 'file', hash: null, mode: 0o600, uid: 0, gid: 0 } as const;
    scope.state.env = { bytes, identity, file: parsedEnv(product, bytes) };
  }
  return scope;
}

const inForce = (
  scope: Scope,
  request: Partial<Request> = {},
  answers: Settings = {},
): Readonly<Record<string, string>> => {
  const said: Answers = { answered: [], settings: answers, edits: null };
  return settingsInForce(scope, { ...defaultRequest('small'), ...request }, said);
};

describe('a setting in force is', () => {
  test('its default where nobody said anything, and left out where it has none', () => {
    expect(inForce(scopeOf(null))).toEqual({ PORT: '8000' });
    expect(inForce(scopeOf('OTHER=x\n'))).toEqual({ PORT: '8000' });
  });

  test('what is remembered, in canonical spelling; an empty line remembers nothing', () => {
    expect(inForce(scopeOf('PORT=9000\nNAME=me\n'))).toEqual({ PORT: '9000', NAME: 'ME' });
    expect(inForce(scopeOf('PORT=\nNAME=\n'))).toEqual({ PORT: '8000' });
  });

  test('what is given for this run, and what was answered before all', () => {
    const scope = scopeOf('PORT=9000\nNAME=me\n');
    expect(inForce(scope, { settings: { PORT: '9001' } })).toEqual({ PORT: '9001', NAME: 'ME' });
    expect(inForce(scope, { settings: { PORT: '9001', NAME: 'you' } }, { PORT: '9002' })).toEqual({
      PORT: '9002',
      NAME: 'YOU',
    });
  });

  test('forgotten where that is asked for, and the default again', () => {
    const scope = scopeOf('PORT=9000\nNAME=me\n');
    expect(inForce(scope, { unset: ['PORT', 'NAME'] })).toEqual({ PORT: '8000' });
    expect(inForce(scope, { unset: ['NAME'] })).toEqual({ PORT: '9000' });
  });

  test('none where it is a flag that is given as off', () => {
    expect(inForce(scopeOf('QUIET=1\n'), { settings: { QUIET: '' } })).toEqual({ PORT: '8000' });
    expect(inForce(scopeOf('QUIET=1\n'))).toEqual({ PORT: '8000', QUIET: '1' });
  });

  test('refused where what is remembered is invalid, unless another one is given', async () => {
    const scope = scopeOf("NAME='a b'\n");
    expect(await told(() => inForce(scope))).toEqual([
      'E_SETTING_INVALID',
      'The remembered setting NAME in /etc/small/.env is invalid: no blanks.',
    ]);
    expect(inForce(scope, { settings: { NAME: 'c' } })).toEqual({ PORT: '8000', NAME: 'C' });
  });

  test('of an instance a port that is free, where none is given or remembered', () => {
    const instance = createMcpOauthProxy('b');
    expect(inForce(scopeOf(null, instance))['LISTEN_PORT']).toBe('8085');
    expect(inForce(scopeOf('LISTEN_PORT=9000\n', instance))['LISTEN_PORT']).toBe('9000');
    const plain = inForce(scopeOf(null, mcpOauthProxy));
    expect(plain['LISTEN_PORT']).toBe('8083');
    // Only the port's.
    expect(inForce(scopeOf(null, instance))).toEqual({ ...plain, LISTEN_PORT: '8085' });
  });
});

describe('that settings change', () => {
  const product = smallProduct({
    settingsChanged: (before, after): readonly Note[] => [
      { code: 'changed', level: 'info', text: JSON.stringify([before, after]) },
    ],
  });
  const notes = (scope: Scope, before: Settings): unknown => {
    scope.state.settingsBefore = before;
    scope.state.settings = { PORT: '9001' };
    return changeNotes(scope).map(({ text }) => JSON.parse(text) as unknown);
  };

  test('is told from what was in force before, in canonical spelling', () => {
    expect(notes(scopeOf('NAME=me\n', product), { NAME: 'me', PORT: '9000' })).toEqual([
      [{ PORT: '9000', NAME: 'ME' }, { PORT: '9001' }],
    ]);
    expect(notes(scopeOf('NAME=me\n', product), { NAME: 'a b' })).toEqual([
      [{ PORT: '8000', NAME: 'a b' }, { PORT: '9001' }],
    ]);
  });

  test('is told where the journal knows the host, though no setting is remembered', () => {
    expect(notes(scopeOf('', product, '1.0.0'), {})).toEqual([[{ PORT: '8000' }, { PORT: '9001' }]]);
  });

  test('is nothing that could be told of a host that nobody knows, or that has no env file', () => {
    expect(notes(scopeOf('', product), {})).toEqual([]);
    expect(notes(scopeOf(null, product, '1.0.0'), { PORT: '9000' })).toEqual([]);
  });
});
