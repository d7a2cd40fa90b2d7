/** What a machine is asked where nothing is asked for. */
import type { Request } from './types.ts';

/**
 * What `install` without any option asks for.
 *
 * @param product name of the product, as it shall stand in the journal
 */
export const defaultRequest = (product: string): Request => ({
  product,
  rotate: 'none',
  settings: {},
  unset: [],
  supplied: [],
  source: 'kept',
  edits: 'refuse',
  ask: false,
  packages: true,
  start: true,
  image: false,
  rollback: true,
  checks: true,
  downgrade: false,
  undo: null,
});
