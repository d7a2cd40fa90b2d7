/** What is drawn: the states, and one arrow for all ways between the same two states, with each way in words. */
import { stateSummaries, transitions, type StateSummary } from '../machines/diagram.ts';

/**
 * `spine`: the way of a run that installs; `end`: the ways out that nearly every state has, which are drawn quietly;
 * `way`: the others.
 */
type ArrowKind = 'spine' | 'end' | 'way';

export interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly kind: ArrowKind;
  /** Each way: its event, and in brackets when it is taken where that is not always. */
  readonly labels: readonly string[];
}

export interface Chart {
  readonly states: readonly StateSummary[];
  readonly initial: string;
  readonly arrows: readonly Arrow[];
}

const spine: readonly (readonly string[])[] = [
  ['preflight'],
  ['detecting'],
  ['fresh', 'existing', 'forceRotate'],
  ['planning'],
  ['writing'],
  ['reloading'],
  ['verifying'],
  ['installed'],
];

const ends = ['interrupted', 'refused', 'busy', 'failed'];

function kindOf(from: string, to: string): ArrowKind {
  const at = spine.findIndex((names) => names.includes(from));
  if (at !== -1 && spine[at + 1]?.includes(to) === true) return 'spine';
  return ends.includes(to) ? 'end' : 'way';
}

/** `mustRotate` → `must rotate`. */
const words = (name: string): string => name.replaceAll(/[A-Z]/gu, (letter) => ` ${letter.toLowerCase()}`);

/** Events of a state in the order in which their ways are tried; the last way of several has no guard. */
function labelled(): { readonly from: string; readonly to: string; readonly label: string }[] {
  const ways = transitions();
  return ways.map(({ from, event, to, note }) => {
    const several = ways.filter((other) => other.from === from && other.event === event).length > 1;
    const when = note === '' ? (several ? ' [else]' : '') : ` [${words(note)}]`;
    return { from, to, label: `${event}${when}` };
  });
}

export function chart(): Chart {
  const states = stateSummaries();
  const arrows = new Map<string, { from: string; to: string; labels: string[] }>();
  for (const { from, to, label } of labelled()) {
    const key = `${from} ${to}`;
    const arrow = arrows.get(key) ?? { from, to, labels: [] };
    arrow.labels.push(label);
    arrows.set(key, arrow);
  }
  return {
    states,
    initial: states[0]!.name,
    arrows: [...arrows.values()].map((arrow) => ({ ...arrow, kind: kindOf(arrow.from, arrow.to) })),
  };
}
