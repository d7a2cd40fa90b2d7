/** One JSON object a line (docs/reference/run-events.schema.json). */
import type { Renderer } from './plain.ts';

export const createJsonRenderer =
  (write: (text: string) => void): Renderer =>
  (event) =>
    write(`${JSON.stringify(event)}\n`);
