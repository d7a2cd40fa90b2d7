/** How wide text is at most: the widths of DejaVu Sans, the widest of the fonts that a reader is likely to have. */

/** Of the characters from space to tilde, in hundredths of the font size. */
const regular = [
  32, 41, 46, 84, 64, 96, 78, 28, 40, 40, 50, 84, 32, 37, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34,
  34, 84, 84, 84, 54, 100, 69, 69, 70, 78, 64, 58, 78, 76, 30, 30, 66, 56, 87, 75, 79, 61, 79, 70, 64, 62, 74,
  69, 99, 69, 62, 69, 40, 34, 40, 84, 50, 50, 62, 64, 55, 64, 62, 36, 64, 64, 28, 28, 58, 28, 98, 64, 62, 64,
  64, 42, 53, 40, 64, 60, 82, 60, 60, 53, 64, 34, 64, 84,
];

/** Bold text is wider than regular text by at most this much. */
const bolder = 1.25;

/** Of what is not in the table: as wide as a letter can be. */
const unknown = 100;

/** @returns a width in units of the picture, never less than what a browser draws */
export function widthOf(text: string, size: number, bold = false): number {
  const hundredths = Array.from(text).reduce(
    (sum, letter) => sum + (regular[letter.codePointAt(0)! - 32] ?? unknown),
    0,
  );
  return Math.ceil((hundredths * size * (bold ? bolder : 1)) / 100);
}

/** Lines of at most `width`, broken between words. */
export function wrap(text: string, size: number, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = lines.length === 0 ? word : `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && widthOf(longer, size) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
