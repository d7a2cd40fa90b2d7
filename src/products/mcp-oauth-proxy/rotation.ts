/**
 * Is the running service really on the new secrets? New client credentials accepted, old ones refused, a token under the
 * old signing secret refused, the backend's bearer tried.
 *
 * A service of the user's own may answer in its own ways. So no status means anything by itself: what the service says
 * to the new value and to the old one is held against what it says to one that is certainly wrong. A failure needs
 * evidence; what cannot be proven is said, not assumed.
 */
import { createHmac, randomBytes } from 'node:crypto';
import type { Note } from '../../machines/types.ts';
import type { Rotation, RotationProof, ServiceProbe } from '../product.ts';
import { publicUrl } from './settings.ts';

type Secrets = Rotation['before'];

/** What is compared: the status, null where nothing was answered, and OAuth's error code. */
interface Answer {
  readonly status: number | null;
  readonly error: string | null;
}

/** To the new value, to the old one (null where there was none), to one that is certainly wrong. */
interface Answers {
  readonly fresh: Answer;
  readonly old: Answer | null;
  readonly wrong: Answer;
}

type Verdict = 'took effect' | 'old accepted' | 'only old accepted' | 'unproven';

const unproven = (text: string): Note => ({ code: 'rotation-unproven', level: 'warning', text });

const wrongSecret = (): string => randomBytes(32).toString('hex');

function oauthError(body: string): string | null {
  try {
    const parsed: unknown = JSON.parse(body);
    const error = typeof parsed === 'object' && parsed !== null && 'error' in parsed ? parsed.error : null;
    return typeof error === 'string' ? error : null;
  } catch {
    return null;
  }
}

async function ask(probe: ServiceProbe, request: Parameters<ServiceProbe['request']>[0]): Promise<Answer> {
  const { status, body } = await probe.request({ ...request, method: 'POST' });
  return { status, error: oauthError(body) };
}

const isSame = (one: Answer, other: Answer): boolean =>
  one.status === other.status && one.error === other.error;

/** Nobody there, or nobody who looked at what was shown: not found, too many requests, unavailable. */
const saysNothing = ({ status }: Answer): boolean => status === null || [404, 429, 503].includes(status);

const isRefusal = ({ status, error }: Answer): boolean =>
  status === 401 || status === 403 || error === 'invalid_client';

function judge({ fresh, old, wrong }: Answers): Verdict {
  if ([fresh, wrong, old ?? wrong].some(saysNothing)) return 'unproven';
  const isAccepted = (answer: Answer): boolean => !isSame(answer, wrong) && !isRefusal(answer);
  if (isAccepted(fresh)) {
    if (old === null || isSame(old, wrong) || isRefusal(old)) return 'took effect';
    return isSame(old, fresh) ? 'old accepted' : 'unproven';
  }
  return isSame(fresh, wrong) && old !== null && isAccepted(old) ? 'only old accepted' : 'unproven';
}

const show = ({ status, error }: Answer): string =>
  `${status ?? 'nothing'}${error !== null && /^[a-z_]{1,40}$/u.test(error) ? ` ${error}` : ''}`;

const describe = ({ fresh, old, wrong }: Answers): string =>
  [
    `${show(fresh)} to the new`,
    ...(old === null ? [] : [`${show(old)} to the old`]),
    `${show(wrong)} to a wrong one`,
  ].join(', ');

interface Shown {
  readonly headers: Readonly<Record<string, string>>;
  readonly form: Readonly<Record<string, string>>;
}

/** RFC 6749 section 2.3.1 knows these two ways to show client credentials; a service may take either. */
const clientMethods: Readonly<Record<string, (name: string, password: string) => Shown>> = {
  'HTTP Basic': (name, password) => {
    const pair = `${encodeURIComponent(name)}:${encodeURIComponent(password)}`;
    return { headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }, form: {} };
  },
  form: (name, password) => ({ headers: {}, form: { client_id: name, client_secret: password } }),
};

async function proveClient({ before, after }: Rotation, probe: ServiceProbe): Promise<RotationProof> {
  const hadClient = (before['CLIENT_ID'] ?? '') !== '' && (before['CLIENT_SECRET'] ?? '') !== '';
  const seen: string[] = [];
  for (const [method, credentials] of Object.entries(clientMethods)) {
    const showClient = (secrets: Secrets): Promise<Answer> => {
      const { headers, form } = credentials(secrets['CLIENT_ID'] ?? '', secrets['CLIENT_SECRET'] ?? '');
      return ask(probe, {
        path: '/token',
        headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
        // A code that nobody issued: no token is made, and right credentials are told that the grant is invalid.
        body: new URLSearchParams({ grant_type: 'authorization_code', code: 'none', ...form }).toString(),
      });
    };
    const [fresh, wrong, old] = await Promise.all([
      showClient(after),
      showClient({ ...after, CLIENT_SECRET: wrongSecret() }),
      hadClient ? showClient(before) : null,
    ]);
    const verdict = judge({ fresh, old, wrong });
    if (verdict === 'took effect') return { failed: null, notes: [] };
    if (verdict === 'old accepted')
      return { failed: 'the service still accepts the old client credentials', notes: [] };
    if (verdict === 'only old accepted')
      return { failed: 'the service accepts the old client credentials and refuses the new ones', notes: [] };
    seen.push(`${describe({ fresh, old, wrong })} (${method})`);
    if (fresh.status === null) break;
  }
  const text = `CLIENT_ID and CLIENT_SECRET: /token answers ${seen.join('; ')}: not proven to have taken effect.`;
  return { failed: null, notes: [unproven(text)] };
}

/** RFC 7519 with HS256, as the service makes them; valid for a minute. */
function accessToken(secret: string, origin: string, client: string): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: origin,
    aud: `${origin}/mcp`,
    sub: 'owner',
    client_id: client,
    scope: 'mcp',
    iat: now,
    exp: now + 60,
  };
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

async function proveTokens(
  { before, after, settings }: Rotation,
  probe: ServiceProbe,
): Promise<RotationProof> {
  const oldSecret = before['TOKEN_SECRET'] ?? '';
  const origin = publicUrl(settings);
  const showToken = (secret: string): Promise<Answer> => {
    const token = accessToken(secret, origin, after['CLIENT_ID'] ?? '');
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    return ask(probe, { path: '/mcp', headers, body: '{}' });
  };
  const [fresh, wrong, old] = await Promise.all([
    showToken(after['TOKEN_SECRET'] ?? ''),
    showToken(wrongSecret()),
    oldSecret === '' ? null : showToken(oldSecret),
  ]);
  const verdict = judge({ fresh, old, wrong });
  if (verdict === 'took effect') return { failed: null, notes: [] };
  if (verdict !== 'unproven')
    return { failed: 'the service still accepts tokens signed with the old TOKEN_SECRET', notes: [] };
  const text = `TOKEN_SECRET: /mcp answers ${describe({ fresh, old, wrong })}: not proven to have taken effect.`;
  return { failed: null, notes: [unproven(text)] };
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
