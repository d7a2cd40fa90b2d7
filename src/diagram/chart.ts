/** What is drawn: the states, and one arrow for all ways between the same two states, with each way in words. */
import { stateSummaries, transitions, type StateSummary, type Transition } from '../machines/diagram.ts';

/**
 * `spine`: the way of a run that installs; `end`: the ways to an end that several states have, which are drawn quietly;
 * `undo`: the ways to where all is put back; `way`: the others.
 */
type ArrowKind = 'spine' | 'end' | 'undo' | 'way';

/** The ways of an arrow that are taken on the same condition. */
export interface Label {
  /** The events, and in brackets the condition where there is one: `interrupt, error [may roll back]`. */
  readonly text: string;
  readonly events: readonly string[];
}

export interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly kind: ArrowKind;
  readonly labels: readonly Label[];
  /** When each way is taken, in whole sentences. */
  readonly descriptions: readonly string[];
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
  if (to === 'rollingBack' && from !== to) return 'undo';
  return ends.includes(to) ? 'end' : 'way';
}

/** `mustRotate` → `must rotate`. */
const words = (name: string): string => name.replaceAll(/[A-Z]/gu, (letter) => ` ${letter.toLowerCase()}`);

function labelsOf(ways: readonly Transition[]): readonly Label[] {
  const all = transitions();
  const events = new Map<string, string[]>();
  for (const { from, event, note } of ways) {
    // The last of several ways of an event has no guard: it is taken where no other is.
    const several = all.filter((way) => way.from === from && way.event === event).length > 1;
    const when = note === '' ? (several ? ' [else]' : '') : ` [${words(note)}]`;
    events.set(when, [...(events.get(when) ?? []), event]);
  }
  return [...events].map(([when, names]) => ({ text: `${names.join(', ')}${when}`, events: names }));
}

export function chart(): Chart {
  const states = stateSummaries();
  const arrows = new Map<string, Transition[]>();
  for (const way of transitions()) {
    const key = `${way.from} ${way.to}`;
    arrows.set(key, [...(arrows.get(key) ?? []), way]);
  }
  return {
    states,
    initial: states[0]!.name,
    arrows: [...arrows.values()].map((ways) => {
      const { from, to } = ways[0]!;
      const descriptions = [...new Set(ways.map(({ description }) => description))];
      return { from, to, kind: kindOf(from, to), labels: labelsOf(ways), descriptions };
    }),
  };
}
