/** The name of a plan: another one for each other change, and the same whatever is said about why. */
import { expect, test } from 'vitest';
import { planHash } from '../../../src/effects/plan/hash.ts';
import type { Operation, Reload } from '../../../src/machines/types.ts';

const identity = { type: 'file', hash: 'a', mode: 0o644, uid: 0, gid: 0 } as const;
const operation: Operation = {
  kind: 'writeFile',
  path: '/etc/x',
  role: 'unit',
  action: 'create',
  before: null,
  after: identity,
  detail: [],
  because: null,
};
const reload: Reload = { what: 'restart', unit: 'x.service', because: [], how: 'start', owedBy: [] };
const env = { masked: 'A=<hidden>\n', settings: { PORT: '8000' } };
const plain = planHash([operation], [reload], env);

test('is eight hex digits', () => {
  expect(plain).toMatch(/^[0-9a-f]{8}$/u);
  expect(planHash([{ ...operation }], [{ ...reload }], { ...env })).toBe(plain);
});

test.each<readonly [string, Partial<Operation>]>([
  ['kind', { kind: 'makeLink' }],
  ['path', { path: '/etc/y' }],
  ['action', { action: 'replace' }],
  ['what is there before', { before: identity }],
  ['what is there after', { after: { ...identity, mode: 0o600 } }],
  ['details', { detail: ['x'] }],
])('is another one where a change differs in its %s', (_, other) => {
  expect(planHash([{ ...operation, ...other }], [reload], env)).not.toBe(plain);
});

test.each<readonly [string, Partial<Reload>]>([
  ['program', { what: 'restartSocket' }],
  ['unit', { unit: 'y.service' }],
  ['way', { how: 'restart' }],
])('is another one where a program is told otherwise: another %s', (_, other) => {
  expect(planHash([operation], [{ ...reload, ...other }], env)).not.toBe(plain);
});

test('is another one for another env file, other settings, and another number of changes', () => {
  const others = [
    planHash([operation], [reload], { ...env, masked: 'B=<hidden>\n' }),
    planHash([operation], [reload], { ...env, settings: {} }),
    planHash([], [reload], env),
    planHash([operation], [], env),
  ];
  expect(new Set([plain, ...others]).size).toBe(5);
});

test('is the same whatever the reasons are, and whoever left it to be done', () => {
  const told = { ...operation, role: 'service', because: 'adopted' };
  const owed = { ...reload, because: ['/etc/x'], owedBy: ['a run'] };
  expect(planHash([told], [owed], env)).toBe(plain);
});
