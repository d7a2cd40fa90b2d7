/** Rows and steps that codes and refresh tokens have in common. */
import type { Row } from '../support/abuse.ts';
import { expectExit } from '../support/observe.ts';
import type { Tokens } from '../support/oauth.ts';
import { bearer, mcp } from '../support/ask.ts';
import type { Target } from '../support/target.ts';

export const invalid = (name: string, request: Row[1], reason: string): Row => [
  name,
  request,
  400,
  'invalid_grant',
  reason,
];
export const wrong = (name: string, request: Row[1], error = 'invalid_request'): Row => [
  name,
  request,
  400,
  error,
  error,
];
export const ended = (name: string, of: (it: Target) => Promise<Tokens>): Row => [
  name,
  async (it) => mcp([bearer((await of(it)).access_token)]),
  401,
  'invalid_token',
  'ended',
];

/** What was made last has just expired. */
export async function expire(it: Target, table: string): Promise<void> {
  const words = `import sqlite3
db = sqlite3.connect("/var/lib/private/mcp-oauth-proxy/state.db")
db.execute("UPDATE ${table} SET expires = strftime('%s') WHERE rowid = (SELECT max(rowid) FROM ${table})")
db.commit()`;
  expectExit(await it.host.run(['python3', '-c', words]), 0);
}
