/**
 * What the Stately inspector takes, as a check at run time. The compiler holds it against the types that its library
 * exports: a schema that let through something else would not compile.
 */
import type { StatelyInspectionEvent } from '@statelyai/inspect';
import * as v from 'valibot';

const base = {
  rootId: v.string(),
  sessionId: v.string(),
  createdAt: v.pipe(v.string(), v.regex(/^\d{13}$/u)),
  id: v.string(),
  _version: v.pipe(v.string(), v.regex(/^\d+\.\d+\.\d+$/u)),
};

const event = v.looseObject({ type: v.string() });
const nothing = v.optional(v.undefined(), () => undefined);

const snapshot = v.variant('status', [
  v.looseObject({
    status: v.literal('active'),
    output: nothing,
    error: nothing,
    value: v.string(),
    context: v.looseObject({}),
  }),
  v.looseObject({
    status: v.literal('done'),
    output: v.looseObject({}),
    error: nothing,
    value: v.string(),
    context: v.looseObject({}),
  }),
]);

export const statelyEvent = v.variant('type', [
  v.strictObject({
    ...base,
    type: v.literal('@xstate.actor'),
    name: v.string(),
    definition: v.string(),
    parentId: v.optional(v.undefined(), () => undefined),
    snapshot,
  }),
  v.strictObject({
    ...base,
    type: v.literal('@xstate.event'),
    event,
    sourceId: v.optional(v.undefined(), () => undefined),
  }),
  v.strictObject({ ...base, type: v.literal('@xstate.snapshot'), event, snapshot }),
]) satisfies v.GenericSchema<unknown, StatelyInspectionEvent>;

export type StatelyEvent = v.InferOutput<typeof statelyEvent>;
