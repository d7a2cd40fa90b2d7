/**
 * A directory once it is opened: what is in it is named through its descriptor, so that nobody can swap a directory for
 * another one, or for a link, while we are at work in it. Node has no openat; `/proc/self/fd/N/name` is the same.
 */
import { constants, openSync, readdirSync } from 'node:fs';

/** Never through a link in its last name. @throws the system's error: ENOENT, ENOTDIR, ELOOP … */
export const openDirectory = (path: string): number =>
  openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);

/** Path of `name` in an opened directory. */
export const through = (fd: number, name: string): string => `/proc/self/fd/${fd}/${name}`;

/** Names in an opened directory. */
export const namesIn = (fd: number): string[] => readdirSync(`/proc/self/fd/${fd}`);
