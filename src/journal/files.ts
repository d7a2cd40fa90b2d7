/** Files of the journal's own directory, which is root's alone: nobody else can plant anything there. */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { close } from '../descriptor.ts';

export function syncDirectory(directory: string): void {
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    close(fd);
  }
}

/** A directory that only root may enter, on disk before anything is put into it. */
export function makePrivateDirectory(parent: string, name: string): string {
  const directory = path.join(parent, name);
  mkdirSync(directory, { mode: 0o700 });
  syncDirectory(parent);
  return directory;
}

/**
 * The bytes of a regular file. A pipe or a device in its place is never waited for, nor is a link followed.
 *
 * @throws the system's error, ENOENT among them; Error where it is no regular file
 */
export function readRegularFile(file: string): Buffer {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const fd = openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    if (!fstatSync(fd).isFile()) throw new Error(`${file} is not a regular file`);
    return readFileSync(fd);
  } finally {
    close(fd);
  }
}

export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at, bytes.length - at);
}

/** Opens a new file for appending, mode 0600 whatever the umask is. */
export function openNewFile(directory: string, name: string): number {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_APPEND } = constants;
  const file = path.join(directory, name);
  const fd = openSync(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_APPEND, 0o600);
  fchmodSync(fd, 0o600);
  return fd;
}

const temporarySuffix = '.mcp-installer-tmp';

/** Has a killed {@link writeNewFile} left this? */
export const isLeftover = (name: string): boolean => name.endsWith(temporarySuffix);

/** A whole new file, durable when this returns; replaces one of that name, which can only be a broken one. */
export function writeNewFile(directory: string, name: string, bytes: Uint8Array): void {
  // Random, not a process id: in a container the next run may have the same one.
  const temporary = `.${name}.${randomBytes(8).toString('hex')}${temporarySuffix}`;
  const fd = openNewFile(directory, temporary);
  try {
    writeAll(fd, bytes);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(path.join(directory, temporary), path.join(directory, name));
  syncDirectory(directory);
}

/** What a killed {@link writeNewFile} left: in the journal's own directory, and in the folder of the last run. */
export function removeLeftovers(home: string, lastRun: string | null): void {
  const directories = [home];
  if (lastRun !== null) directories.push(path.join(home, 'runs', lastRun, 'before'));
  for (const directory of directories) {
    if (!existsSync(directory)) continue;
    for (const name of readdirSync(directory)) {
      if (isLeftover(name)) unlinkSync(path.join(directory, name));
    }
  }
}
