/** What a file is, for the journal and for plans: type, mode, owner and a hash of its bytes. */
import { createHash } from 'node:crypto';
import type { FileIdentity } from '../facts.ts';
import type { HostReads } from './host/port.ts';

export const sha256 = (bytes: Uint8Array | string): string =>
  createHash('sha256').update(bytes).digest('hex');

export interface Found {
  readonly identity: FileIdentity;
  /** Bytes of a regular file. */
  readonly bytes: Uint8Array | null;
}

/**
 * What stands at a managed path; null where nothing does. `other` things (devices, FIFOs) are told as files without
 * a hash: they never equal what is wanted, and writing over them is refused by the host.
 */
export function lookAt(host: Pick<HostReads, 'lstat' | 'readFile' | 'readLink'>, path: string): Found | null {
  const status = host.lstat(path);
  if (status === null) return null;
  const { mode, uid, gid } = status;
  if (status.type === 'directory') {
    return { identity: { type: 'directory', hash: null, mode, uid, gid }, bytes: null };
  }
  if (status.type === 'link') {
    return { identity: { type: 'link', hash: host.readLink(path), mode, uid, gid }, bytes: null };
  }
  const bytes = status.type === 'file' ? host.readFile(path) : null;
  return {
    identity: { type: 'file', hash: bytes === null ? null : sha256(bytes), mode, uid, gid },
    bytes,
  };
}
