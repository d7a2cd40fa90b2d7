/** What later runs need to know of a run that succeeded; each fact only where the journal does not say so already. */
import { lookAt, sha256 } from './identity.ts';
import { insteadOf } from './plan/source.ts';
import type { Scope } from './scope.ts';
import { isSupplied, secretsThatAre } from './secrets.ts';

/** The supplied secrets that are in force: given for this run, kept from an earlier one, or never anything else. */
function suppliedSecrets(scope: Scope): Readonly<Record<string, string>> {
  const { product, state } = scope;
  const optional = product.secrets.filter((spec) => spec.optional === true).map(({ name }) => name);
  const isOwn = (name: string): boolean =>
    scope.supplied.has(name) ||
    optional.includes(name) ||
    isSupplied(scope, name, state.after.get(name) ?? '');
  return Object.fromEntries(
    state.secrets
      .filter(({ name, origin }) => origin !== 'removed' && isOwn(name))
      .map(({ name, fingerprint }) => [name, fingerprint]),
  );
}

function settleSecrets(scope: Scope): void {
  const { secretsMade, secretsSupplied } = scope.memory();
  // A kill may have come between the file and the fact.
  const names = secretsThatAre(scope);
  if (!secretsMade && names.length > 0) scope.record({ fact: 'secretsMade', names });
  const fingerprints = suppliedSecrets(scope);
  const known = Object.values(secretsSupplied).flat();
  const wanted = Object.values(fingerprints);
  if (known.length === wanted.length && wanted.every((each) => known.includes(each))) return;
  scope.record({ fact: 'secretsSupplied', fingerprints, only: true });
}

function settleSource(scope: Scope): void {
  const { host, product, state } = scope;
  const { codeFile } = product;
  if (codeFile === null) return;
  const code = state.source === 'file' ? host.readFile(codeFile) : null;
  // By what was written: a person's later edit of it does not make it ours.
  const written = scope.memory().baselines[codeFile]?.at(-1) ?? (code === null ? null : sha256(code));
  const hashes = state.source === 'file' && written !== null ? [written] : [];
  const { sourcesSupplied: known, sourcesInsteadOf } = scope.memory();
  const bundled = written === null ? null : insteadOf(scope, written);
  const isKnown = (hash: string): boolean => known.includes(hash) && sourcesInsteadOf[hash] === bundled;
  if (known.length === hashes.length && hashes.every(isKnown)) return;
  scope.record({
    fact: 'sourceSupplied',
    hashes,
    only: true,
    ...(hashes.length > 0 && bundled !== null ? { bundled } : {}),
  });
}

/**
 * After a kill between announcing a replacement and making it, either of two things may be there. Once a run has succeeded
 * over it, what is there is what was written last: else a person's edit would be compared with what never was.
 */
function settleBaselines({ host, memory, record }: Scope): void {
  for (const [path, known] of Object.entries(memory().baselines)) {
    if (known.length < 2) continue;
    const hash = lookAt(host, path)?.identity.hash ?? '';
    if (known.includes(hash)) record({ fact: 'knownAs', path, baselines: [hash] });
  }
}

export function settle(scope: Scope): void {
  settleBaselines(scope);
  const { baselines, installer } = scope.memory();
  settleSecrets(scope);
  for (const { path, offered } of scope.state.kept) {
    if (baselines[path]?.at(-1) !== offered) scope.record({ fact: 'kept', path, offered });
  }
  for (const { path, baselines: known } of scope.state.forgotten)
    scope.record({ fact: 'knownAs', path, baselines: known });
  settleSource(scope);
  if (installer !== scope.version) scope.record({ fact: 'installer', version: scope.version });
}
