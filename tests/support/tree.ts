/** Everything about a tree that a change could touch, and what differs between two looks. */
import { createHash } from 'node:crypto';
import { lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';

export function treeOf(root: string, without: readonly string[] = []): ReadonlyMap<string, string> {
  const entries = new Map<string, string>();
  const walk = (relative: string): void => {
    if (without.includes(relative)) return;
    const full = path.join(root, relative);
    const status = lstatSync(full, { bigint: true });
    const { mode, uid, gid, size, mtimeNs, ctimeNs, ino } = status;
    const content = status.isFile()
      ? createHash('sha256').update(readFileSync(full)).digest('hex')
      : status.isSymbolicLink()
        ? readlinkSync(full)
        : '';
    entries.set(relative, [mode.toString(8), uid, gid, size, mtimeNs, ctimeNs, ino, content].join(' '));
    if (status.isDirectory()) for (const name of readdirSync(full).sort()) walk(`${relative}/${name}`);
  };
  walk('');
  return entries;
}

export const changedPaths = (
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly string[] =>
  [...new Set([...before.keys(), ...after.keys()])]
    .filter((name) => before.get(name) !== after.get(name))
    .sort();
