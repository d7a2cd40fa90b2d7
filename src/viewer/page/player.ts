/** Where the page stands in the log: at its end, waiting somewhere, or moving through it in the run's own pace. */
import type { FrameLog } from './log.ts';

export const speeds = [1, 2, 4, 8, 16] as const;

export class Player {
  /** Position of the last frame that is shown; -1 before any. */
  cursor = -1;
  /** Goes with the log's end as it grows. */
  following = true;
  speed = 1;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private readonly log: FrameLog;
  private readonly changed: () => void;

  /** @param changed called after every move */
  constructor(log: FrameLog, changed: () => void) {
    this.log = log;
    this.changed = changed;
  }

  get playing(): boolean {
    return this.timer !== null;
  }

  /** Is there anything to follow, or is the log all there will be? */
  get isLive(): boolean {
    return this.log.hello?.source !== 'replay' && !this.log.hasEnded;
  }

  get step(): number {
    return this.log.stepAt(this.cursor);
  }

  /** The log has grown. */
  arrived(): void {
    if (this.following) this.cursor = this.log.last;
    this.changed();
  }

  /** Stops where it is; or plays on, from the beginning where it stands at the end. */
  toggle(): void {
    const atEnd = this.cursor >= this.log.last;
    if (this.playing || (this.following && this.isLive)) this.stay(this.cursor);
    // At the end of what is under way there is nothing to play.
    else if (atEnd && this.isLive) this.toLast();
    else this.play(atEnd ? this.log.endOf(0) : this.cursor);
  }

  back(): void {
    this.goTo(this.step - 1);
  }

  forward(): void {
    this.goTo(this.step + 1);
  }

  goTo(step: number): void {
    const last = this.log.steps.length - 1;
    this.stay(this.log.endOf(Math.max(0, Math.min(step, last))));
  }

  /** The newest there is; in a run that is under way it is followed from there. */
  toLast(): void {
    this.stop();
    this.cursor = this.log.last;
    this.following = true;
    this.changed();
  }

  setSpeed(speed: number): void {
    this.speed = speed;
    if (this.playing) this.schedule();
    this.changed();
  }

  private play(from: number): void {
    this.following = false;
    this.cursor = from;
    this.schedule();
    this.changed();
  }

  private stay(position: number): void {
    this.stop();
    this.cursor = position;
    this.following = false;
    this.changed();
  }

  private stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private schedule(): void {
    this.stop();
    const gap = this.log.timeOf(this.cursor + 1) - this.log.timeOf(this.cursor);
    this.timer = setTimeout(() => this.tick(), Math.max(0, gap) / this.speed);
  }

  private tick(): void {
    this.cursor += 1;
    if (this.cursor < this.log.last) this.schedule();
    else {
      this.stop();
      this.cursor = this.log.last;
      this.following = true;
    }
    this.changed();
  }
}
