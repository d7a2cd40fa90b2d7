/** No secret value in any output, journal or error, in any encoding. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { canaries, canaryComment } from '../support/canaries.ts';
import { run, temporaryRoot } from '../support/installer.ts';

const supplied = 'supplied-bearer-0123456789~+/';
const passwords = ['owners-first-password!?', 'owners-second-password:,'];

/** A hash that anybody can make of a guess, and so find out the value: whole, or as much of it as a fingerprint shows. */
const unkeyed = (value: string): string[] =>
  ['md5', 'sha1', 'sha256', 'sha512', 'sha3-256', 'blake2b512'].flatMap((algorithm) =>
    [value, `${value}\n`].flatMap((text) => {
      const digest = createHash(algorithm).update(text).digest();
      return [digest.toString('hex').slice(0, 12), digest.toString('base64').slice(0, 12)];
    }),
  );

/** As it is, in base64 (any alignment), in hex and escaped for a URL. */
function encodings(value: string): string[] {
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.from(`${'x'.repeat(shift)}${value}`)
      .toString('base64')
      .slice(4, -4),
  );
  return [value, ...base64, Buffer.from(value).toString('hex'), encodeURIComponent(value)];
}

test('through install, rotation, dry run, healing, refusal and failure (security 11, 12)', async () => {
  using root = temporaryRoot();
  const etc = path.join(root.path, 'etc/mcp-oauth-proxy');
  mkdirSync(etc, { recursive: true, mode: 0o700 });
  const env = path.join(etc, '.env');
  const text = Object.entries(canaries)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
  const token = path.join(root.path, 'token');
  writeFileSync(token, supplied);
  const told: string[] = [];
  const tell = async (...args: string[]): Promise<void> => {
    const { stdout, stderr } = await run([...args, '--root', root.path]);
    told.push(stdout, stderr);
  };
  const reset = (more = ''): void =>
    writeFileSync(env, `# ${canaryComment}\n${text}${more}`, { mode: 0o600 });

  reset();
  await tell('--verbose');
  await tell('--json', '--verbose');
  await tell('--dry-run', '--domain', 'mcp.example.org', '--verbose');
  await tell('--dry-run', '--json', '--port', '9000');
  await tell('status');
  await tell('--mcp-token-file', token);
  await tell('--force-rotate-tokens', 'MCP_TOKEN', '--mcp-token-file', token, '--verbose', '--json');
  reset();
  await tell('--force-rotate-tokens', '--verbose');
  reset('A=b\\\n');
  await tell('--verbose');
  reset(`MCP_TOKEN=${'d'.repeat(64)}\n`);
  await tell('--json');
  reset(`export CLIENT_ID=${canaries.CLIENT_ID}\n`);
  await tell('--verbose', '--json');
  reset(`LISTEN_PORT=${canaries.CLIENT_SECRET}\n`.replace(canaries.CLIENT_SECRET, 'x'));
  await tell('--verbose');
  reset();
  for (const password of passwords) {
    writeFileSync(token, password);
    await tell('--owner-password-file', token, '--verbose');
    await tell('--force-rotate-tokens', 'OWNER_PASSWORD', '--owner-password-file', token, '--json');
    await tell('--force-rotate-tokens', 'CLIENT_ID', '--verbose');
  }
  await tell('--unset', 'OWNER_PASSWORD', '--dry-run', '--verbose');
  await tell('--unset', 'OWNER_PASSWORD', '--verbose', '--json');
  await tell('show', 'last', '--json');
  await tell('history');

  const journal = execFileSync(
    'find',
    [`${root.path}/var/lib/mcp-installer`, '-type', 'f', '-exec', 'cat', '{}', '+'],
    { encoding: 'latin1' },
  );
  const everything = [...told, journal].join('\n');
  expect(everything.length).toBeGreaterThan(10_000);
  for (const value of [...Object.values(canaries), canaryComment, supplied, ...passwords]) {
    for (const encoded of [...encodings(value), ...unkeyed(value)])
      expect(everything.includes(encoded), `${value} as ${encoded}`).toBe(false);
  }
});
