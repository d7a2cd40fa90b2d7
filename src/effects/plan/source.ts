/** Which code is installed: the bundled one, that of --source, or what an earlier --source left. */
import { InstallerError } from '../../errors.ts';
import type { Note, Request } from '../../machines/types.ts';
import { lookAt } from '../identity.ts';
import type { Scope } from '../scope.ts';

export interface Source {
  readonly origin: 'bundled' | 'file';
  readonly code: Uint8Array;
  readonly notes: readonly Note[];
}

/**
 * Is the installed code the user's own? What is on disk decides; where a person edited or removed it, what was last
 * written there does.
 */
function isSupplied(scope: Scope, hash: string): boolean {
  const { sourcesSupplied, baselines } = scope.memory();
  const known = baselines[scope.product.codeFile] ?? [];
  const written = known.includes(hash) || sourcesSupplied.includes(hash) ? hash : known.at(-1);
  return written !== undefined && sourcesSupplied.includes(written);
}

/** @throws InstallerError E_SOURCE_LOST where the file of an earlier --source is gone */
export function chooseSource(scope: Scope, request: Request): Source {
  const { product, host } = scope;
  const bundled: Source = { origin: 'bundled', code: product.bundledCode, notes: [] };
  if (request.source === 'file' && scope.source !== null)
    return { origin: 'file', code: scope.source, notes: [] };
  if (request.source === 'bundled') return bundled;
  const found = lookAt(host, product.codeFile);
  // What is no file at all is refused where files are decided about.
  if (found !== null && found.bytes === null) return bundled;
  const code = found?.bytes ?? null;
  if (!isSupplied(scope, found?.identity.hash ?? '')) return bundled;
  if (code === null) throw new InstallerError('E_SOURCE_LOST', { path: product.codeFile });
  const text = `${product.codeFile} came from --source and is kept; --source bundled goes back.`;
  return { origin: 'file', code, notes: [{ code: 'source-kept', level: 'info', text }] };
}
