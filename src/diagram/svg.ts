/** The machine as a picture (SVG). */
import { boxOf, labelLineHeight, labelLines, labelSize, lineHeight, nameSize, textSize } from './box.ts';
import { chart, type Arrow, type Chart } from './chart.ts';
import { committedLayout, type ArrowLayout, type Layout, type Rectangle } from './layout.ts';
import { svgStyle } from './style.ts';

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const text = (classes: string, x: number, y: number, size: number, anchor: string, words: string): string =>
  `<text class="${classes}" x="${x}" y="${y}" font-size="${size}" text-anchor="${anchor}">${escaped(words)}</text>`;

function state(summary: Chart['states'][number], { x, y, width, height }: Rectangle): string {
  const middle = x + width / 2;
  const { lines } = boxOf(summary);
  const first = y + (height - lineHeight * (1 + lines.length)) / 2 + nameSize - 3;
  return [
    `<g class="state${summary.final ? ' final' : ''}" data-state="${summary.name}">`,
    `<rect class="box" x="${x}" y="${y}" width="${width}" height="${height}" rx="8"/>`,
    ...(summary.final
      ? [`<rect class="inner" x="${x + 3}" y="${y + 3}" width="${width - 6}" height="${height - 6}" rx="6"/>`]
      : []),
    text('name', middle, first, nameSize, 'middle', summary.name),
    ...lines.map((line, at) =>
      text('description', middle, first + 2 + (at + 1) * lineHeight, textSize, 'middle', line),
    ),
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

function arrow(drawn: Arrow, { points, label }: ArrowLayout): string {
  const { from, to, kind } = drawn;
  return [
    `<g class="arrow ${kind}" data-from="${from}" data-to="${to}">`,
    line(points),
    tip(points),
    ...labelLines(drawn).map((each, at) =>
      text('label', label.x + 2, label.y + labelSize + at * labelLineHeight, labelSize, 'start', each),
    ),
    '</g>',
  ].join('');
}

export interface SvgOptions {
  /**
   * true: the picture brings its colours, light and dark, and stands for itself in a file. false (default): no style
   * at all, for a page with a strict Content-Security-Policy; `svgStyle` holds the colours for its style sheet.
   */
  readonly standalone?: boolean;
}

export function draw(layout: Layout, { standalone = false }: SvgOptions = {}): string {
  const { states, arrows } = chart();
  const placed = ({ from, to }: Arrow): ArrowLayout =>
    layout.arrows.find((each) => each.from === from && each.to === to)!;
  // What is drawn first lies below: quiet arrows under the others.
  const order = ['end', 'undo', 'way', 'spine'];
  const drawn = [...arrows].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
  const [[startX = 0, startY = 0] = []] = layout.start;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="machine" role="img" aria-labelledby="machine-title machine-description" viewBox="0 0 ${layout.width} ${layout.height}" width="${layout.width}" height="${layout.height}" font-family="system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif">`,
    '<title id="machine-title">The machine of mcp-installer</title>',
    `<desc id="machine-description">A statechart of ${states.length} states. ${escaped(states.map(({ name, description }) => `${name}: ${description}`).join(' '))}</desc>`,
    ...(standalone ? [`<style>${svgStyle}</style>`] : []),
    `<g class="start"><circle cx="${startX}" cy="${startY - 5}" r="5"/>${line(layout.start)}${tip(layout.start)}</g>`,
    ...drawn.map((each) => arrow(each, placed(each))),
    ...states.map((each) => state(each, layout.states[each.name]!)),
    '</svg>',
    '',
  ].join('\n');
}

/** @returns an SVG document; states are `<g class="state" data-state>`, arrows `<g class="arrow" data-from data-to>` */
export const toSvg = (options: SvgOptions = {}): string => draw(committedLayout, options);
