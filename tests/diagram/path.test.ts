/** The way of a run, and how each format marks it. */
import { describe, expect, test } from 'vitest';
import { toDot } from '../../src/diagram/dot.ts';
import { toJson } from '../../src/diagram/json.ts';
import { toMermaid } from '../../src/diagram/mermaid.ts';
import { entered, ranges, taken, verdict } from '../../src/diagram/path.ts';
import { toSvg } from '../../src/diagram/svg.ts';
import { stateSummaries } from '../../src/machines/diagram.ts';
import { cutOff, installed, putBack } from './runs.ts';

test('a run is folded to its steps', () => {
  expect(installed.steps.map(({ n, from, event, to }) => `${n} ${from} ${event} ${to}`)).toEqual([
    '1 preflight done detecting',
    '2 detecting done fresh',
    '3 fresh done planning',
    '4 planning done writing',
    '5 writing done writing',
    '6 writing done reloading',
    '7 reloading done verifying',
    '8 verifying done installed',
  ]);
  expect([installed, { ...cutOff, outcome: 'underWay' }, cutOff, putBack].map(verdict)).toEqual([
    'ended: installed',
    'under way: in writing, after step 5',
    'cut off in writing, after step 5',
    'ended: rolledBack',
  ]);
});

test('steps are counted where they enter a state, and where they follow an arrow', () => {
  expect(entered(installed, 'preflight')).toEqual([0]);
  expect(entered(installed, 'writing')).toEqual([4, 5]);
  expect(entered(installed, 'refused')).toEqual([]);
  expect(taken(installed, 'writing', 'writing')).toEqual([5]);
  expect(taken(installed, 'writing', 'failed')).toEqual([]);
});

test.each([
  [[], ''],
  [[3], '3'],
  [[3, 5], '3, 5'],
  [[6, 7, 8, 9, 12], '6–9, 12'],
])('%j is written %s', (numbers, text) => expect(ranges(numbers)).toBe(text));

describe('mermaid', () => {
  const lines = toMermaid(putBack).split('\n');

  test('numbers the steps on the arrows that were taken, and on no other', () => {
    expect(lines.filter((line) => /\(\d/u.test(line)).map((line) => line.trim())).toEqual([
      'preflight --> detecting: done [else] (1)',
      'detecting --> fresh: done [is fresh] (2)',
      'fresh --> planning: done [else] (3)',
      'planning --> writing: done [plans operations] (4)',
      'writing --> writing: done [has more operations] (5)',
      'writing --> reloading: done [else] (6)',
      'reloading --> rollingBack: interrupt, error [may roll back] (7)',
      'rollingBack --> rolledBack: done [else] (8)',
    ]);
  });

  test('names the run and lets its states stand out', () => {
    expect(lines.slice(-8)).toEqual([
      '  note right of rolledBack',
      '    Run 20261124T024709Z-89b3, ended: rolledBack',
      '  end note',
      '  classDef taken stroke-width:3px,stroke:#0969da',
      '  classDef last stroke-width:5px,stroke:#0969da',
      '  class preflight,detecting,fresh,planning,writing,reloading,rollingBack,rolledBack taken',
      '  class rolledBack last',
      '',
    ]);
  });

  test('says where a run was cut off', () => {
    expect(toMermaid(cutOff)).toContain(
      '  note right of writing\n    Run 20261124T024709Z-89b2, cut off in writing, after step 5\n',
    );
  });

  test('marks nothing without a run', () => {
    expect(toMermaid()).not.toMatch(/class|note|\(\d/u);
    for (const { name } of stateSummaries()) expect(toMermaid()).toContain(name);
  });
});

describe('dot', () => {
  const marked = (text: string) =>
    [...text.matchAll(/^ {2}(\w+(?: -> \w+)?) .*#0969da/gmu)].map(([, what]) => what);

  test('colours the states and arrows of the run, and no other', () => {
    expect(marked(toDot(cutOff))).toEqual([
      'preflight',
      'detecting',
      'fresh',
      'planning',
      'writing',
      'preflight -> detecting',
      'detecting -> fresh',
      'fresh -> planning',
      'planning -> writing',
      'writing -> writing',
    ]);
    expect(toDot(cutOff)).toContain('label="Run 20261124T024709Z-89b2, cut off in writing, after step 5"');
    expect(marked(toDot())).toEqual([]);
  });
});

describe('svg', () => {
  const classed = (text: string, name: string) =>
    [...text.matchAll(/<g class="([^"]*)" data-(?:state="(\w+)"|from="(\w+)" data-to="(\w+)")/gu)].flatMap(
      ([, classes = '', state, from, to]) =>
        classes.split(' ').includes(name) ? [state ?? `${from} ${to}`] : [],
    );

  test('marks states and arrows of the run, the last state, and where it was cut off', () => {
    const svg = toSvg({ path: cutOff });
    expect(classed(svg, 'visited')).toEqual(['preflight', 'detecting', 'fresh', 'planning', 'writing']);
    expect(classed(svg, 'taken').sort()).toEqual([
      'detecting fresh',
      'fresh planning',
      'planning writing',
      'preflight detecting',
      'writing writing',
    ]);
    expect({ last: classed(svg, 'last'), cut: classed(svg, 'cut') }).toEqual({
      last: ['writing'],
      cut: ['writing'],
    });
    expect(classed(toSvg({ path: installed }), 'cut')).toEqual([]);
  });

  test('numbers the states as they were entered', () => {
    const numbers = [...toSvg({ path: installed }).matchAll(/class="number"[^>]*>([^<]*)</gu)].map(
      ([, text]) => text,
    );
    expect(numbers).toEqual(['0', '1', '2', '3', '4–5', '6', '7', '8']);
  });

  test('marks on an arrow only the events that were', () => {
    const [, arrow = ''] =
      /data-from="reloading" data-to="rollingBack">(.*)/u.exec(toSvg({ path: putBack })) ?? [];
    expect([...arrow.matchAll(/<text class="([^"]*)"[^>]*>([^<]*)</gu)].map(([, ...each]) => each)).toEqual([
      ['label taken', 'interrupt, error [may roll back]'],
    ]);
  });

  test('marks nothing without a run', () => {
    const marks = [...toSvg().matchAll(/class="[^"]*\b(visited|taken|last|badge|marked|run)\b/gu)];
    expect(marks.map(([, name]) => name)).toEqual([]);
  });
});

test('json carries the way beside the machine', () => {
  const [plain, marked] = [JSON.parse(toJson()), JSON.parse(toJson(installed))] as Record<string, unknown>[];
  expect(marked).toEqual({ ...plain, meta: { path: installed } });
});
