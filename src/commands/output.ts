/** Where a command's words go: people's text, or JSON on stdout with people's text on stderr. */
import { createJsonRenderer } from '../render/json.ts';
import { createLiveRenderer } from '../render/live.ts';
import { createPlainRenderer, type PlainOptions, type Renderer } from '../render/plain.ts';
import type { Options } from './inputs.ts';

/** A reader that went away (`| head -1`) must not end a run half way. */
function ignoreClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}

export interface CommandOutput {
  readonly emit: Renderer;
  readonly json: boolean;
}

export function createOutput(options: Options): CommandOutput {
  ignoreClosedPipes();
  const json = options['json'] === true;
  const stream = json ? process.stderr : process.stdout;
  const plainOptions: PlainOptions = {
    write: (text) => void stream.write(text),
    color: stream.isTTY && options['color'] !== false && (process.env['NO_COLOR'] ?? '') === '',
    verbosity: options['quiet'] === true ? 'quiet' : options['verbose'] === true ? 'verbose' : 'normal',
  };
  const people = stream.isTTY ? createLiveRenderer(plainOptions) : createPlainRenderer(plainOptions);
  if (!json) return { emit: people, json };
  const machine = createJsonRenderer((text) => void process.stdout.write(text));
  return {
    json,
    emit: (event) => {
      machine(event);
      people(event);
    },
  };
}
