/** Facts about the picture that a person would see at once, said so that a machine sees them too. */
import { describe, expect, test } from 'vitest';
import { boxOf, labelBox, labelLines, labelSize, nameSize, textSize } from '../../src/diagram/box.ts';
import { chart, type Arrow } from '../../src/diagram/chart.ts';
import { committedLayout as layout, type Rectangle } from '../../src/diagram/layout.ts';
import { verdict } from '../../src/diagram/path.ts';
import { widthOf } from '../../src/diagram/text.ts';
import { stateSummaries, transitions } from '../../src/machines/diagram.ts';
import { cutOff } from './runs.ts';

const { states, arrows } = chart();
const boxes = Object.entries(layout.states).map(([name, box]) => ({ name, box }));
const labels = layout.arrows.map(({ from, to, label }) => ({ name: `${from} to ${to}`, box: label }));

const overlap = (a: Rectangle, b: Rectangle, distance = 0): boolean =>
  a.x < b.x + b.width + distance &&
  b.x < a.x + a.width + distance &&
  a.y < b.y + b.height + distance &&
  b.y < a.y + a.height + distance;

interface Piece {
  readonly name: string;
  readonly box: Rectangle;
}

/** The straight pieces of all arrows, as rectangles without area. */
const pieces: readonly Piece[] = layout.arrows.flatMap(({ from, to, points }) =>
  points.slice(1).map(([toX = 0, toY = 0], at) => {
    const [x = 0, y = 0] = points[at]!;
    const box = {
      x: Math.min(x, toX),
      y: Math.min(y, toY),
      width: Math.abs(toX - x),
      height: Math.abs(toY - y),
    };
    return { name: `${from} to ${to}`, box };
  }),
);

const pairs = (some: readonly Piece[], others: readonly Piece[], distance: number): string[] =>
  some.flatMap((a) =>
    others.flatMap((b) => (a !== b && overlap(a.box, b.box, distance) ? [`${a.name} / ${b.name}`] : [])),
  );

describe('the picture', () => {
  test('draws every state of the machine, and no other', () => {
    expect(Object.keys(layout.states).sort()).toEqual(
      stateSummaries()
        .map(({ name }) => name)
        .sort(),
    );
  });

  test('draws one arrow for all ways between two states, with every event and condition on it', () => {
    const key = ({ from, to }: { readonly from: string; readonly to: string }) => `${from} ${to}`;
    const wanted = [...new Set(transitions().map(key))].sort();
    expect(arrows.map(key).sort()).toEqual(wanted);
    expect(layout.arrows.map(key).sort()).toEqual(wanted);
    const told = arrows.flatMap((arrow) =>
      arrow.labels.flatMap(({ events }) => events.map((event) => `${key(arrow)} ${event}`)),
    );
    expect([...new Set(told)].sort()).toEqual(
      [...new Set(transitions().map((way) => `${key(way)} ${way.event}`))].sort(),
    );
  });

  test('tells in words when each way is taken, and what each state is', () => {
    expect(transitions().filter(({ description }) => !/^\S.*\.$/u.test(description))).toEqual([]);
    expect(stateSummaries().filter(({ description }) => !/^\S.*[.?]$/u.test(description))).toEqual([]);
  });

  test('lays no box over another, and no label over a box or a label', () => {
    expect(pairs(boxes, boxes, 8)).toEqual([]);
    expect(pairs(labels, boxes, 0)).toEqual([]);
    expect(pairs(labels, labels, 0)).toEqual([]);
  });

  test('leads no line through a box or a label', () => {
    const inside = boxes.map(({ name, box: { x, y, width, height } }) => ({
      name,
      box: { x: x + 1, y: y + 1, width: width - 2, height: height - 2 },
    }));
    expect(pairs(pieces, inside, 0)).toEqual([]);
    expect(pairs(pieces, labels, 0)).toEqual([]);
  });

  test('draws lines upright or level, from the edge of one box to the edge of another', () => {
    const onEdge = ({ x, y, width, height }: Rectangle, [px = 0, py = 0]: readonly number[]): boolean =>
      ((px === x || px === x + width) && py >= y && py <= y + height) ||
      ((py === y || py === y + height) && px >= x && px <= x + width);
    expect(pieces.filter(({ box }) => box.width !== 0 && box.height !== 0)).toEqual([]);
    for (const { from, to, points } of layout.arrows) {
      const ends = {
        begins: onEdge(layout.states[from]!, points[0]!),
        arrives: onEdge(layout.states[to]!, points.at(-1)!),
      };
      expect({ from, to, ...ends }).toEqual({ from, to, begins: true, arrives: true });
    }
  });

  test('holds all text in its box, in the widest of the usual fonts', () => {
    for (const state of states) {
      const { lines } = boxOf(state);
      const { width, height } = layout.states[state.name]!;
      expect(lines.join(' ')).toBe(state.description);
      const widest = Math.max(
        widthOf(state.name, nameSize, true),
        ...lines.map((line) => widthOf(line, textSize)),
      );
      expect(width - widest).toBeGreaterThanOrEqual(16);
      expect(height).toBeGreaterThanOrEqual(boxOf(state).height);
    }
    for (const arrow of arrows) {
      const { label } = layout.arrows.find(({ from, to }) => from === arrow.from && to === arrow.to)!;
      const widest = Math.max(...labelLines(arrow).map(({ text }) => widthOf(text, labelSize)));
      expect(widest).toBeLessThanOrEqual(label.width);
      expect(labelBox(arrow).height).toBeLessThanOrEqual(label.height);
    }
  });

  test('ends behind all that is in it', () => {
    const all = [...boxes, ...labels, ...pieces];
    const outside = all.filter(
      ({ box }) =>
        box.x < 0 || box.y < 0 || box.x + box.width > layout.width || box.y + box.height > layout.height,
    );
    expect(outside).toEqual([]);
  });

  test('leaves the upper left corner to what is said of a run', () => {
    const texts = [
      widthOf(`Run ${cutOff.run}`, nameSize, true),
      widthOf(
        verdict({ ...cutOff, at: 'rollingBack', steps: Array.from({ length: 100 }, () => cutOff.steps[0]!) }),
        textSize,
      ),
    ];
    const caption = { x: 16, y: 14, width: Math.max(...texts), height: 40 };
    const taken = [...boxes, ...labels, ...pieces].filter(({ box }) => overlap(box, caption, 8));
    expect(taken).toEqual([]);
  });

  test('shows the way of an installation as one straight line downwards', () => {
    const line = [
      'preflight',
      'detecting',
      'existing',
      'planning',
      'writing',
      'reloading',
      'verifying',
      'installed',
    ];
    const places = line.map((name) => layout.states[name]!);
    expect(new Set(places.map(({ x, width }) => Math.round(x + width / 2))).size).toBe(1);
    expect(places.map(({ y }) => y)).toEqual(places.map(({ y }) => y).toSorted((a, b) => a - b));
    const row = ['fresh', 'existing', 'forceRotate'].map((name) => layout.states[name]!.y);
    expect(new Set(row).size).toBe(1);
    const bent = arrows.filter(({ from, to, kind }: Arrow) => {
      const { points } = layout.arrows.find((each) => each.from === from && each.to === to)!;
      return kind === 'spine' && line.includes(from) && line.includes(to) && points.length > 2;
    });
    expect(bent).toEqual([]);
  });
});
