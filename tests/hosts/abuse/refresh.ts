/** Refresh tokens that are none, over, or were used before, and what that ends. */
import type { Row } from '../support/abuse.ts';
import { ageRefreshTokens, localOrigin, type Tokens } from '../support/oauth.ts';
import type { Changes } from '../support/ask.ts';
import type { Target } from '../support/target.ts';
import { ended, expire, invalid, wrong } from './grants.ts';

const first = (it: Target): Promise<Tokens> => it.tokens('first');
const next = (it: Target, name: string, of: (it: Target) => Promise<Tokens>): Promise<Tokens> =>
  it.keep(name, async () =>
    it.exchange({ grant_type: 'refresh_token', refresh_token: (await of(it)).refresh_token }),
  );
const second = (it: Target): Promise<Tokens> => next(it, 'second', first);
const third = (it: Target): Promise<Tokens> => next(it, 'third', second);

const refreshed =
  (of: (it: Target) => Promise<Tokens>, changes: Changes = {}): Row[1] =>
  async (it) =>
    it.refresh((await of(it)).refresh_token, changes);
const strange = (name: string, make: (it: Target) => Promise<string> | string): Row =>
  invalid(name, async (it) => it.refresh(await make(it)), 'unknown_refresh_token');

export const refreshTokens: readonly Row[] = [
  wrong('none', (it) => it.token({ grant_type: 'refresh_token' })),
  wrong('an empty one', (it) => it.refresh('')),
  strange('one that nobody got', () => 'canary'),
  strange('one and a NUL', async (it) => `${(await first(it)).refresh_token}\0`),
  strange('an access token', async (it) => (await first(it)).access_token),
  strange('a code', async (it) => (await it.code('l')).code),
  invalid(
    'one as a code',
    async (it) => it.token({ ...(await it.code('l')), code: (await first(it)).refresh_token }),
    'unknown_code',
  ),
  wrong('one for another scope', refreshed(first, { scope: 'canary' }), 'invalid_scope'),
  wrong('one for another resource', refreshed(first, { resource: localOrigin }), 'invalid_target'),
  [
    'one from who is not the client',
    async (it) => it.refresh((await first(it)).refresh_token, { client_id: 'canary' }, []),
    401,
    'invalid_client',
    'unknown_client',
  ],
  invalid(
    'one after that which it brought was used',
    async (it) => {
      await second(it);
      // Else it could be one that was overtaken on its way.
      await ageRefreshTokens(it.host, 31);
      await third(it);
      return it.refresh((await first(it)).refresh_token);
    },
    'refresh_reuse',
  ),
  invalid('… which ends the connection: the one before', refreshed(second), 'ended'),
  invalid('… the newest', refreshed(third), 'ended'),
  ended('… the first access token', first),
  ended('… and the newest', third),
  invalid(
    'an expired one',
    async (it) => {
      const { refresh_token: token } = await it.tokens('old');
      await expire(it, 'refresh');
      return it.refresh(token);
    },
    'expired',
  ),
];
