/**
 * The ways that nearly every state has: each leaves its state sideways, and runs on the lane of its end, an upright
 * line beside the boxes, to the end's box in a column of its own.
 */
import { boxOf, labelBox } from '../src/diagram/box.ts';
import { chart, type Arrow, type Chart } from '../src/diagram/chart.ts';
import type { ArrowLayout, Layout, Rectangle } from '../src/diagram/layout.ts';

/** The boxes beside the lanes, and next to which state each stands. */
const beside: Readonly<Record<string, string>> = {
  busy: 'preflight',
  refused: 'existing',
  interrupted: 'planning',
  failed: 'reloading',
};
export const column = Object.keys(beside);

/** From left to right. */
const lanes = ['rollingBack', 'failed', 'busy', 'refused', 'interrupted'];

/** States with others beside them: their ways out leave downwards, and turn below the row. */
const downwards = ['fresh', 'existing', 'forceRotate', 'purging'];

const gap = { label: 8, above: 2, lane: 14, exit: 6, margin: 16 };

export interface Picture {
  readonly states: Record<string, Rectangle>;
  readonly arrows: readonly ArrowLayout[];
  readonly start: Layout['start'];
}

export const exitsOf = ({ arrows }: Chart): readonly Arrow[] =>
  arrows
    .filter(({ kind }) => kind === 'end' || kind === 'undo')
    .toSorted((a, b) => lanes.indexOf(a.to) - lanes.indexOf(b.to));

const loopWidth = 16;

/** Room around a state's box: left for a way back to itself, right and below for the ways out with their labels. */
export function roomOf(name: string): {
  readonly left: number;
  readonly right: number;
  readonly below: number;
} {
  const own = chart().arrows.filter(({ from }) => from === name);
  const loops = own.filter(({ to }) => to === name);
  const sizes = exitsOf(chart()).flatMap((arrow) => (arrow.from === name ? [labelBox(arrow)] : []));
  const across = (all: readonly { readonly width: number }[], more: number): number =>
    all.length === 0 ? 0 : Math.max(...all.map(({ width }) => width)) + more;
  const isDown = downwards.includes(name);
  return {
    left: across(loops.map(labelBox), loopWidth + gap.label),
    right: isDown ? 0 : across(sizes, 2 * gap.label),
    below: isDown ? sizes.reduce((sum, { height }) => sum + height + gap.exit, 8) : 0,
  };
}

/** Boxes of the row are equally high, and those of the column equally wide. */
export function sizeOf(state: Chart['states'][number]): { readonly width: number; readonly height: number } {
  const among = (names: readonly string[]) =>
    names.includes(state.name) ? chart().states.filter(({ name }) => names.includes(name)) : [state];
  return {
    width: Math.max(...among(column).map((each) => boxOf(each).width)),
    height: Math.max(...among(downwards).map((each) => boxOf(each).height)),
  };
}

export function loop(arrow: Arrow, { x, y, height }: Rectangle): ArrowLayout {
  const { from, to } = arrow;
  const size = labelBox(arrow);
  const [low, high, left] = [y + height - 18, y + 18, x - loopWidth];
  const label = {
    x: left - gap.label / 2 - size.width,
    y: y + Math.round((height - size.height) / 2),
    ...size,
  };
  return {
    from,
    to,
    label,
    points: [
      [x, low],
      [left, low],
      [left, high],
      [x, high],
    ],
  };
}

/** Where a way out leaves its state and turns, and its label. */
interface Exit {
  readonly arrow: Arrow;
  readonly points: readonly (readonly number[])[];
  readonly label: Rectangle;
}

/** One below the other on the right side, each with its label above it. */
function sideways(box: Rectangle, arrows: readonly Arrow[], taken: number): Exit[] {
  const sizes = arrows.map(labelBox);
  const total = sizes.reduce((sum, { height }) => sum + height + gap.exit, 0);
  let y = box.y + taken + Math.round((box.height - taken - total) / 2);
  return arrows.map((arrow, at) => {
    const { width, height } = sizes[at]!;
    const right = box.x + box.width;
    const label = { x: right + gap.label, y: y, width, height };
    y += height + gap.exit;
    const line = Math.min(Math.max(y - gap.exit + gap.above, box.y + 8), box.y + box.height - 6);
    return { arrow, points: [[right, line]], label: { ...label, y: line - gap.above - height } };
  });
}

/** Side by side on the bottom, the right one turning first. */
function down(box: Rectangle, arrows: readonly Arrow[]): Exit[] {
  const bottom = box.y + box.height;
  let y = bottom + 4;
  return arrows.toReversed().map((arrow, at) => {
    const { width, height } = labelBox(arrow);
    const x = box.x + box.width / 2 + (at === 0 ? 40 : 14);
    const label = { x: x + 4, y: y + 2, width, height };
    y += height + gap.exit;
    return {
      arrow,
      points: [
        [x, bottom],
        [x, y],
      ],
      label,
    };
  });
}

export function layLanes(drawn: Chart, picture: Picture, arrows: readonly Arrow[]): Layout {
  const states = { ...picture.states };
  const sources = new Set(arrows.map(({ from }) => from));
  const exits = [...sources].flatMap((from) => {
    const own = arrows.filter((arrow) => arrow.from === from);
    const box = states[from]!;
    if (downwards.includes(from)) return down(box, own);
    return sideways(box, own, from === 'rollingBack' ? 20 : 0);
  });
  const right = (rectangles: readonly Rectangle[]): number =>
    Math.max(...rectangles.map(({ x, width }) => x + width));
  const first =
    right([
      ...Object.values(states),
      ...picture.arrows.map(({ label }) => label),
      ...exits.map(({ label }) => label),
    ]) + gap.lane;
  const laneX = (name: string): number => first + lanes.indexOf(name) * gap.lane;
  const columnX = first + (lanes.length - 1) * gap.lane + 2 * gap.lane;
  for (const name of column) {
    const { width, height } = sizeOf(drawn.states.find((state) => state.name === name)!);
    const neighbour = states[beside[name]!]!;
    states[name] = {
      x: columnX,
      y: neighbour.y + Math.round((neighbour.height - height) / 2),
      width,
      height,
    };
  }
  const entry = (name: string): readonly (readonly number[])[] => {
    const { x, y, width, height } = states[name]!;
    if (column.includes(name)) return [[x, y + height / 2]];
    return [[x + width, y + 14]];
  };
  const ends = exits.map(({ arrow: { from, to }, points, label }): ArrowLayout => {
    const lane = laneX(to);
    const [, y = 0] = points.at(-1)!;
    const end = entry(to);
    return { from, to, label, points: [...points, [lane, y], [lane, end[0]![1]!], ...end] };
  });
  const boxes = Object.values(states);
  return {
    width: right(boxes) + gap.margin,
    height: Math.max(...boxes.map(({ y, height }) => y + height)) + gap.margin,
    states,
    arrows: [...picture.arrows, ...ends],
    start: picture.start,
  };
}
