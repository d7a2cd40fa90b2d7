/** What an undoing does with the env file: settings go back, secrets stay unless a purge is asked for. */
import type { FileIdentity } from '../../facts.ts';
import { parsedEnv } from '../env-parsed.ts';
import { maskedEnv } from '../plan/env.ts';
import type { Scope, Target } from '../scope.ts';
import { operation, stays, type Draft } from './draft.ts';

/** Settings of then, secrets and everything else of now. */
export function planEnv(scope: Scope, target: Target, draft: Draft): void {
  const { state, product, host } = scope;
  const { env } = state;
  if (target.undo.kind === 'uninstall' || env === null || target.settings === undefined) return;
  if (target.settings === null) {
    draft.notes.push(stays(product.envFile, 'secrets are never taken away on the way'));
    return;
  }
  let file = env.file;
  for (const { key } of product.settings) {
    const wanted = target.settings[key] ?? '';
    if (wanted === (file.get(key) ?? '')) continue;
    file = wanted === '' ? file.without(key) : file.with(key, wanted);
  }
  const bytes = parsedEnv(product, file.toBytes()).toBytes();
  if (Buffer.compare(bytes, env.bytes) === 0) return;
  state.contents.set(product.envFile, { after: bytes, before: env.bytes });
  draft.changes.push({
    path: product.envFile,
    before: maskedEnv(scope, env.bytes, 'before'),
    after: maskedEnv(scope, bytes, 'after'),
  });
  const after: FileIdentity = { type: 'file', hash: null, mode: 0o600, uid: host.owner, gid: host.group };
  draft.operations.push({
    ...operation('writeFile', product.envFile, env.identity, after),
    role: 'env',
    because: 'settings as before',
  });
}

/** The secrets go only where that is asked for by name. */
export function planPurge(scope: Scope, target: Target, draft: Draft): void {
  const { host, product } = scope;
  const path = product.envFile;
  if (target.undo.kind !== 'uninstall') return;
  const found = host.lstat(path);
  if (found === null) return;
  if (!target.undo.purge) {
    draft.notes.push(stays(path, 'it holds the secrets; uninstall --purge removes it'));
    return;
  }
  const { mode, uid, gid } = found;
  const identity: FileIdentity = { type: 'file', hash: null, mode, uid, gid };
  draft.operations.push({ ...operation('removeFile', path, identity, null), role: 'env' });
}
