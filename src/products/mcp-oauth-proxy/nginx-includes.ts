/** Does nginx read a file? Told from its configuration, before anything is written. */
import { posix } from 'node:path';
import type { HostView } from '../product.ts';
import { withoutComments } from '../nginx-marker.ts';

export const mainConfig = '/etc/nginx/nginx.conf';

const includesOf = (text: string): readonly string[] =>
  [...withoutComments(text).matchAll(/(?<=^|[\s;{}])include\s+["']?([^\s"';]+)["']?\s*;/gu)].map(([, path]) =>
    posix.resolve(posix.dirname(mainConfig), path!),
  );

const isPattern = (path: string): boolean => /[*?[]/u.test(path);

/** glob(7), as far as configurations use it. */
function matches(pattern: string, path: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|\\]/gu, '\\$&')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]');
  try {
    return new RegExp(`^${source}$`, 'u').test(path);
  } catch {
    return false;
  }
}

/** The files that an include reads; null where that cannot be told. */
function filesOf(view: HostView, pattern: string): readonly string[] | null {
  if (!isPattern(pattern)) return [pattern];
  const directory = posix.dirname(pattern);
  if (isPattern(directory)) return null;
  return (view.list(directory) ?? [])
    .map((name) => `${directory}/${name}`)
    .filter((path) => matches(pattern, path));
}

/** As many as are looked at before it is given up. */
const mostFiles = 500;

/** @returns null where it cannot be told, as where nginx is not installed yet */
export function isRead(view: HostView, path: string): boolean | null {
  const waiting = [mainConfig];
  const seen = new Set<string>();
  let certain = true;
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    if (seen.has(file)) continue;
    if (seen.size >= mostFiles) return null;
    seen.add(file);
    const text = view.foreignText(file);
    if (text === null) {
      certain = false;
      continue;
    }
    const patterns = includesOf(text);
    if (patterns.some((pattern) => matches(pattern, path))) return true;
    for (const pattern of patterns) {
      const files = filesOf(view, pattern);
      if (files === null) certain = false;
      else waiting.push(...files);
    }
  }
  return certain ? false : null;
}
