/** What the effects of one run share, with nothing known, nothing supplied and nobody to be asked. */
import { createScope, type Scope } from '../../src/effects/scope.ts';
import type { UnitStatus } from '../../src/effects/units.ts';
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

/** A unit that runs well, in process 7. */
export const runningUnit = (unit: string): UnitStatus => ({
  unit,
  loadState: 'loaded',
  activeState: 'active',
  subState: 'running',
  mainPid: 7,
  restarts: 0,
  invocation: 'x',
  result: 'success',
  needsReload: false,
  startedUs: 0,
  activeUs: 0,
  listens: [],
  dropIns: [],
  controlGroup: '',
  isKnownToUphold: true,
});
