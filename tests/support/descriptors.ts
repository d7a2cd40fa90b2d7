/** What this process has open. */
import { readdirSync, readlinkSync } from 'node:fs';

function targetOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    // That of the listing itself is gone by now.
    return '';
  }
}

/** Files and directories in `directory`, itself among them, that a descriptor of this process is open at. */
export const openIn = (directory: string): readonly string[] =>
  readdirSync('/proc/self/fd')
    .map(targetOf)
    .filter((file) => file === directory || file.startsWith(`${directory}/`))
    .sort();
