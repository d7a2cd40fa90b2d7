/** The closing words: what to type where, and whom to tell what; as many lines as are of use, and nothing secret. */
import { describe, expect, test } from 'vitest';
import type { Mode, SecretReport } from '../../src/machines/types.ts';
import { mcpOauthProxy } from '../../src/products/mcp-oauth-proxy/index.ts';

type Origin = SecretReport['origin'];

const settings = { DOMAIN: 'mcp.example.org', BACKEND_URL: 'https://backend.example.org/mcp' };
const always = ['MCP_TOKEN', 'CLIENT_ID', 'CLIENT_SECRET', 'TOKEN_SECRET'];

/** Every secret that is always there is preserved unless something else is said. */
const linesOf = (mode: Mode, origins: Readonly<Record<string, Origin>>): string => {
  const all = { ...Object.fromEntries(always.map((name) => [name, 'preserved' as const])), ...origins };
  const secrets = Object.entries(all).map(([name, origin]) => ({ name, origin, fingerprint: '0' }));
  return mcpOauthProxy.nextSteps({ mode, settings, secrets }).join('\n');
};

const generated = Object.fromEntries(always.map((name) => [name, 'generated' as const]));
const rotated = (...names: readonly string[]): Readonly<Record<string, Origin>> =>
  Object.fromEntries(names.map((name) => [name, 'rotated' as const]));

describe('after an installation', () => {
  test('what to type into the client, and that nobody is asked for a password', () => {
    expect(linesOf('fresh', generated)).toMatchInlineSnapshot(`
      "In Claude: Settings, Connectors, Add custom connector; URL https://mcp.example.org/mcp; under Advanced settings type
      CLIENT_ID and CLIENT_SECRET as they stand in /etc/mcp-oauth-proxy/.env (the one place to read a secret).
      The MCP server at https://backend.example.org/mcp is shown MCP_TOKEN of the same file as its bearer.
      No OWNER_PASSWORD is set: anyone who can press Connect on a client with these credentials gets in. To have a password
      asked for then, run this again with --owner-password-file FILE."
    `);
  });

  test('with a password that it is asked for, and no word of who gets in without', () => {
    expect(linesOf('fresh', { ...generated, OWNER_PASSWORD: 'supplied' })).toMatchInlineSnapshot(`
      "In Claude: Settings, Connectors, Add custom connector; URL https://mcp.example.org/mcp; under Advanced settings type
      CLIENT_ID and CLIENT_SECRET as they stand in /etc/mcp-oauth-proxy/.env (the one place to read a secret).
      The MCP server at https://backend.example.org/mcp is shown MCP_TOKEN of the same file as its bearer.
      Who presses Connect is asked for OWNER_PASSWORD of the same file."
    `);
    expect(linesOf('existing', { OWNER_PASSWORD: 'preserved' })).not.toContain('anyone');
  });

  test('that took the password away, who gets in now', () => {
    expect(linesOf('existing', { OWNER_PASSWORD: 'removed' })).toContain('anyone who can press Connect');
  });
});

describe('after a rotation of', () => {
  test.each([
    ['everything', always],
    ['CLIENT_ID', ['CLIENT_ID']],
  ])('%s every client gets new credentials', (_, names) => {
    const lines = linesOf('forceRotate', rotated(...names));
    expect(lines).toContain(
      `Every client needs the new ${names.filter((name) => name.startsWith('CLIENT')).join(' and ')} from`,
    );
    expect(lines).toContain('https://mcp.example.org/mcp');
    expect(lines).toContain('anyone who can press Connect');
    expect(lines.includes('https://backend.example.org/mcp')).toBe(names.includes('MCP_TOKEN'));
    expect(lines).not.toContain('TOKEN_SECRET');
  });

  test('MCP_TOKEN alone it is who runs the backend, and nobody else', () => {
    expect(linesOf('forceRotate', rotated('MCP_TOKEN'))).toMatchInlineSnapshot(`
      "Who runs the MCP server at https://backend.example.org/mcp needs the new MCP_TOKEN from /etc/mcp-oauth-proxy/.env:
      until it knows that one, it refuses what the proxy passes on."
    `);
  });

  test('TOKEN_SECRET alone every client connects again, and nobody types anything', () => {
    expect(linesOf('forceRotate', rotated('TOKEN_SECRET'))).toMatchInlineSnapshot(
      `"Every client has to connect again: what it has was signed with the old TOKEN_SECRET."`,
    );
  });

  test('OWNER_PASSWORD alone it is who connects', () => {
    expect(linesOf('forceRotate', { OWNER_PASSWORD: 'supplied' })).toMatchInlineSnapshot(
      `"Who presses Connect is asked for the new OWNER_PASSWORD; clients that are connected stay so."`,
    );
  });

  test('something else, with the password taken away, who gets in now', () => {
    const lines = linesOf('forceRotate', { ...rotated('MCP_TOKEN'), OWNER_PASSWORD: 'removed' });
    expect(lines).toContain('anyone who can press Connect');
    expect(lines).not.toContain('the new OWNER_PASSWORD');
  });

  test('nothing, since all that was named is supplied, nobody has to be told', () => {
    expect(linesOf('forceRotate', {})).toBe('');
  });
});
