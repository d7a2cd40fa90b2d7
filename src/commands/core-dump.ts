/** A crash must not leave in a core file what the memory holds. */
import { writeFileSync } from 'node:fs';

/**
 * Of this process and its children nothing in memory goes into a core file, whoever writes one: unlike the limit of its size,
 * which Node cannot set and which does not bind a program that the kernel hands the dump to, this is the kernel's own choice
 * of what is dumped.
 */
export function keepMemoryOutOfCoreDumps(): void {
  try {
    writeFileSync('/proc/self/coredump_filter', '0', { flag: 'r+' });
  } catch {
    // A kernel that dumps no core has no such file.
  }
}
