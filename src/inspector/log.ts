/**
 * What a page is sent, kept from the first item on, so that whoever comes late or again gets everything.
 *
 * Every reader is handed items as fast as it takes them. One that takes none costs nothing and holds up nobody: there is
 * one list, and no queue for each.
 */
export interface Reading {
  /** More can be taken now. */
  resume(): void;
  stop(): void;
}

export interface Taker<T> {
  /** @returns false where nothing more may be handed over until `resume` is called */
  take(item: T, at: number): boolean;
  /** Called once: everything was handed over, and nothing more comes. */
  end(): void;
}

interface Reader<T> {
  next: number;
  waiting: boolean;
  readonly taker: Taker<T>;
}

export class Log<T> {
  private readonly items: T[] = [];
  private readonly readers = new Set<Reader<T>>();
  private pending: (() => readonly T[])[] = [];
  private scheduled = false;
  private ended = false;

  /** What `make` returns is added. It is called when somebody reads, and never inside this call. It must not throw. */
  push(make: () => readonly T[]): void {
    this.pending.push(make);
    if (this.readers.size === 0 || this.scheduled) return;
    this.scheduled = true;
    // What pushes has work to do that must not wait for pages.
    setImmediate(() => this.flush());
  }

  /** Nothing more comes. Each reader is told when it has everything. */
  end(): void {
    this.ended = true;
    this.flush();
  }

  private flush(): void {
    this.scheduled = false;
    if (this.readers.size === 0) return;
    this.make();
    for (const reader of this.readers) this.serve(reader);
  }

  private make(): void {
    const { pending } = this;
    this.pending = [];
    for (const make of pending) this.items.push(...make());
  }

  private serve(reader: Reader<T>): void {
    while (!reader.waiting && reader.next < this.items.length && this.readers.has(reader)) {
      const at = reader.next;
      reader.next += 1;
      reader.waiting = !reader.taker.take(this.items[at]!, at);
    }
    if (this.ended && reader.next === this.items.length && this.readers.delete(reader)) reader.taker.end();
  }

  /** @param from position of the first item that is wanted; one that does not exist yet is the first */
  read(from: number, taker: Taker<T>): Reading {
    this.make();
    const reader: Reader<T> = { next: from > this.items.length ? 0 : from, waiting: false, taker };
    this.readers.add(reader);
    const resume = (): void => {
      reader.waiting = false;
      this.serve(reader);
    };
    resume();
    return { resume, stop: () => void this.readers.delete(reader) };
  }
}
