/** What a product may look at while it says what should be. */
import { InstallerError } from '../errors.ts';
import type { HostView, WebProbe } from '../products/product.ts';
import type { Scope } from './scope.ts';
import { fileAt, foreignBytes } from './web.ts';

export function viewOf(scope: Scope): HostView {
  const { host } = scope;
  const interfaces = host.readSystem('/proc/net/if_inet6');
  return {
    fileAt: (path) => fileAt(host, path),
    exists: (path) => host.lstat(path) !== null,
    readText: (path) => {
      const bytes = host.readFile(path);
      return bytes === null ? null : Buffer.from(bytes).toString('utf8');
    },
    foreignText: (path) => {
      const bytes = foreignBytes(host, path);
      return bytes === null ? null : Buffer.from(bytes).toString('utf8');
    },
    list: (path) => {
      try {
        return host.list(path);
      } catch {
        return null;
      }
    },
    ipv6: interfaces !== null && interfaces.length > 0,
  };
}

/** How nginx is asked by what stands on disk; null where none of our sites does, or where that cannot be told. */
export function webOnDisk(scope: Scope): WebProbe | null {
  const { product, state } = scope;
  try {
    return product.webOnDisk(state.settings, viewOf(scope));
  } catch (error) {
    if (error instanceof InstallerError) return null;
    throw error;
  }
}
