/** Files that options name: read to the end, but never without bound, and told by their option where that fails. */
import { fstatSync, openSync, readSync, statSync } from 'node:fs';
import { close } from '../descriptor.ts';
import { errnoOf } from '../errno.ts';
import { InstallerError } from '../errors.ts';
import { usage } from './usage.ts';

/** Larger files are no configuration, no token and no service. */
const maxBytes = 1024 * 1024;

/** Reads to the end, but never more than what is allowed and one byte: a device has no end. */
function readBounded(fd: number): Buffer {
  const bytes = Buffer.alloc(maxBytes + 1);
  let length = 0;
  while (length < bytes.length) {
    try {
      const count = readSync(fd, bytes, length, bytes.length - length, null);
      if (count === 0) break;
      length += count;
    } catch (error) {
      if (errnoOf(error) !== 'EAGAIN') throw error;
      // Somebody made stdin non-blocking and has not written yet.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
  return bytes.subarray(0, length);
}

function boundedInput(fd: number, file: string, option: string): Buffer {
  const bytes = readBounded(fd);
  if (bytes.length > maxBytes) throw usage(`--${option} ${file} is larger than 1 MiB.`);
  return bytes;
}

/** Files, pipes (`<(…)`) and, as `-`, stdin. `regular`: what a person wrote down, so nothing but a file. */
export function readInput(file: string, option: string, regular = false): Buffer {
  try {
    if (file === '-') return boundedInput(0, file, option);
    if (regular && !statSync(file).isFile()) throw usage(`--${option} ${file} is not a regular file.`);
    const fd = openSync(file, 'r');
    try {
      if (fstatSync(fd).isDirectory()) throw usage(`--${option} ${file} is a directory.`, 'Give a file.');
      return boundedInput(fd, file, option);
    } finally {
      close(fd);
    }
  } catch (error) {
    if (error instanceof InstallerError) throw error;
    throw usage(
      `--${option} ${file} cannot be read (${errnoOf(error)}).`,
      'Give a file that exists and can be read.',
    );
  }
}
