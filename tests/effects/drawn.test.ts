/** What secrets are made of: bytes of the operating system's generator, as many as it says, and never the same twice. */
import { describe, expect, test, vi } from 'vitest';
import { createMemoryHost } from '../../src/effects/host/memory.ts';
import { secrets } from '../../src/effects/secrets.ts';
import { install } from '../../src/install.ts';
import type { Request } from '../../src/machines/types.ts';
import { mcpOauthProxy } from '../../src/products/mcp-oauth-proxy/index.ts';
import { emptyScope } from '../support/scope.ts';
import { files } from '../support/host-tree.ts';

const drawn = vi.hoisted((): string[] => []);

vi.mock('node:crypto', async (original) => {
  const real = await original<typeof import('node:crypto')>();
  return {
    ...real,
    randomBytes: (count: number) => {
      const bytes = real.randomBytes(count);
      drawn.push(bytes.toString('hex'));
      return bytes;
    },
  };
});

/** Bytes of each; the id is no secret by itself, but drawn like one. */
const sizes = { MCP_TOKEN: 32, CLIENT_ID: 16, CLIENT_SECRET: 32, TOKEN_SECRET: 32 };

describe('a secret that is generated (security 24)', () => {
  test('is 256 bits as the operating system’s generator gave them', async () => {
    const host = createMemoryHost();
    const { output } = await install({ host });
    expect(output.error).toBeNull();
    const text = Buffer.from(host.readFile(files.env) ?? []).toString();
    const made = [...text.matchAll(/^([A-Z_]+(?:TOKEN|ID|SECRET))=([0-9a-f]+)$/gmu)].map(
      ([, name = '', value = '']) => [name, value] as const,
    );
    expect(Object.fromEntries(made.map(([name, value]) => [name, value.length / 2]))).toEqual(sizes);
    for (const [, value] of made) expect(drawn).toContain(value);
  });

  test('is never the one that was drawn before, in 10,000 draws', async () => {
    const { randomBytes } = await import('node:crypto');
    const scope = emptyScope({ host: createMemoryHost(), product: mcpOauthProxy, randomBytes });
    const request = { rotate: 'none', unset: [] as readonly string[] } as Request;
    const values = new Set<string>();
    for (let nth = 0; nth < 10_000; nth += 1) {
      secrets(scope, request, 'fresh');
      for (const value of scope.state.after.values()) if (value !== '') values.add(value);
    }
    expect(values.size).toBe(10_000 * Object.keys(sizes).length);
  });
});
