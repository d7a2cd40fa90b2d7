/** Where everything stands in the picture: worked out beforehand (`npm run docs`), so that drawing needs no engine. */
import file from './layout.json' with { type: 'json' };

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface ArrowLayout {
  readonly from: string;
  readonly to: string;
  /** x and y of each corner, from the tail to the tip; each piece is horizontal or vertical. */
  readonly points: readonly (readonly number[])[];
  readonly label: Rectangle;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly states: Readonly<Record<string, Rectangle>>;
  readonly arrows: readonly ArrowLayout[];
  /** The arrow that enters from nowhere. */
  readonly start: readonly (readonly number[])[];
}

export const committedLayout: Layout = file;
