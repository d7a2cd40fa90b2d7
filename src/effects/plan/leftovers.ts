/** Temporary files that a killed run has left: they may hold secrets, and nobody else knows them. */
import type { Operation } from '../../machines/types.ts';
import { isTemporary, isTemporaryOf } from '../host/atomic-file.ts';
import type { Scope } from '../scope.ts';

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** Paths that the run manages. */
export interface Managed {
  readonly files: readonly string[];
  readonly links: readonly string[];
}

/** @returns one operation for each that is there: beside a managed file, or beside the directory of a link */
export function leftovers(scope: Scope, { files, links }: Managed): readonly Operation[] {
  const places = [
    ...files.map((path) => [parentOf(path), nameOf(path)] as const),
    ...links.map((path) => [parentOf(parentOf(path)), nameOf(path)] as const),
  ];
  // Each directory is read once, however many files are managed in it.
  const temporary = new Map<string, readonly string[]>();
  const temporaryIn = (directory: string): readonly string[] => {
    const known = temporary.get(directory);
    if (known !== undefined) return known;
    const found = (scope.host.list(directory) ?? []).filter(isTemporary);
    temporary.set(directory, found);
    return found;
  };
  return places.flatMap(([directory, name]) =>
    temporaryIn(directory)
      .filter((candidate) => isTemporaryOf(candidate, name))
      .map((candidate): Operation => ({
        kind: 'removeLeftover',
        path: `${directory === '/' ? '' : directory}/${candidate}`,
        role: 'leftover of a killed run',
        action: 'remove',
        before: null,
        after: null,
        detail: [],
        because: null,
      })),
  );
}
