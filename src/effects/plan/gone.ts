/** Files and links that an earlier run wrote and that the product does not have any more. */
import type { Note, Operation } from '../../machines/types.ts';
import type { Affects, Desired } from '../../products/product.ts';
import { lookAt } from '../identity.ts';
import type { KeptEdit, Scope } from '../scope.ts';

/** How the name of what is laid beside an edited file ends. */
const offered = '.mcp-new';

/** What a path affects where the product no longer says so: places are the same for every product. */
export function affectsOf(path: string): readonly Affects[] {
  if (path.startsWith('/etc/systemd/system/')) return ['unit'];
  if (path.startsWith('/etc/nginx/')) return path.endsWith(offered) ? [] : ['web'];
  return ['service'];
}

/** What is known from here on of a path that is no longer the product's. */
export interface Forgotten {
  readonly path: string;
  /** `''` where a person's file stands there: should the path come back, it is still an edit, and no file of strangers. */
  readonly baselines: readonly string[];
}

const isSaid = (hashes: readonly string[]): boolean => hashes.every((hash) => hash === '');

export interface Gone {
  readonly operations: readonly Operation[];
  readonly notes: readonly Note[];
  readonly forgotten: readonly Forgotten[];
}

const stays = (path: string, product: string): Note => ({
  code: 'edit-kept',
  level: 'info',
  text: `${path} is no longer part of ${product}; a person edited it, so it is kept.`,
});

/**
 * What the installer wrote goes; what a person edited stays, is said once, and is theirs from then on. What lies beside an
 * edited file for a person to compare goes once there is nothing to compare it with.
 */
export function goneFrom(scope: Scope, desired: Desired, kept: readonly KeptEdit[]): Gone {
  const { host, product } = scope;
  const wanted = new Set([
    ...[...desired.files, ...desired.links].map(({ path }) => path),
    ...(desired.leaves ?? []),
    ...kept.map(({ path }) => `${path}${offered}`),
  ]);
  const operations: Operation[] = [];
  const notes: Note[] = [];
  const forgotten: Forgotten[] = [];
  for (const [path, hashes] of Object.entries(scope.memory().baselines)) {
    if (wanted.has(path)) continue;
    const found = lookAt(host, path)?.identity ?? null;
    if (found === null) {
      forgotten.push({ path, baselines: [] });
      continue;
    }
    if (!hashes.some((hash) => hash === found.hash)) {
      if (isSaid(hashes)) continue;
      forgotten.push({ path, baselines: [''] });
      notes.push(stays(path, product.name));
      continue;
    }
    operations.push({
      kind: 'removeFile',
      path,
      role: found.type,
      action: 'remove',
      before: found,
      after: null,
      detail: [],
      because: path.endsWith(offered) ? 'the edit is gone' : `no longer part of ${product.name}`,
    });
  }
  return { operations, notes, forgotten };
}
