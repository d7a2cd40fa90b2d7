/** `graph`: the machine as text. */
import { toJson, toMermaid } from '../machines/diagram.ts';
import type { Options } from './inputs.ts';
import { nearest, usage } from './usage.ts';

const formats: Readonly<Record<string, () => string>> = { mermaid: toMermaid, json: toJson };

export function runGraph(options: Options): number {
  const format = typeof options['format'] === 'string' ? options['format'] : 'mermaid';
  const draw = Object.hasOwn(formats, format) ? formats[format] : undefined;
  if (draw === undefined) {
    const meant = nearest(format, Object.keys(formats));
    const hint = meant === null ? '' : ` Did you mean ${meant}?`;
    throw usage(
      `--format ${JSON.stringify(format)} is unknown.${hint}`,
      `Valid: ${Object.keys(formats).join(', ')}.`,
    );
  }
  process.stdout.write(draw());
  return 0;
}
