/** Every frame that has arrived, in order; a frame's id is its position, so what comes twice is known. */
import type { Frame, HelloFrame } from '../../inspector/frames.ts';

/** `gap`: frames before it are missing. */
type Taken = 'new' | 'known' | 'gap';

export class FrameLog {
  readonly frames: Frame[] = [];
  /** Positions of the step frames. */
  readonly steps: number[] = [];

  get hello(): HelloFrame | null {
    const [first] = this.frames;
    return first?.kind === 'hello' ? first : null;
  }

  get hasEnded(): boolean {
    return this.frames.at(-1)?.kind === 'ended';
  }

  get last(): number {
    return this.frames.length - 1;
  }

  take(id: number, frame: Frame): Taken {
    if (id < this.frames.length) return 'known';
    if (id > this.frames.length) return 'gap';
    if (frame.kind === 'step') this.steps.push(id);
    this.frames.push(frame);
    return 'new';
  }

  /** Index of the step that a position belongs to; -1 before the first one. */
  stepAt(position: number): number {
    return this.steps.findLastIndex((at) => at <= position);
  }

  /** The last position that belongs to a step: what was told after it belongs to it. */
  endOf(step: number): number {
    return (this.steps[step + 1] ?? this.frames.length) - 1;
  }

  /** Milliseconds since the epoch; of the frame before where one has no time of its own that can be read. */
  timeOf(position: number): number {
    for (let at = position; at >= 0; at -= 1) {
      const frame = this.frames[at];
      if (frame === undefined) continue;
      const time = Date.parse(frame.kind === 'hello' ? frame.started : frame.t);
      if (!Number.isNaN(time)) return time;
    }
    return 0;
  }
}
