/** A host that fails where it is told to, as disks and programs do: around any other host, a real one included. */
import type { Command, Host } from '../effects/host/port.ts';
import { InstallerError } from '../errors.ts';

/** Calls of the port that can be made to fail. Looks fail as an unreadable file does, programs by their exit code. */
export type FaultyCall =
  | 'readFile'
  | 'makeDirectory'
  | 'writeFile'
  | 'makeLink'
  | 'remove'
  | 'removeTree'
  | 'setMode'
  | 'change'
  | 'query'
  | 'http';

/** Where a host shall fail, and how. */
export interface Fault {
  readonly call: FaultyCall;
  /** Only on this path; of `change` and `query` the program's, of `http` the path that is asked for. */
  readonly path?: string;
  /** The first of the calls that fit which fails, from 0 (default). */
  readonly nth?: number;
  /** How many of them fail, from that one on: 1 (default), or Infinity. */
  readonly times?: number;
  /** `before` (default): nothing is done. `after`: it is done all the same, as when only the answer is lost. */
  readonly when?: 'before' | 'after';
  /** The system's name for it: EIO (default), ENOSPC, EROFS … */
  readonly why?: string;
}

/** One call of the port that changes something, or could fail. */
export interface HostCall {
  readonly call: FaultyCall;
  readonly path: string;
}

/** The host, what was asked of it, and which of that failed. */
export interface FaultyHost extends Host {
  /** Every call that could fail, in order. */
  readonly calls: readonly HostCall[];
  /** Those that did: a test that expects a failure sees that it has happened. */
  readonly failed: readonly HostCall[];
}

const ofProgram = ({ file }: Command): string => file;

/**
 * @param inner does what does not fail
 * @param faults each counts its own calls
 */
export function createFaultyHost(inner: Host, faults: readonly Fault[]): FaultyHost {
  const calls: HostCall[] = [];
  const failed: HostCall[] = [];
  const seen = new Map<Fault, number>();

  /** The fault that strikes this call. */
  const strikes = (call: FaultyCall, path: string): Fault | null => {
    calls.push({ call, path });
    const [fault = null] = faults.filter((each) => {
      if (each.call !== call || (each.path !== undefined && each.path !== path)) return false;
      const nth = seen.get(each) ?? 0;
      seen.set(each, nth + 1);
      const first = each.nth ?? 0;
      return nth >= first && nth < first + (each.times ?? 1);
    });
    if (fault !== null) failed.push({ call, path });
    return fault;
  };

  /** Does it, unless it fails; a failure that comes `after` has done it. */
  const tried = async <T>(
    call: FaultyCall,
    path: string,
    act: () => Promise<T>,
    fails: (why: string) => T,
  ): Promise<T> => {
    const fault = strikes(call, path);
    if (fault === null) return act();
    if (fault.when === 'after') await act();
    return fails(fault.why ?? 'EIO');
  };
  const unwritable =
    (path: string) =>
    (why: string): never => {
      throw new InstallerError('E_WRITE_FAILED', { path, why });
    };
  const exits = (why: string) => ({ exitCode: 1, stdout: '', stderr: `${why}\n` });

  return {
    ...inner,
    calls,
    failed,
    readFile: (path) => {
      const fault = strikes('readFile', path);
      if (fault === null) return inner.readFile(path);
      throw new InstallerError('E_PATH_UNSAFE', { path, why: `it cannot be read (${fault.why ?? 'EIO'})` });
    },
    makeDirectory: (path, mode) =>
      tried('makeDirectory', path, () => inner.makeDirectory(path, mode), unwritable(path)),
    writeFile: (path, bytes, options) =>
      tried('writeFile', path, () => inner.writeFile(path, bytes, options), unwritable(path)),
    makeLink: (path, target, expected) =>
      tried('makeLink', path, () => inner.makeLink(path, target, expected), unwritable(path)),
    remove: (path) => tried('remove', path, () => inner.remove(path), unwritable(path)),
    removeTree: (path) => tried('removeTree', path, () => inner.removeTree(path), unwritable(path)),
    setMode: (path, mode) => tried('setMode', path, () => inner.setMode(path, mode), unwritable(path)),
    change: (command) => tried('change', ofProgram(command), () => inner.change(command), exits),
    query: (command) => tried('query', ofProgram(command), () => inner.query(command), exits),
    http: (request) =>
      tried(
        'http',
        request.path,
        () => inner.http(request),
        (why) => ({ ok: false, why }),
      ),
  };
}
