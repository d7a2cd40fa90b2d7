/** Signals of a run that changes the host. */
import { closeSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { Signal } from '../machines/types.ts';

/** Signals end the run politely; a second one changes nothing, so that putting back is not cut short. */
export function interrupts(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] satisfies Signal[])
    process.on(signal, () => controller.abort(signal));
  leaveDeadTerminalAtExit();
  return controller.signal;
}

/**
 * A terminal that has hung up cannot be given its modes back, and Node aborts where it tries to at its end, whatever the
 * exit code is. Descriptors that are not the terminal's any more are left alone.
 */
function leaveDeadTerminalAtExit(): void {
  const terminals = [0, 1, 2].filter((fd) => isatty(fd));
  process.once('exit', () => {
    // Whoever hung up does not say any more that it is a terminal.
    for (const fd of terminals.filter((each) => !isatty(each))) {
      closeSync(fd);
      // The lowest number that is free is the one just closed.
      openSync('/dev/null', 'r+');
    }
  });
}
