/** How long the run has taken, though the host's clock and the browser's may differ. */
import type { FrameLog } from './log.ts';

/** Frames that arrive later than this after the page was opened come as they are made. */
const settled = 1000;

export class Clock {
  private readonly log: FrameLog;
  private readonly opened = Date.now();
  /** The browser's time minus the host's. */
  private offset = 0;
  private isKnown = false;

  constructor(log: FrameLog) {
    this.log = log;
  }

  /** A frame has come: it was made a moment ago, or, among the first ones, at some time before. */
  arrived(): void {
    const now = Date.now();
    const distance = now - this.log.timeOf(this.log.last);
    const fresh = now - this.opened > settled;
    if (distance < this.offset || (fresh && !this.isKnown)) this.offset = distance;
    this.isKnown ||= fresh;
  }

  /** Milliseconds from the start of the run to a position, or until now. */
  elapsed(position: number, running: boolean): number {
    const start = this.log.timeOf(0);
    const there = this.log.timeOf(position);
    return (running ? Math.max(there, Date.now() - this.offset) : there) - start;
  }
}
