/** Places of paths, and what is done at them: found anew for each change, and once for many looks. */
import { errnoOf } from '../../errno.ts';
import { InstallerError } from '../../errors.ts';
import { through } from '../../opened-directory.ts';
import { locate, notRoot, partsOf, type Place, type Trust } from './resolve.ts';

/** An error of looking, with a code; one that has a code already passes. */
export function unreadable(trust: Trust, path: string, error: unknown): InstallerError {
  if (error instanceof InstallerError) return error;
  const why = `it cannot be read (${errnoOf(error)})`;
  return notRoot(trust, path, error) ?? new InstallerError('E_PATH_UNSAFE', { path, why }, error);
}

export interface Places {
  /**
   * Runs `use` on the place of a path, `missing` where its directory is not there; always closes it.
   *
   * @throws InstallerError E_PATH_UNSAFE, E_NOT_ROOT, E_ROOT_INVALID
   */
  readonly at: <T>(path: string, use: (place: Place) => T, missing: () => T) => T;
  /** As `at`, for looking alone; the way to a directory is gone once for all that is looked at in it in one go. */
  readonly look: <T>(path: string, use: (place: Place) => T, missing: () => T) => T;
  /** The next look goes the whole way. */
  readonly forget: () => void;
}

export function createPlaces(trust: Trust): Places {
  function placeOf(path: string): Place | null {
    try {
      return locate(trust, path);
    } catch (error) {
      throw unreadable(trust, path, error);
    }
  }

  function at<T>(path: string, use: (place: Place) => T, missing: () => T): T {
    const place = placeOf(path);
    if (place === null) return missing();
    try {
      return use(place);
    } finally {
      place.close();
    }
  }

  /** The directory that was looked into last: open until this turn ends, for whoever looks at one file of it after the other. */
  let last: { readonly directory: string; readonly place: Place } | null = null;
  const forget = (): void => {
    last?.place.close();
    last = null;
  };

  function look<T>(path: string, use: (place: Place) => T, missing: () => T): T {
    const end = path.lastIndexOf('/');
    const [directory, name] = [path.slice(0, end), path.slice(end + 1)];
    if (last !== null && last.directory === directory && partsOf(name).length === 1 && name !== '..') {
      const { fd } = last.place;
      return use({ fd, name, path: through(fd, name), close: () => undefined });
    }
    forget();
    const place = placeOf(path);
    if (place === null) return missing();
    last = { directory, place };
    queueMicrotask(forget);
    return use(place);
  }

  return { at, look, forget };
}
