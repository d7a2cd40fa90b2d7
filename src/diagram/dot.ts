/** The machine as Graphviz reads it. */
import { boxOf } from './box.ts';
import { chart, type Arrow, type Chart } from './chart.ts';
import { entered, ranges, taken, verdict, type RunPath } from './path.ts';

const quoted = (...lines: readonly string[]): string =>
  `"${lines.map((line) => line.replaceAll('\\', '\\\\').replaceAll('"', '\\"')).join('\\n')}"`;

const attributes = (all: Readonly<Record<string, string>>): string =>
  `[${Object.entries(all)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ')}]`;

const mark = '"#0969da"';

function node(state: Chart['states'][number], path: RunPath | undefined): string {
  const numbers = path === undefined ? [] : entered(path, state.name);
  const number = numbers.length === 0 ? [] : [`(${ranges(numbers)})`];
  return `  ${state.name} ${attributes({
    label: quoted([state.name, ...number].join(' '), ...boxOf(state).lines),
    ...(state.final ? { peripheries: '2' } : {}),
    ...(numbers.length === 0 ? {} : { color: mark, penwidth: state.name === path?.at ? '4' : '2.5' }),
  })};`;
}

const looks: Readonly<Record<Arrow['kind'], Readonly<Record<string, string>>>> = {
  spine: { weight: '20', penwidth: '2' },
  way: {},
  undo: { color: 'gray50' },
  end: { color: 'gray70', fontcolor: 'gray40' },
};

function edge({ from, to, kind, labels }: Arrow, path: RunPath | undefined): string {
  const numbers = path === undefined ? [] : taken(path, from, to);
  const number = numbers.length === 0 ? [] : [`(${ranges(numbers)})`];
  return `  ${from} -> ${to} ${attributes({
    label: quoted(...number, ...labels.map(({ text }) => text)),
    ...looks[kind],
    ...(numbers.length === 0 ? {} : { color: mark, fontcolor: mark, penwidth: '2.5' }),
  })};`;
}

/** @param path is marked in blue, its steps numbered in brackets */
export function toDot(path?: RunPath): string {
  const { states, initial, arrows } = chart();
  return [
    'digraph installer {',
    ...(path === undefined
      ? []
      : [`  label=${quoted(`Run ${path.run}, ${verdict(path)}`)}; labelloc=t; fontname="sans-serif";`]),
    '  rankdir=TB;',
    '  node [shape=box, style=rounded, fontname="sans-serif", fontsize=11];',
    '  edge [fontname="sans-serif", fontsize=9];',
    '  start [shape=point, width=0.15, label=""];',
    `  start -> ${initial};`,
    ...states.map((state) => node(state, path)),
    ...arrows.map((arrow) => edge(arrow, path)),
    '}',
    '',
  ].join('\n');
}
