/**
 * A host whose run can be stopped: from then on nothing new is begun, and what only looks or waits ends at once. A change
 * that is under way ends as it would have. Putting back needs the host again: `resume`.
 */
import { InstallerError } from '../../errors.ts';
import type { Host } from './port.ts';

export interface StoppableHost {
  readonly host: Host;
  stop(): void;
  resume(): void;
}

export function createStoppableHost(inner: Host): StoppableHost {
  let stopping = new AbortController();
  /** Nobody hears of this error: whoever was asking has been stopped. */
  const mayGoOn = (): AbortSignal => {
    if (stopping.signal.aborted) throw new InstallerError('E_INTERRUPTED', { signal: 'a signal' });
    return stopping.signal;
  };
  const host: Host = {
    ...inner,
    query: async (command) => inner.query({ ...command, signal: mayGoOn() }),
    http: async (request) => inner.http({ ...request, signal: mayGoOn() }),
    pause: async (milliseconds) => inner.pause(milliseconds, mayGoOn()),
    makeDirectory: async (path, mode) => {
      mayGoOn();
      return inner.makeDirectory(path, mode);
    },
    writeFile: async (path, bytes, options) => {
      mayGoOn();
      return inner.writeFile(path, bytes, options);
    },
    makeLink: async (path, target, expected) => {
      mayGoOn();
      return inner.makeLink(path, target, expected);
    },
    remove: async (path) => {
      mayGoOn();
      return inner.remove(path);
    },
    removeTree: async (path) => {
      mayGoOn();
      return inner.removeTree(path);
    },
    setMode: async (path, mode) => {
      mayGoOn();
      return inner.setMode(path, mode);
    },
    change: async (command) => {
      mayGoOn();
      return inner.change(command);
    },
  };
  return {
    host,
    stop: () => stopping.abort(),
    resume: () => {
      stopping = new AbortController();
    },
  };
}
