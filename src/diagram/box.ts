/** How a state and an arrow's label are written, in units of the picture; layout and drawing agree through it. */
import type { StateSummary } from '../machines/diagram.ts';
import type { Arrow } from './chart.ts';
import { widthOf, wrap } from './text.ts';

export const nameSize = 14;
export const textSize = 12;
export const labelSize = 11;
export const lineHeight = 16;
export const labelLineHeight = 14;
export const padding = 12;

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
    width: inside + 2 * padding,
    height: 2 * padding + lineHeight * (1 + lines.length) + 2,
    lines,
  };
}

/** Labels of ways that leave sideways have room; the others stand between lines: the event, and below it when. */
export const labelLines = ({ labels, kind }: Arrow): readonly string[] =>
  kind === 'end' || kind === 'undo'
    ? labels
    : labels.flatMap((label) =>
        widthOf(label, labelSize) <= widest.label
          ? [label]
          : label.split(/ (?=\[)/u).flatMap((part) => wrap(part, labelSize, widest.label)),
      );

export function labelBox(arrow: Arrow): { readonly width: number; readonly height: number } {
  const lines = labelLines(arrow);
  return {
    width: Math.max(...lines.map((line) => widthOf(line, labelSize))) + 4,
    height: lines.length * labelLineHeight + 2,
  };
}
