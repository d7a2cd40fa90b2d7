/** The machine as a picture (SVG). */
import { boxOf, labelLineHeight, labelLines, labelSize, lineHeight, nameSize, textSize } from './box.ts';
import { chart, type Arrow, type Chart } from './chart.ts';
import { committedLayout, type ArrowLayout, type Layout, type Rectangle } from './layout.ts';
import { entered, hasTaken, ranges, taken, verdict, type RunPath } from './path.ts';
import { svgStyle } from './style.ts';
import { widthOf } from './text.ts';

type State = Chart['states'][number];

const badgeSize = 11;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const text = (classes: string, x: number, y: number, size: number, anchor: string, words: string): string =>
  `<text class="${classes}" x="${x}" y="${y}" font-size="${size}" text-anchor="${anchor}">${escaped(words)}</text>`;

/** A pill on the upper left corner of a box: the numbers of the steps that entered it. */
function badge({ x, y }: Rectangle, numbers: readonly number[]): string {
  const words = ranges(numbers);
  const width = widthOf(words, badgeSize, true) + 12;
  const left = x - Math.min(10, width / 2);
  return [
    `<g class="badge"><rect x="${left}" y="${y - 10}" width="${width}" height="18" rx="9"/>`,
    text('number', left + width / 2, y + 3, badgeSize, 'middle', words),
    '</g>',
  ].join('');
}

function state(summary: State, place: Rectangle, path: RunPath | undefined): string {
  const { x, y, width, height } = place;
  const { name, final } = summary;
  const { lines } = boxOf(summary);
  const middle = x + width / 2;
  const first = y + (height - lineHeight * (1 + lines.length)) / 2 + nameSize - 3;
  const numbers = path === undefined ? [] : entered(path, name);
  const classes = [
    'state',
    ...(final ? ['final'] : []),
    ...(numbers.length > 0 ? ['visited'] : []),
    ...(path?.at === name ? ['last', ...(path.outcome === null ? ['cut'] : [])] : []),
  ];
  return [
    `<g class="${classes.join(' ')}" data-state="${name}">`,
    `<rect class="box" x="${x}" y="${y}" width="${width}" height="${height}" rx="8"/>`,
    ...(final
      ? [`<rect class="inner" x="${x + 3}" y="${y + 3}" width="${width - 6}" height="${height - 6}" rx="6"/>`]
      : []),
    text('name', middle, first, nameSize, 'middle', name),
    ...lines.map((line, at) =>
      text('description', middle, first + 2 + (at + 1) * lineHeight, textSize, 'middle', line),
    ),
    ...(numbers.length > 0 ? [badge(place, numbers)] : []),
    '</g>',
  ].join('');
}

const head = { length: 8, half: 3.5 };

/** A triangle at the end of the last piece. */
function tip(points: ArrowLayout['points']): string {
  const [[fromX = 0, fromY = 0] = [], [x = 0, y = 0] = []] = points.slice(-2);
  const [dx, dy] = [Math.sign(x - fromX), Math.sign(y - fromY)];
  const [backX, backY] = [x - dx * head.length, y - dy * head.length];
  const [sideX, sideY] = [dy * head.half, dx * head.half];
  return `<path class="head" d="M${x} ${y}L${backX + sideX} ${backY + sideY}L${backX - sideX} ${backY - sideY}Z"/>`;
}

const corner = 6;

/** Straight pieces with rounded corners; the line ends inside the tip. */
function line(points: ArrowLayout['points']): string {
  const [first, ...rest] = points as [number, number][];
  let at = first!;
  let path = `M${at[0]} ${at[1]}`;
  rest.forEach((point, index) => {
    const next = rest[index + 1];
    if (next === undefined) {
      const back = head.length - 2;
      path += `L${point[0] - Math.sign(point[0] - at[0]) * back} ${point[1] - Math.sign(point[1] - at[1]) * back}`;
      return;
    }
    const toward = ([ax, ay]: [number, number], [bx, by]: [number, number]): [number, number] => {
      const far = Math.min(corner, (Math.abs(bx - ax) + Math.abs(by - ay)) / 2);
      return [ax + Math.sign(bx - ax) * far, ay + Math.sign(by - ay) * far];
    };
    const [before, after] = [toward(point, at), toward(point, next)];
    path += `L${before[0]} ${before[1]}Q${point[0]} ${point[1]} ${after[0]} ${after[1]}`;
    at = point;
  });
  return `<path class="line" fill="none" d="${path}"/>`;
}

function arrow(drawn: Arrow, { points, label }: ArrowLayout, path: RunPath | undefined): string {
  const { from, to, kind, descriptions } = drawn;
  const isTaken = path !== undefined && taken(path, from, to).length > 0;
  return [
    `<g class="arrow ${kind}${isTaken ? ' taken' : ''}" data-from="${from}" data-to="${to}">`,
    `<title>${escaped(`${from} to ${to}: ${descriptions.join(' ')}`)}</title>`,
    line(points),
    tip(points),
    ...labelLines(drawn).map(({ text: words, label: { events } }, at) => {
      const classes = path !== undefined && hasTaken(path, from, to, events) ? 'label taken' : 'label';
      return text(
        classes,
        label.x + 2,
        label.y + labelSize + at * labelLineHeight,
        labelSize,
        'start',
        words,
      );
    }),
    '</g>',
  ].join('');
}

/** How the picture is drawn. */
export interface SvgOptions {
  /**
   * true: the picture brings its colours, light and dark, and stands for itself in a file. false (default): no style
   * at all, for a page with a strict Content-Security-Policy; `svgStyle` holds the colours for its style sheet.
   */
  readonly standalone?: boolean;
  /** The way of a run, to be marked: its arrows, and on each state the numbers of the steps that entered it. */
  readonly path?: RunPath;
}

const font = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

/** What the picture is to whoever does not see it. */
function spoken(states: readonly State[], path: RunPath | undefined): string {
  const title = 'The machine of mcp-installer';
  const all = states.map(({ name, description }) => `${name}: ${description}`).join(' ');
  const steps = path?.steps.map(({ n, to }) => `${n}: ${to}`).join(', ') ?? '';
  return [
    `<title>${title}${path === undefined ? '' : `, and the way of run ${path.run}`}</title>`,
    `<desc>${escaped(path === undefined ? `A statechart. ${all}` : `${verdict(path)}. Steps: ${steps}. ${all}`)}</desc>`,
  ].join('\n');
}

const caption = (path: RunPath): string =>
  text('run', 16, 28, nameSize, 'start', `Run ${path.run}`) +
  text('verdict', 16, 28 + lineHeight + 2, textSize, 'start', verdict(path));

/** @param layout where everything stands; what `toSvg` uses is worked out beforehand */
export function draw(layout: Layout, { standalone = false, path }: SvgOptions = {}): string {
  const { states, arrows } = chart();
  const { width, height } = layout;
  const placed = ({ from, to }: Arrow): ArrowLayout =>
    layout.arrows.find((each) => each.from === from && each.to === to)!;
  // What is drawn first lies below: quiet arrows under the others, and all of them under what was taken.
  const order = ['end', 'undo', 'way', 'spine'];
  const depth = ({ from, to, kind }: Arrow): number =>
    order.indexOf(kind) + (path !== undefined && taken(path, from, to).length > 0 ? order.length : 0);
  const [[startX = 0, startY = 0] = []] = layout.start;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="machine${path === undefined ? '' : ' marked'}" role="img" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="${font}">`,
    spoken(states, path),
    ...(standalone ? [`<style>${svgStyle}</style>`] : []),
    ...(path === undefined ? [] : [caption(path)]),
    `<g class="start"><circle cx="${startX}" cy="${startY - 5}" r="5"/>${line(layout.start)}${tip(layout.start)}</g>`,
    ...arrows.toSorted((a, b) => depth(a) - depth(b)).map((each) => arrow(each, placed(each), path)),
    ...states.map((each) => state(each, layout.states[each.name]!, path)),
    '</svg>',
    '',
  ].join('\n');
}

/** @returns an SVG document; states are `<g class="state" data-state>`, arrows `<g class="arrow" data-from data-to>` */
export const toSvg = (options: SvgOptions = {}): string => draw(committedLayout, options);
