/** On a terminal: the plain lines, and below them one line that tells what is being done right now. */
import type { RunEvent } from '../run-events.ts';
import { createPlainRenderer, type Channel, type PlainOptions, type Renderer } from './plain.ts';

const doing: Readonly<Record<string, string>> = {
  preflight: 'looking at the host',
  detecting: 'looking for an installation',
  planning: 'planning',
  writing: 'writing',
  reloading: 'checking the configuration',
  verifying: 'waiting for the service to answer',
  purging: "removing the service's state",
  rollingBack: 'putting everything back',
};

const clearLine = '\r\u001b[K';

export interface LiveOptions extends PlainOptions {
  /** Width of the terminal; it may change while a run lasts. */
  readonly columns: () => number | undefined;
}

export function createLiveRenderer({ columns, ...options }: LiveOptions): Renderer {
  const { out } = options;
  let shown = false;
  const clear = (): void => {
    if (shown) out.write(clearLine);
    shown = false;
  };
  const show = (text: string): void => {
    clear();
    // A line that wraps is two, of which only the second would be cleared.
    const room = (columns() ?? 80) - 1;
    const line = Array.from(`… ${text}`).slice(0, Math.max(room, 0)).join('');
    out.write(out.color ? `\u001b[2m${line}\u001b[0m` : line);
    shown = true;
  };
  const over = (channel: Channel): Channel => ({
    ...channel,
    write: (text) => {
      clear();
      channel.write(text);
    },
  });
  const plain = createPlainRenderer({ ...options, out: over(out), err: over(options.err) });
  return (event: RunEvent) => {
    plain(event);
    if (options.verbosity === 'quiet') return;
    if (event.type === 'activity') show(event.text);
    else if (event.type === 'state') {
      const text = doing[event.state];
      if (text === undefined) clear();
      else show(text);
    }
  };
}
