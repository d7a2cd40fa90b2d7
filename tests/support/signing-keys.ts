/** OpenPGP keys of a test's own: one that a release is signed with, and somebody else's. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ensurePackages } from './debian-packages.ts';

export const trusted = 'release@mcp-installer.invalid';
export const stranger = 'stranger@mcp-installer.invalid';

export interface SigningKeys extends Disposable {
  /** GnuPG's home directory. */
  readonly home: string;
  /** The trusted one's public key, as a file. */
  readonly publicKey: string;
  /** A detached signature. */
  sign(name: string, file: string): string;
}

export function makeSigningKeys(): SigningKeys {
  ensurePackages('gpg', 'gpg-agent');
  const home = mkdtempSync(path.join(tmpdir(), 'mcp-installer-keys-'));
  const gpg = (...args: readonly string[]): string =>
    execFileSync(
      'gpg',
      ['--homedir', home, '--batch', '--pinentry-mode', 'loopback', '--passphrase', '', ...args],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    );
  for (const name of [trusted, stranger]) gpg('--quick-generate-key', name, 'ed25519', 'sign', 'never');
  const publicKey = path.join(home, 'trusted.gpg');
  gpg('--output', publicKey, '--export', trusted);
  return {
    home,
    publicKey,
    sign: (name, file) => gpg('--local-user', name, '--armor', '--output', '-', '--detach-sign', file),
    [Symbol.dispose]() {
      execFileSync('gpgconf', ['--homedir', home, '--kill', 'all']);
      rmSync(home, { recursive: true, force: true });
    },
  };
}
