/** What the effects of one run share, with nothing known, nothing supplied and nobody to be asked. */
import { createScope, type Scope } from '../../src/effects/scope.ts';
import { emptyMemory } from '../../src/memory.ts';

type Parts = Parameters<typeof createScope>[0];

/** @param parts what the test is about */
export const emptyScope = (parts: Pick<Parts, 'host' | 'product'> & Partial<Parts>): Scope =>
  createScope({
    version: '1.0.0',
    memory: () => emptyMemory,
    record: () => undefined,
    backup: () => Promise.resolve(''),
    notify: () => undefined,
    beforeChange: () => Promise.resolve(),
    lock: () => 'later',
    fingerprint: () => '',
    randomBytes: (count) => new Uint8Array(count),
    supplied: new Map(),
    source: null,
    asker: null,
    mustOwn: false,
    sudoCommand: '',
    ...parts,
  });
