/**
 * Is the running service really on the new secrets? New client credentials accepted, old ones refused, a token under the
 * old signing secret refused, the backend's bearer tried. What cannot be proven is said, not assumed.
 */
import { createHmac } from 'node:crypto';
import type { Note } from '../../machines/types.ts';
import type { Rotation, RotationProof, ServiceProbe } from '../product.ts';
import { publicUrl } from './settings.ts';

const unproven = (text: string): Note => ({ code: 'rotation-unproven', level: 'warning', text });

/** A code that nobody issued: with right credentials the answer is 400 `invalid_grant`, with wrong ones 401. */
function tryClient(probe: ServiceProbe, secrets: Rotation['before']): ReturnType<ServiceProbe['request']> {
  const name = encodeURIComponent(secrets['CLIENT_ID'] ?? '');
  const password = encodeURIComponent(secrets['CLIENT_SECRET'] ?? '');
  return probe.request({
    path: '/token',
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: 'grant_type=authorization_code&code=none',
  });
}

const isJudged = (status: number | null): boolean => status === 400 || status === 401;

async function proveClient({ before, after }: Rotation, probe: ServiceProbe): Promise<RotationProof> {
  const accepted = await tryClient(probe, after);
  if (!isJudged(accepted.status)) {
    return {
      failed: null,
      notes: [unproven(`CLIENT_ID and CLIENT_SECRET: /token answered ${accepted.status ?? 'nothing'}.`)],
    };
  }
  if (accepted.status === 401) return { failed: 'the service refuses the new client credentials', notes: [] };
  // A secret that was missing before has no old value that could still be accepted.
  if ((before['CLIENT_ID'] ?? '') === '' || (before['CLIENT_SECRET'] ?? '') === '')
    return { failed: null, notes: [] };
  const refused = await tryClient(probe, before);
  return {
    failed: refused.status === 401 ? null : 'the service still accepts the old client credentials',
    notes: [],
  };
}

/** RFC 7519 with HS256, as the service makes them; valid for a minute. */
function accessToken(secret: string, origin: string, client: string): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: origin, aud: `${origin}/mcp`, sub: client, iat: now, exp: now + 60 };
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

async function proveTokens(
  { before, after, settings }: Rotation,
  probe: ServiceProbe,
): Promise<RotationProof> {
  const old = before['TOKEN_SECRET'] ?? '';
  if (old === '') return { failed: null, notes: [] };
  const origin = publicUrl(settings);
  const client = after['CLIENT_ID'] ?? '';
  const present = (secret: string): ReturnType<ServiceProbe['request']> =>
    probe.request({
      path: '/mcp',
      method: 'POST',
      headers: {
        authorization: `Bearer ${accessToken(secret, origin, client)}`,
        'content-type': 'application/json',
      },
      body: '{}',
    });
  const refused = await present(old);
  if (refused.status !== 401) {
    return refused.status === null || refused.status === 404
      ? { failed: null, notes: [unproven(`TOKEN_SECRET: /mcp answered ${refused.status ?? 'nothing'}.`)] }
      : { failed: 'the service still accepts tokens signed with the old TOKEN_SECRET', notes: [] };
  }
  // A service that refuses every token has proven nothing.
  const accepted = await present(after['TOKEN_SECRET'] ?? '');
  const notes =
    accepted.status === 401
      ? [unproven('TOKEN_SECRET: the service refuses tokens under the new one too.')]
      : [];
  return { failed: null, notes };
}

async function tryBackend({ after, settings }: Rotation, probe: ServiceProbe): Promise<readonly Note[]> {
  const { status } = await probe.backend({ authorization: `Bearer ${after['MCP_TOKEN'] ?? ''}` });
  const backend = settings['BACKEND_URL'] ?? 'the backend';
  if (status === null) return [unproven(`MCP_TOKEN: ${backend} does not answer, so it could not be tried.`)];
  if (status !== 401 && status !== 403) return [];
  return [
    {
      code: 'backend-refuses-token',
      level: 'warning',
      text: `${backend} refuses the new MCP_TOKEN (${status}): give it the new value.`,
    },
  ];
}

/** @returns the first thing that did not take effect, and what could not be proven */
export async function proveRotation(rotation: Rotation, probe: ServiceProbe): Promise<RotationProof> {
  const has = (...names: string[]): boolean => names.some((name) => rotation.names.includes(name));
  const notes: Note[] = [];
  for (const [concerned, prove] of [
    [has('CLIENT_ID', 'CLIENT_SECRET'), proveClient],
    [has('TOKEN_SECRET'), proveTokens],
  ] as const) {
    if (!concerned) continue;
    const proof = await prove(rotation, probe);
    if (proof.failed !== null) return proof;
    notes.push(...proof.notes);
  }
  if (has('MCP_TOKEN')) notes.push(...(await tryBackend(rotation, probe)));
  return { failed: null, notes };
}
