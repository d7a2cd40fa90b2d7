/** Every way of the machine by itself: where it leads, what is then known, and what is started with what. */
import { initialTransition, transition } from 'xstate';
import { describe, expect, test } from 'vitest';
import { InstallerError, type ErrorCode } from '../../src/errors.ts';
import { installerMachine } from '../../src/machines/installer.ts';
import { defaultRequest } from '../../src/machines/request.ts';
import type {
  Answers,
  Context,
  Note,
  Operation,
  Plan,
  Question,
  Reload,
  Removal,
  Request,
  Signal,
} from '../../src/machines/types.ts';
import { somePlan } from '../../src/testing.ts';

const request: Request = defaultRequest('thing');
const error = (code: ErrorCode) => new InstallerError(code, { why: 'it is so', unit: 'x.service' }).toJSON();
const note = (code: string): Note => ({ code, level: 'info', text: code });

const [operation] = somePlan().operations as [Operation];
const other: Operation = { ...operation, path: '/y' };
const question: Question = { id: 'rotation', text: 'Go on?', subjects: [] };
const restart: Reload = { what: 'restart', unit: 'x.service', because: [], how: 'restart', owedBy: [] };
const removal: Removal = { what: 'removeState', unit: '/state', because: [], how: 'remove', owedBy: [] };
const nothing: Partial<Plan> = { operations: [], reloads: [] };
const answers: Answers = { answered: ['rotation'], settings: { A: '1' }, edits: 'keep' };

/** What is known at the start; a note is there already, so that it is seen where notes are lost. */
const start: Context = {
  request,
  services: 'offline',
  mode: 'existing',
  secrets: [],
  answers: { answered: [], settings: {}, edits: null },
  plan: null,
  next: 0,
  changed: false,
  notes: [note('earlier')],
  error: null,
  signal: null,
  undone: null,
};

interface Way {
  readonly to: string;
  /** What of the context the way has changed. */
  readonly known: Partial<Context>;
  /** Id, name and input of each actor that it starts. */
  readonly starts: readonly (readonly [id: string, actor: string, input: unknown])[];
}

const started = (actions: readonly { readonly type: string; readonly params: unknown }[]): Way['starts'] =>
  actions.flatMap(({ type, params }) => {
    if (type !== 'xstate.spawnChild') return [];
    const { id, src, input } = params as { id: string; src: string; input: unknown };
    return [[id, src, input] as const];
  });

/** Takes the way of an event from a state in which this is known. */
function way(state: string, event: object, known: Partial<Context> = {}): Way {
  const before = { ...start, ...known };
  const from = installerMachine.resolveState({ value: state, context: before });
  const [to, actions] = transition(installerMachine, from, event as never);
  const changes = Object.entries(to.context).filter(
    ([name, value]) => before[name as keyof Context] !== value,
  );
  return { to: to.value, known: Object.fromEntries(changes), starts: started(actions) };
}

const done = (id: string, output: unknown) => ({ type: `xstate.done.actor.${id}`, output, actorId: id });
const fails = (id: string, thrown: unknown) => ({
  type: `xstate.error.actor.${id}`,
  error: thrown,
  actorId: id,
});
const interrupt = (signal: string) => ({ type: 'interrupt', signal });

const planStart = (more: Partial<Plan> = {}) => done('plan', { kind: 'planned', plan: somePlan(more) });
const interruption = (signal: Signal) => {
  const code = 'E_INTERRUPTED' as const;
  return { signal, error: { code, message: `Interrupted by ${signal}.`, remedy: 'Run it again to finish.' } };
};

/** States that hold secrets in memory, with what works in them. */
const holding = [
  ['fresh', 'generateSecrets'],
  ['existing', 'loadSecrets'],
  ['forceRotate', 'rotateSecrets'],
] as const;

/** States that change nothing yet. */
const looking = [
  ['preflight', 'preflight'],
  ['detecting', 'detect'],
  ...holding,
  ['planning', 'plan'],
  ['confirming', 'confirm'],
] as const;

const plan = somePlan();
const secrets = [{ name: 'A', origin: 'preserved', fingerprint: '0' }] as const;

test('a run begins with the preflight, and knows nothing but what it was asked', () => {
  const [snapshot, actions] = initialTransition(installerMachine, { request });
  expect({ value: snapshot.value, context: snapshot.context, starts: started(actions) }).toEqual({
    value: 'preflight',
    context: { ...start, notes: [] },
    starts: [['preflight', 'preflight', { request }]],
  });
  // Of another version, runs so far could not be folded any more.
  expect([installerMachine.id, installerMachine.version]).toEqual(['installer', '2']);
});

test('the machine tells by tags which states work, which of them change the host, and which are ends', () => {
  const tags = Object.values(installerMachine.states).map((state) => [state.key, ...state.tags]);
  const working = (kind: string, ...names: string[]) => names.map((name) => [name, 'working', kind]);
  expect(tags).toEqual([
    ...working('looking', ...looking.map(([state]) => state)),
    ...working('changing', 'writing', 'reloading', 'verifying', 'purging', 'rollingBack'),
    ...['installed', 'unchanged', 'refused', 'busy', 'declined', 'interrupted', 'rolledBack', 'failed'].map(
      (name) => [name, 'ended'],
    ),
  ]);
});

test.each<[end: string, from: string, event: object, known?: Partial<Context>]>([
  ['installed', 'purging', done('purge', { outcome: 'done', removed: [] })],
  ['unchanged', 'verifying', done('verify', { outcome: 'verified', notes: [] })],
  ['refused', 'planning', fails('plan', error('E_PLATFORM'))],
  ['busy', 'preflight', done('preflight', { kind: 'busy', error: error('E_BUSY') })],
  ['declined', 'confirming', done('confirm', { kind: 'declined', error: error('E_DECLINED') }), { plan }],
  ['interrupted', 'existing', interrupt('SIGINT')],
  ['rolledBack', 'rollingBack', done('undo', { restored: [], left: [] }), { error: error('E_UNHEALTHY') }],
  ['failed', 'verifying', fails('verify', error('E_UNHEALTHY'))],
])('%s is an end, and the outcome that is told', (end, from, event, known = {}) => {
  const before = installerMachine.resolveState({ value: from, context: { ...start, ...known } });
  const [{ value, status, output, context }] = transition(installerMachine, before, event as never);
  expect({ value, status, outcome: output?.outcome, notes: output?.notes }).toEqual({
    value: end,
    status: 'done',
    outcome: end,
    notes: context.notes,
  });
});

describe('before anything is changed', () => {
  test.each(looking)('a failure in %s is a refusal, with its reason', (state, id) => {
    const thrown = error('E_PLATFORM');
    expect(way(state, fails(id, thrown), { plan })).toEqual({
      to: 'refused',
      known: { error: thrown },
      starts: [],
    });
    expect(way(state, fails(id, new TypeError('secret')), { plan }).known).toMatchObject({
      error: { code: 'E_INTERNAL', message: 'A bug in the installer: an unexpected TypeError.' },
    });
  });

  test.each(looking.slice(0, -1))('%s may say no, which is a refusal with its reason', (state, id) => {
    const reason = error('E_PLATFORM');
    expect(way(state, done(id, { kind: 'refused', error: reason }))).toEqual({
      to: 'refused',
      known: { error: reason },
      starts: [],
    });
  });

  test.each(looking)('a signal in %s ends the run', (state) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      expect(way(state, interrupt(signal), { plan })).toEqual({
        to: 'interrupted',
        known: interruption(signal),
        starts: [],
      });
  });
});

describe('looking', () => {
  test('a host that another run works on is busy', () => {
    const reason = error('E_BUSY');
    expect(way('preflight', done('preflight', { kind: 'busy', error: reason }))).toEqual({
      to: 'busy',
      known: { error: reason },
      starts: [],
    });
  });

  test('a host that can carry an installation is looked at', () => {
    const ready = { kind: 'ready', services: 'live', notes: [note('ready')] };
    expect(way('preflight', done('preflight', ready))).toEqual({
      to: 'detecting',
      known: { services: 'live', notes: [note('earlier'), note('ready')] },
      starts: [['detect', 'detect', { request }]],
    });
  });

  test.each([
    { kind: 'fresh', rotate: 'none', mode: 'fresh', id: 'generateSecrets' },
    { kind: 'fresh', rotate: 'all', mode: 'fresh', id: 'generateSecrets' },
    { kind: 'existing', rotate: 'none', mode: 'existing', id: 'loadSecrets' },
    { kind: 'existing', rotate: ['A'], mode: 'forceRotate', id: 'rotateSecrets' },
    { kind: 'lost', rotate: 'all', mode: 'forceRotate', id: 'rotateSecrets' },
  ] as const)('a host that is $kind, asked to rotate $rotate, is $mode', ({ kind, rotate, mode, id }) => {
    const asked = { ...request, rotate };
    // From another mode, so that it is seen to be entered.
    const before: Partial<Context> = { request: asked, mode: mode === 'fresh' ? 'existing' : 'fresh' };
    expect(way('detecting', done('detect', { kind, notes: [note('found')] }), before)).toEqual({
      to: mode,
      known: { mode, notes: [note('earlier'), note('found')] },
      starts: [[id, 'secrets', { request: asked, mode }]],
    });
  });

  test.each(holding)('the secrets of %s are what the plan goes on with', (mode, id) => {
    const before: Partial<Context> = { mode, answers };
    expect(way(mode, done(id, { kind: 'ready', secrets, notes: [note('healed')] }), before)).toEqual({
      to: 'planning',
      known: { secrets, notes: [note('earlier'), note('healed')] },
      starts: [['plan', 'plan', { request, mode, answers }]],
    });
  });
});

describe('a plan', () => {
  const notes = [note('planned')];
  const asked = { request: { ...request, ask: true } };
  const adopted = [note('earlier'), note('planned')];

  test('that raises a question is asked about, where somebody is there; its notes wait', () => {
    const raised = somePlan({ questions: [question], notes });
    expect(way('planning', done('plan', { kind: 'planned', plan: raised }), { ...asked, answers })).toEqual({
      to: 'confirming',
      known: { plan: raised },
      starts: [['confirm', 'confirm', { plan: raised, mode: 'existing', answers }]],
    });
    expect(way('planning', done('plan', { kind: 'planned', plan: raised })).to).toBe('writing');
    expect(way('planning', planStart(), asked).to).toBe('writing');
  });

  /** Where a plan leads, and what it starts there. */
  const leads = [
    ['writing', { reloads: [restart] }, 'write', { operation, index: 0 }],
    ['reloading', { ...nothing, reloads: [restart, removal] }, 'reload', { reloads: [restart] }],
    ['verifying', nothing, 'verify', null],
  ] as const;

  test.each(leads)('that stands leads to %s, and its notes are told', (to, more, actor, input) => {
    const made = somePlan({ ...more, notes });
    expect(way('planning', done('plan', { kind: 'planned', plan: made }))).toEqual({
      to,
      known: { plan: made, notes: adopted },
      starts: [[actor, actor, input ?? { plan: made, mode: 'existing' }]],
    });
  });

  test.each(leads)(
    'that a person agrees to leads to %s, and its notes are told',
    (to, more, actor, input) => {
      const made = somePlan({ ...more, notes });
      expect(way('confirming', done('confirm', { kind: 'proceed' }), { plan: made })).toEqual({
        to,
        known: { notes: adopted },
        starts: [[actor, actor, input ?? { plan: made, mode: 'existing' }]],
      });
    },
  );

  test('that a person has answered otherwise is made again', () => {
    expect(way('confirming', done('confirm', { kind: 'replan', answers }), { plan })).toEqual({
      to: 'planning',
      known: { answers },
      starts: [['plan', 'plan', { request, mode: 'existing', answers }]],
    });
  });

  test('that a person declines is the end', () => {
    const reason = error('E_DECLINED');
    expect(way('confirming', done('confirm', { kind: 'declined', error: reason }), { plan })).toEqual({
      to: 'declined',
      known: { error: reason },
      starts: [],
    });
  });
});

describe('changes', () => {
  const two = somePlan({ operations: [operation, other], reloads: [restart] });

  test('are made one after another', () => {
    const wrote = done('write', { outcome: 'changed' });
    expect(way('writing', wrote, { plan: two })).toEqual({
      to: 'writing',
      known: { next: 1, changed: true },
      starts: [['write', 'write', { operation: other, index: 1 }]],
    });
    expect(way('writing', wrote, { plan: two, next: 1 })).toEqual({
      to: 'reloading',
      known: { changed: true },
      starts: [['reload', 'reload', { reloads: [restart] }]],
    });
  });

  test('are followed by the proof, once running programs were made to notice', () => {
    expect(way('reloading', done('reload', { outcome: 'done', done: [] }), { plan: two })).toEqual({
      to: 'verifying',
      known: { changed: true },
      starts: [['verify', 'verify', { plan: two, mode: 'existing' }]],
    });
  });

  const kept = { request: { ...request, rollback: false } };
  const changing = [
    ['writing', 'write'],
    ['reloading', 'reload'],
  ] as const;

  test.each(changing)('that fail in %s are put back, or left where that is asked for', (state, id) => {
    const reason = error('E_UNHEALTHY');
    for (const changed of [false, true]) {
      expect(way(state, fails(id, reason), { plan, changed })).toEqual({
        to: 'rollingBack',
        known: { error: reason },
        starts: [['undo', 'undo', { reason }]],
      });
      expect(way(state, fails(id, reason), { plan, changed, ...kept })).toEqual({
        to: 'failed',
        known: { error: reason },
        starts: [],
      });
    }
  });

  test.each(changing)('that could not begin in %s leave nothing to put back', (state, id) => {
    for (const [code, end] of [
      ['E_BUSY', 'busy'],
      ['E_JOURNAL', 'refused'],
    ] as const) {
      const reason = error(code);
      expect(way(state, fails(id, reason), { plan })).toEqual({
        to: end,
        known: { error: reason },
        starts: [],
      });
      expect(way(state, fails(id, reason), { plan, changed: true }).to).toBe('rollingBack');
    }
  });

  test.each(changing)('that a signal ends in %s are put back, or count as made', (state) => {
    const known = interruption('SIGTERM');
    expect(way(state, interrupt('SIGTERM'), { plan })).toEqual({
      to: 'rollingBack',
      known,
      starts: [['undo', 'undo', { reason: known.error }]],
    });
    expect(way(state, interrupt('SIGTERM'), { plan, ...kept })).toEqual({
      to: 'failed',
      known: { ...known, changed: true },
      starts: [],
    });
  });

  describe('are proven', () => {
    const verified = done('verify', { outcome: 'verified', notes: [note('proven')] });
    const known = { notes: [note('earlier'), note('proven')] };

    test('which is the end, with what was changed or without', () => {
      expect(way('verifying', verified, { plan, changed: true })).toEqual({
        to: 'installed',
        known,
        starts: [],
      });
      expect(way('verifying', verified, { plan })).toEqual({ to: 'unchanged', known, starts: [] });
    });

    test('before what cannot be brought back is deleted', () => {
      const purging = somePlan({ reloads: [restart, removal] });
      for (const changed of [false, true])
        expect(way('verifying', verified, { plan: purging, changed })).toEqual({
          to: 'purging',
          known,
          starts: [['purge', 'purge', { paths: ['/state'] }]],
        });
    });

    test('or put back, or left where that is asked for; nothing where nothing was changed', () => {
      const reason = error('E_UNHEALTHY');
      expect(way('verifying', fails('verify', reason), { plan, changed: true })).toEqual({
        to: 'rollingBack',
        known: { error: reason },
        starts: [['undo', 'undo', { reason }]],
      });
      for (const left of [{ changed: true, ...kept }, { changed: false }])
        expect(way('verifying', fails('verify', reason), { plan, ...left })).toEqual({
          to: 'failed',
          known: { error: reason },
          starts: [],
        });
    });

    test('unless a signal comes, which puts back what was changed', () => {
      const interrupted = interruption('SIGHUP');
      expect(way('verifying', interrupt('SIGHUP'), { plan })).toEqual({
        to: 'interrupted',
        known: interrupted,
        starts: [],
      });
      expect(way('verifying', interrupt('SIGHUP'), { plan, changed: true })).toEqual({
        to: 'rollingBack',
        known: interrupted,
        starts: [['undo', 'undo', { reason: interrupted.error }]],
      });
      expect(way('verifying', interrupt('SIGHUP'), { plan, changed: true, ...kept })).toEqual({
        to: 'failed',
        known: interrupted,
        starts: [],
      });
    });
  });
});

describe('what cannot be stopped', () => {
  test.each(['purging', 'rollingBack'])('%s goes on when a signal comes', (state) => {
    expect(way(state, interrupt('SIGINT'))).toEqual({ to: state, known: {}, starts: [] });
  });

  test('is a purge: done it is an installation, and half done it is not put back', () => {
    const reason = error('E_UNHEALTHY');
    expect(way('purging', done('purge', { outcome: 'done', removed: ['/state'] }))).toEqual({
      to: 'installed',
      known: { changed: true },
      starts: [],
    });
    expect(way('purging', fails('purge', reason))).toEqual({
      to: 'failed',
      known: { error: reason },
      starts: [],
    });
  });

  test('is putting back: why it was done decides how the run ended', () => {
    const undone = { restored: ['/x'], left: ['/y'] };
    const failed = { error: error('E_UNHEALTHY') };
    expect(way('rollingBack', done('undo', undone), failed)).toEqual({
      to: 'rolledBack',
      known: { undone },
      starts: [],
    });
    expect(way('rollingBack', done('undo', undone), interruption('SIGINT'))).toEqual({
      to: 'interrupted',
      known: { undone },
      starts: [],
    });
    const worse = error('E_WRITE_FAILED');
    expect(way('rollingBack', fails('undo', worse), failed)).toEqual({
      to: 'failed',
      known: { error: worse },
      starts: [],
    });
  });
});
