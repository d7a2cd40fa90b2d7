/** Which code is installed: the bundled one, that of --source, or what an earlier --source left. */
import { InstallerError } from '../../errors.ts';
import type { Note, Request } from '../../machines/types.ts';
import { lookAt, sha256 } from '../identity.ts';
import type { Scope } from '../scope.ts';

export interface Source {
  readonly origin: 'bundled' | 'file';
  readonly code: Uint8Array;
  readonly notes: readonly Note[];
}

/**
 * Hash of the bundled code that code of the user's was taken instead of: this run's where it was given for this run, else
 * that of the run in which it was; where that did not record it, this run's.
 */
export function insteadOf(scope: Scope, hash: string): string {
  const bundled = sha256(scope.product.bundledCode);
  return scope.source === null ? (scope.memory().sourcesInsteadOf[hash] ?? bundled) : bundled;
}

/**
 * Is the installed code the user's own? Then its hash as it was given. What is on disk decides; where a person edited or
 * removed it, what was last written there does.
 */
function suppliedHash(scope: Scope, codeFile: string, hash: string): string | null {
  const { sourcesSupplied, baselines } = scope.memory();
  if (sourcesSupplied.includes(hash)) return hash;
  const known = baselines[codeFile];
  const written = known?.includes(hash) === true ? hash : known?.at(-1);
  return sourcesSupplied.find((each) => each === written) ?? null;
}

/** A service of one's own does not get what the bundled one has learned since. */
function keptNote(scope: Scope, codeFile: string, hash: string): Note {
  const { bundledCode } = scope.product;
  if (insteadOf(scope, hash) === sha256(bundledCode)) {
    const text = `${codeFile} came from --source and is kept; --source bundled goes back.`;
    return { code: 'source-kept', level: 'info', text };
  }
  const text = `${codeFile} came from --source and is kept, though the bundled one has changed since then; --source bundled goes back to that, and --source FILE says that FILE is up to date.`;
  return { code: 'source-outdated', level: 'warning', text };
}

/** @throws InstallerError E_SOURCE_LOST where the file of an earlier --source is gone */
export function chooseSource(scope: Scope, request: Request): Source {
  const { product, host } = scope;
  const bundled: Source = { origin: 'bundled', code: product.bundledCode, notes: [] };
  if (request.source === 'file' && scope.source !== null)
    return { origin: 'file', code: scope.source, notes: [] };
  const { codeFile } = product;
  if (request.source === 'bundled' || codeFile === null) return bundled;
  const found = lookAt(host, codeFile);
  // What is no file at all is refused where files are decided about.
  if (found !== null && found.bytes === null) return bundled;
  const code = found?.bytes ?? null;
  const supplied = suppliedHash(scope, codeFile, found?.identity.hash ?? '');
  if (supplied === null) return bundled;
  if (code === null) throw new InstallerError('E_SOURCE_LOST', { path: codeFile });
  return { origin: 'file', code, notes: [keptNote(scope, codeFile, supplied)] };
}
