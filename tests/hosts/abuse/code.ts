/** Codes that are used, expired, of something else, and what that ends. */
import type { Row } from '../support/abuse.ts';
import { localOrigin, pkce, redirectUri } from '../support/oauth.ts';
import type { Changes } from '../support/ask.ts';
import { ended, expire, invalid, wrong } from './grants.ts';

/** A code of this name, shown with changes. */
const shown =
  (code: string, changes: Changes = {}): Row[1] =>
  async (it) =>
    it.token({ ...(await it.code(code)), ...changes });
const usedUp = (code: string): Row => invalid('… which uses it up', shown(code), 'code_reuse');
const otherPort = redirectUri.replace('3000', '3001');

export const codes: readonly Row[] = [
  invalid('another redirect URI', shown('a', { redirect_uri: `${redirectUri}/` }), 'other_redirect_uri'),
  usedUp('a'),
  invalid('another port in it', shown('b', { redirect_uri: otherPort }), 'other_redirect_uri'),
  wrong('no redirect URI', shown('c', { redirect_uri: undefined })),
  usedUp('c'),
  invalid('a wrong verifier', shown('d', { code_verifier: pkce().verifier }), 'wrong_verifier'),
  usedUp('d'),
  invalid(
    'the verifier in other letters',
    async (it) => {
      const { code_verifier: verifier } = await it.code('e');
      return it.token({ ...(await it.code('e')), code_verifier: verifier.toLowerCase() });
    },
    'wrong_verifier',
  ),
  wrong('no verifier', shown('f', { code_verifier: undefined })),
  usedUp('f'),
  wrong('a verifier of 42 characters', shown('g', { code_verifier: 'canary'.repeat(7) })),
  usedUp('g'),
  wrong('a verifier of 129 characters', shown('h', { code_verifier: 'x'.repeat(129) })),
  wrong('a verifier and a line break', shown('i', { code_verifier: `${'x'.repeat(43)}\n` })),
  wrong('a resource elsewhere', shown('j', { resource: 'https://evil.example/mcp' }), 'invalid_target'),
  usedUp('j'),
  wrong('the resource and a slash', shown('k', { resource: `${localOrigin}/mcp/` }), 'invalid_target'),
  wrong('no code', shown('l', { code: undefined })),
  wrong('an empty code', shown('l', { code: '' })),
  invalid('a code that nobody got', shown('l', { code: 'canary' }), 'unknown_code'),
  invalid('a code and a NUL', shown('l', { code: 'canary\0' }), 'unknown_code'),
  [
    'a code from who is not the client',
    async (it) => it.token({ ...(await it.code('m')) }, [it.basic('canary:canary')]),
    401,
    'invalid_client',
    'unknown_client',
  ],
  invalid(
    '… which leaves it to the client; then a second time',
    async (it) => {
      await it.tokens('m');
      return it.token({ ...(await it.code('m')) });
    },
    'code_reuse',
  ),
  ended('… which ends its connection: the access token', (it) => it.tokens('m')),
  invalid('… and the refresh token', async (it) => it.refresh((await it.tokens('m')).refresh_token), 'ended'),
  invalid(
    'an expired code',
    async (it) => {
      const right = await it.code('n');
      await expire(it, 'code');
      return it.token({ ...right });
    },
    'expired_code',
  ),
  usedUp('n'),
];
