/** What an undoing is going to do, while it is being worked out. */
import type { FileIdentity } from '../../facts.ts';
import type { Note, Operation } from '../../machines/types.ts';
import type { Masking } from '../plan/masking.ts';
import type { FileChange } from '../scope.ts';

export interface Draft {
  readonly masking: Masking;
  readonly operations: Operation[];
  /** Edited by a person since. */
  readonly edited: string[];
  /** Without a copy of what stood there. */
  readonly lost: string[];
  /** Whose copy has been pruned since. */
  readonly pruned: string[];
  /** Paths that stay, and why. */
  readonly notes: Note[];
  /** Text files before and after, for a diff. */
  readonly changes: FileChange[];
}

export const stays = (path: string, why: string): Note => ({
  code: 'path-stays',
  level: 'info',
  text: `${path} stays: ${why}.`,
});

export function operation(
  kind: Operation['kind'],
  path: string,
  before: FileIdentity | null,
  after: FileIdentity | null,
): Operation {
  return {
    kind,
    path,
    role: after?.type ?? before?.type ?? 'file',
    action: after === null ? 'remove' : before === null ? 'create' : 'replace',
    before,
    after,
    detail: kind === 'makeLink' ? [after?.hash ?? ''] : [],
    because: after === null ? null : 'as before',
  };
}
