/** `graph`: the machine as text. */
import { toJson, toMermaid } from '../machines/diagram.ts';
import type { Options } from './inputs.ts';
import type { CommandOutput } from './output.ts';
import { standardOutput } from './streams.ts';
import { hint, shown, usage } from './usage.ts';

const formats: Readonly<Record<string, () => string>> = { mermaid: toMermaid, json: toJson };

export function runGraph(options: Options, output: CommandOutput): number {
  const format = typeof options['format'] === 'string' ? options['format'] : 'mermaid';
  const draw = Object.hasOwn(formats, format) ? formats[format] : undefined;
  if (draw === undefined) {
    throw usage(
      `--format ${shown(format)} is unknown.${hint(format, Object.keys(formats))}`,
      `Valid: ${Object.keys(formats).join(', ')}.`,
    );
  }
  const text = draw();
  if (output.json) output.emit({ v: 1, type: 'graph', format, text });
  else standardOutput().write(text);
  output.emit({
    v: 1,
    type: 'result',
    command: 'graph',
    outcome: 'shown',
    exitCode: 0,
    changed: false,
    plan: null,
    run: null,
    error: null,
  });
  return 0;
}
