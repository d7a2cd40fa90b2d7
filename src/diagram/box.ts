/** How a state and an arrow's label are written, in units of the picture; layout and drawing agree through it. */
import type { StateSummary } from '../machines/diagram.ts';
import type { Arrow, Label } from './chart.ts';
import { widthOf, wrap } from './text.ts';

export const nameSize = 14;
export const textSize = 12;
export const labelSize = 11;
export const lineHeight = 16;
export const labelLineHeight = 14;
const padding = 12;

const widest = { working: 204, final: 150, label: 96 };

export interface Box {
  readonly width: number;
  readonly height: number;
  /** The description, a line each. */
  readonly lines: readonly string[];
}

export function boxOf({ name, description, final }: StateSummary): Box {
  const lines = wrap(description, textSize, (final ? widest.final : widest.working) - 2 * padding);
  const inside = Math.max(widthOf(name, nameSize, true), ...lines.map((line) => widthOf(line, textSize)));
  return {
    // Even, so that the middle is a whole number and arrows from middle to middle are straight.
    width: 2 * Math.ceil(inside / 2) + 2 * padding,
    height: 2 * padding + lineHeight * (1 + lines.length) + 2,
    lines,
  };
}

interface LabelLine {
  readonly text: string;
  readonly label: Label;
}

/** Labels of ways that leave sideways have room; the others stand between lines: the event, and below it when. */
export const labelLines = ({ labels, kind }: Arrow): readonly LabelLine[] =>
  labels.flatMap((label) => {
    const fits = kind === 'end' || kind === 'undo' || widthOf(label.text, labelSize) <= widest.label;
    const lines = fits
      ? [label.text]
      : label.text.split(/ (?=\[)/u).flatMap((part) => wrap(part, labelSize, widest.label));
    return lines.map((text) => ({ text, label }));
  });

export function labelBox(arrow: Arrow): { readonly width: number; readonly height: number } {
  const lines = labelLines(arrow);
  return {
    width: Math.max(...lines.map(({ text }) => widthOf(text, labelSize))) + 4,
    height: lines.length * labelLineHeight + 2,
  };
}
