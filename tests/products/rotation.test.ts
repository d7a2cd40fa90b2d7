/** What a rotation's proof concludes from the ways in which services answer. */
import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { proveRotation } from '../../src/products/mcp-oauth-proxy/rotation.ts';
import type { RotationProof, ServiceProbe } from '../../src/products/product.ts';

type Secrets = Readonly<Record<string, string>>;
type Answer = Awaited<ReturnType<ServiceProbe['request']>>;

interface Shown {
  readonly basic: string | null;
  readonly form: string;
}

/** A service: whose values it `knows`, and what it says to others at `/token` and `/mcp`. */
interface Service {
  readonly knows: readonly Secrets[];
  readonly token?: (shown: Shown, isKnown: (pair: string | null) => boolean) => Answer;
  readonly mcp?: (isKnown: boolean) => Answer;
  readonly backend?: number | null;
}

const before: Secrets = { CLIENT_ID: 'id-1', CLIENT_SECRET: 'a+b c', TOKEN_SECRET: 'signs', MCP_TOKEN: 'm' };
const after: Secrets = {
  CLIENT_ID: 'id-2',
  CLIENT_SECRET: 'd:e%f',
  TOKEN_SECRET: 'signs too',
  MCP_TOKEN: 'n',
};

const says = (status: number, error?: unknown): Answer => ({
  status,
  body: error === undefined ? 'no JSON' : JSON.stringify({ error }),
});
const silence: Answer = { status: null, body: '' };

const bundledToken: NonNullable<Service['token']> = ({ basic, form }, isKnown) =>
  isKnown(basic ?? form) ? says(400, 'invalid_grant') : says(401, 'invalid_client');

const bundledMcp: NonNullable<Service['mcp']> = (isKnown) =>
  isKnown ? says(502, { code: -32000 }) : says(401, 'invalid_token');

const formDecoded = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '));

function probe({ knows, token = bundledToken, mcp = bundledMcp, backend = 200 }: Service): ServiceProbe {
  const isKnown = (pair: string | null): boolean =>
    knows.some((secrets) => pair === `${secrets['CLIENT_ID']}\n${secrets['CLIENT_SECRET']}`);
  const isSigned = (bearer: string): boolean => {
    const [head, claims, signature] = bearer.split('.');
    return knows.some(
      (secrets) =>
        signature ===
        createHmac('sha256', secrets['TOKEN_SECRET'] ?? '')
          .update(`${head}.${claims}`)
          .digest('base64url'),
    );
  };
  return {
    request: ({ path, method, headers = {}, body = '' }) => {
      expect(method).toBe('POST');
      const [scheme, value = ''] = (headers['authorization'] ?? '').split(' ');
      if (path === '/mcp') return Promise.resolve(mcp(isSigned(value)));
      expect(path).toBe('/token');
      const fields = new URLSearchParams(body);
      const pair = Buffer.from(value, 'base64').toString().split(':').map(formDecoded).join('\n');
      return Promise.resolve(
        token(
          {
            basic: scheme === 'Basic' ? pair : null,
            form: `${fields.get('client_id')}\n${fields.get('client_secret')}`,
          },
          isKnown,
        ),
      );
    },
    backend: () => Promise.resolve({ status: backend }),
  };
}

const prove = (service: Service, names = Object.keys(after), old = before): Promise<RotationProof> =>
  proveRotation({ names, before: old, after, settings: { BACKEND_URL: 'http://b/mcp' } }, probe(service));

const proven: RotationProof = { failed: null, notes: [] };
const failed = (why: string): RotationProof => ({ failed: why, notes: [] });
const unproven = (text: string): RotationProof => ({
  failed: null,
  notes: [{ code: 'rotation-unproven', level: 'warning', text }],
});

const client = ['CLIENT_ID', 'CLIENT_SECRET'];

describe('a rotation is proven', () => {
  test('by a service that accepts the new values, and no others', async () => {
    expect(await prove({ knows: [after] })).toEqual(proven);
  });

  test('by one that takes client credentials in the form alone', async () => {
    const token: Service['token'] = ({ form }, isKnown) =>
      isKnown(form) ? says(400, 'invalid_grant') : says(401, 'invalid_client');
    expect(await prove({ knows: [after], token })).toEqual(proven);
  });

  test('by one that refuses a wrong client with 400, and whose errors differ', async () => {
    const token: Service['token'] = ({ basic }, isKnown) =>
      says(400, isKnown(basic) ? 'unsupported_grant_type' : 'invalid_client');
    expect(await prove({ knows: [after], token })).toEqual(proven);
  });

  test('by one whose backend answers something else to each accepted request', async () => {
    for (const status of [200, 202, 400, 405, 406, 500]) {
      const mcp: Service['mcp'] = (isKnown) => (isKnown ? says(status) : says(401));
      expect(await prove({ knows: [after], mcp }, ['TOKEN_SECRET'])).toEqual(proven);
    }
  });

  test('where there was no value before', async () => {
    expect(await prove({ knows: [after] }, [...client, 'TOKEN_SECRET'], {})).toEqual(proven);
  });
});

describe('a rotation has failed', () => {
  const stillClient = failed('the service still accepts the old client credentials');
  const onlyOldClient = failed('the service accepts the old client credentials and refuses the new ones');
  const stillTokens = failed('the service still accepts tokens signed with the old TOKEN_SECRET');

  test('where the service accepts the old values beside the new ones', async () => {
    expect(await prove({ knows: [before, after] }, client)).toEqual(stillClient);
    expect(await prove({ knows: [before, after] }, ['TOKEN_SECRET'])).toEqual(stillTokens);
  });

  test('where the service accepts the old values only', async () => {
    expect(await prove({ knows: [before] }, client)).toEqual(onlyOldClient);
    expect(await prove({ knows: [before] }, ['TOKEN_SECRET'])).toEqual(stillTokens);
  });

  test('where the service has the old client and takes it in the form alone', async () => {
    const token: Service['token'] = ({ form }, isKnown) =>
      isKnown(form) ? says(400, 'invalid_grant') : says(401, 'invalid_client');
    expect(await prove({ knows: [before], token }, client)).toEqual(onlyOldClient);
    expect(await prove({ knows: [before, after], token }, client)).toEqual(stillClient);
  });

  test.each(client)('where %s alone was rotated and the old one still goes', async (name) => {
    const old = { ...after, [name]: before[name] ?? '' };
    expect(await prove({ knows: [old] }, [name], old)).toEqual(onlyOldClient);
    expect(await prove({ knows: [old, after] }, [name], old)).toEqual(stillClient);
    expect(await prove({ knows: [after] }, [name], old)).toEqual(proven);
  });
});

describe('what could not be proven is said', () => {
  const clientText = (basic: string, form: string): string =>
    `CLIENT_ID and CLIENT_SECRET: /token answers ${basic} (HTTP Basic); ${form} (form): not proven to have taken effect.`;
  const tokenText = (answers: string): string =>
    `TOKEN_SECRET: /mcp answers ${answers}: not proven to have taken effect.`;

  test('where /token judges the grant before the client', async () => {
    const alike =
      '400 invalid_request to the new, 400 invalid_request to the old, 400 invalid_request to a wrong one';
    expect(await prove({ knows: [after], token: () => says(400, 'invalid_request') }, client)).toEqual(
      unproven(clientText(alike, alike)),
    );
  });

  test('where /token refuses everybody', async () => {
    const alike =
      '401 invalid_client to the new, 401 invalid_client to the old, 401 invalid_client to a wrong one';
    expect(await prove({ knows: [] }, client)).toEqual(unproven(clientText(alike, alike)));
  });

  test('where there is no /token', async () => {
    const alike = '404 to the new, 404 to the old, 404 to a wrong one';
    expect(await prove({ knows: [after], token: () => says(404) }, client)).toEqual(
      unproven(clientText(alike, alike)),
    );
  });

  test('where /token answers nothing, which is not waited for twice', async () => {
    expect(await prove({ knows: [after], token: () => silence }, client)).toEqual(
      unproven(
        'CLIENT_ID and CLIENT_SECRET: /token answers nothing to the new, nothing to the old, nothing to a wrong one (HTTP Basic): not proven to have taken effect.',
      ),
    );
  });

  test('where /token has had too many requests', async () => {
    let left = 1;
    const token: Service['token'] = ({ basic }, isKnown) =>
      left-- > 0 && isKnown(basic) ? says(400, 'invalid_grant') : says(429);
    expect((await prove({ knows: [before, after], token }, client)).failed).toBeNull();
  });

  test('where /mcp answers every token alike', async () => {
    for (const status of [200, 400, 401, 405]) {
      const alike = `${status} to the new, ${status} to the old, ${status} to a wrong one`;
      expect(await prove({ knows: [after], mcp: () => says(status) }, ['TOKEN_SECRET'])).toEqual(
        unproven(tokenText(alike)),
      );
    }
  });

  test.each([
    ['404', says(404)],
    ['nothing', silence],
  ])('where /mcp refuses other tokens and answers %s to the new one', async (words, answer) => {
    const mcp: Service['mcp'] = (isKnown) => (isKnown ? answer : says(401));
    expect(await prove({ knows: [after], mcp }, ['TOKEN_SECRET'])).toEqual(
      unproven(tokenText(`${words} to the new, 401 to the old, 401 to a wrong one`)),
    );
  });

  test('without repeating what a service puts into its errors', async () => {
    const mcp: Service['mcp'] = () => says(400, 'you sent Bearer abc');
    expect(await prove({ knows: [after], mcp }, ['TOKEN_SECRET'])).toEqual(
      unproven(tokenText('400 to the new, 400 to the old, 400 to a wrong one')),
    );
  });

  test('where the backend cannot be asked, or refuses the new MCP_TOKEN', async () => {
    expect(await prove({ knows: [after], backend: null }, ['MCP_TOKEN'])).toEqual(
      unproven('MCP_TOKEN: http://b/mcp does not answer, so it could not be tried.'),
    );
    expect(await prove({ knows: [after], backend: 403 }, ['MCP_TOKEN'])).toEqual({
      failed: null,
      notes: [
        {
          code: 'backend-refuses-token',
          level: 'warning',
          text: 'http://b/mcp refuses the new MCP_TOKEN (403): give it the new value.',
        },
      ],
    });
  });
});
