/**
 * Keyed fingerprints of secrets: tell equal from changed on this host, and nothing else. The key never leaves it, so a
 * published journal gives nobody anything to try guesses against.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { existsSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { readRegularFile, syncDirectory, writeNewFile } from './files.ts';

const keyName = 'fingerprint.key';
const keyBytes = 32;

export interface Fingerprints {
  /** First 12 hex digits of an HMAC-SHA-256. */
  of(value: string): string;
  /** Keeps the key, where it is not kept yet. E_JOURNAL. */
  keep(home: string): void;
  /** Removes the key, where one is kept; durable when this returns. */
  forget(home: string): void;
}

function readKey(home: string): Buffer | null {
  const file = path.join(home, keyName);
  try {
    // Decoding ends at the line end, as at everything that is no digit.
    const key = Buffer.from(readRegularFile(file).toString('utf8'), 'hex');
    return key.length === keyBytes ? key : null;
  } catch {
    // Missing or unreadable: fingerprints then compare within this run only.
    return null;
  }
}

export function openFingerprints(home: string | null): Fingerprints {
  const kept = home === null ? null : readKey(home);
  const key = kept ?? randomBytes(keyBytes);
  return {
    of: (value) => createHmac('sha256', key).update(value).digest('hex').slice(0, 12),
    keep: (directory) => {
      if (readKey(directory) === null)
        writeNewFile(directory, keyName, Buffer.from(`${key.toString('hex')}\n`));
    },
    forget: (directory) => {
      const file = path.join(directory, keyName);
      if (!existsSync(file)) return;
      unlinkSync(file);
      syncDirectory(directory);
    },
  };
}
