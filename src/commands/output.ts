/** Where a command's words go: people's text, or JSON on stdout with people's text on stderr. Errors go to stderr. */
import { createJsonRenderer } from '../render/json.ts';
import { createLiveRenderer } from '../render/live.ts';
import { createPlainRenderer, type Channel, type PlainOptions, type Renderer } from '../render/plain.ts';
import { standardError, standardOutput, type Sink } from './streams.ts';

export interface OutputOptions {
  readonly json: boolean;
  readonly color: boolean;
  readonly verbosity: PlainOptions['verbosity'];
}

export interface CommandOutput {
  readonly emit: Renderer;
  /** What was asked for, as people read it; the same as data is emitted. */
  readonly say: (text: string) => void;
  readonly json: boolean;
  /** Has a run changed the host, so far as was told? */
  readonly changed: () => boolean;
}

/** A terminal that knows no escape sequences. */
const isDumb = (): boolean => ['', 'dumb'].includes(process.env['TERM'] ?? '');

export function createOutput({ json, color, verbosity }: OutputOptions): CommandOutput {
  const [out, err] = [standardOutput(), standardError()];
  const colored = color && (process.env['NO_COLOR'] ?? '') === '' && !isDumb();
  const channel = ({ stream, write }: Sink): Channel => ({ write, color: stream.isTTY && colored });
  const people = json ? err : out;
  const options: PlainOptions = { out: channel(people), err: channel(err), verbosity };
  const render =
    people.stream.isTTY && !isDumb()
      ? createLiveRenderer({ ...options, columns: () => people.stream.columns })
      : createPlainRenderer(options);
  const machine = json ? createJsonRenderer(out.write) : null;
  let dryRun = false;
  let changed = false;
  return {
    json,
    emit: (event) => {
      if (event.type === 'run') dryRun = event.dryRun;
      // A dry run tells what would be changed.
      if (event.type === 'result') changed = event.changed && !dryRun;
      machine?.(event);
      render(event);
    },
    say: (text) => people.write(`${text}\n`),
    changed: () => changed,
  };
}
