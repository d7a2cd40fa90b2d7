/** On a terminal: the plain lines, and below them one line that tells what is being done right now. */
import type { RunEvent } from '../run-events.ts';
import { createPlainRenderer, type PlainOptions, type Renderer } from './plain.ts';

const doing: Readonly<Record<string, string>> = {
  preflight: 'looking at the host',
  detecting: 'looking for an installation',
  planning: 'planning',
  writing: 'writing',
  reloading: 'checking the configuration',
  verifying: 'waiting for the service to answer',
  rollingBack: 'putting everything back',
};

const clearLine = '\r\u001b[K';

export function createLiveRenderer(options: PlainOptions): Renderer {
  let shown = false;
  const clear = (): void => {
    if (shown) options.write(clearLine);
    shown = false;
  };
  const show = (text: string): void => {
    clear();
    options.write(options.color ? `\u001b[2m… ${text}\u001b[0m` : `… ${text}`);
    shown = true;
  };
  const plain = createPlainRenderer({
    ...options,
    write: (text) => {
      clear();
      options.write(text);
    },
  });
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
