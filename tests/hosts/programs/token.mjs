/** An access token as the service makes them; the secrets are in the .env. Run as a program, it prints one. */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const origin = 'http://127.0.0.1:8084';

export function signToken() {
  const env = readFileSync('/etc/mcp-oauth-proxy/.env', 'utf8');
  const value = (name) => new RegExp(`^${name}=(.*)$`, 'mu').exec(env)?.[1] ?? '';
  const now = Math.floor(Date.now() / 1000);
  const own = {
    iss: origin,
    aud: `${origin}/mcp`,
    sub: 'owner',
    client_id: value('CLIENT_ID'),
    scope: 'mcp',
  };
  const text = [
    { alg: 'HS256', typ: 'at+jwt' },
    { ...own, iat: now, exp: now + 3600 },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${text}.${createHmac('sha256', value('TOKEN_SECRET')).update(text).digest('base64url')}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(signToken());
