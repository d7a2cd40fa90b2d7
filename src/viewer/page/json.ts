/** Data that can be opened and closed, level by level; each level is made when it is first opened. */
import { h } from './dom.ts';

type Entries = readonly (readonly [string, unknown])[];

const entriesOf = (value: object): Entries =>
  Array.isArray(value)
    ? value.map((each: unknown, at) => [String(at), each] as const)
    : Object.entries(value as Record<string, unknown>);

const summaryOf = (value: object, size: number): string => (Array.isArray(value) ? `[${size}]` : `{${size}}`);

function scalar(value: unknown): HTMLElement {
  const kind = value === null ? 'null' : typeof value;
  return h('span', { class: `json-${kind}` }, value === undefined ? 'undefined' : JSON.stringify(value));
}

function entry(key: string, value: unknown, open: boolean): HTMLElement {
  const name = h('span', { class: 'json-key' }, key);
  if (value === null || typeof value !== 'object') return h('li', {}, name, ': ', scalar(value));
  const entries = entriesOf(value);
  const size = h('span', { class: 'json-size' }, summaryOf(value, entries.length));
  if (entries.length === 0) return h('li', {}, name, ': ', size);
  return h(
    'li',
    {},
    expandable([name, ' ', size], () => list(entries, false), open),
  );
}

const list = (entries: Entries, open: boolean): HTMLElement =>
  h('ul', { class: 'json' }, ...entries.map(([key, value]) => entry(key, value, open)));

/** @param make called once, when it is first opened */
export function expandable(
  summary: readonly (Node | string)[],
  make: () => Node,
  open = false,
): HTMLDetailsElement {
  const details = h('details', {}, h('summary', {}, ...summary));
  let made = false;
  const fill = (): void => {
    if (made || !details.open) return;
    made = true;
    details.append(make());
  };
  details.addEventListener('toggle', fill);
  details.open = open;
  fill();
  return details;
}

/** The tree of a value, its first level open. */
export const tree = (value: object): HTMLElement => list(entriesOf(value), false);
