/** The stream of frames: reconnects by itself, and knows when nothing more will come. */
import { framesVersion, type Frame } from '../../inspector/frames.ts';
import type { FrameLog } from './log.ts';

/** `gone`: after the end, or of a recorded run. `lost`: in the middle. `foreign`: of another version than the page. */
export type ConnectionState = 'connecting' | 'open' | 'lost' | 'gone' | 'foreign';

const again = 2000;

/** What a server says may be anything, whatever the type promises. */
const isOurs = ({ v }: { readonly v: number }): boolean => v === framesVersion;

export class Connection {
  state: ConnectionState = 'connecting';
  private source: EventSource | null = null;
  private readonly log: FrameLog;
  private readonly changed: (frames: boolean) => void;

  /** @param changed called with true where the log has grown */
  constructor(log: FrameLog, changed: (frames: boolean) => void) {
    this.log = log;
    this.changed = changed;
  }

  /** From the first frame on; what is known already is passed over. */
  open(): void {
    this.source?.close();
    const source = new EventSource('events');
    this.source = source;
    source.addEventListener('open', () => this.become('open'));
    source.addEventListener('error', () => this.onError(source));
    source.addEventListener('message', (message: MessageEvent<string>) => this.take(message));
  }

  private become(state: ConnectionState): void {
    if (this.state === state) return;
    this.state = state;
    this.changed(false);
  }

  private end(state: ConnectionState): void {
    this.source?.close();
    this.source = null;
    this.become(state);
  }

  private take({ data, lastEventId }: MessageEvent<string>): void {
    // Comes from the server that this page came from.
    const frame = JSON.parse(data) as Frame;
    if (frame.kind === 'hello' && !isOurs(frame)) {
      this.end('foreign');
      return;
    }
    const taken = this.log.take(Number(lastEventId), frame);
    if (taken === 'new') this.changed(true);
    else if (taken === 'gap') this.open();
  }

  private onError(source: EventSource): void {
    // Nothing more is to come: asking again and again would be in vain.
    if (this.log.hasEnded) {
      this.end('gone');
      return;
    }
    this.become(this.log.hello?.source === 'replay' ? 'gone' : 'lost');
    // The browser tries again by itself, except where the answer was no stream at all.
    if (source.readyState === EventSource.CLOSED)
      setTimeout(() => {
        if (this.source === source) this.open();
      }, again);
  }
}
