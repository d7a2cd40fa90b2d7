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

  /**
   * The directory that was looked into last, for whoever looks at one file of it after the other. It is closed as this turn
   * ends: a change never begins in the turn of a look, since it waits for the journal first.
   */
  let last: { readonly directory: string; readonly place: Place } | null = null;
  const forget = (): void => {
    const place = last?.place;
    last = null;
    place?.close();
  };

  function look<T>(path: string, use: (place: Place) => T, missing: () => T): T {
    const end = path.lastIndexOf('/');
    const [directory, name] = [path.slice(0, end), path.slice(end + 1)];
    // Another way of writing a path (`/a/b/`, `/a/.`) has its last name elsewhere.
    if (end === -1 || name === '..' || partsOf(name).length !== 1) return at(path, use, missing);
    if (last?.directory === directory) {
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

  return { at, look };
}
