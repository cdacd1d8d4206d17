/** All open connections of a process, so that its end can cut them. */
import type { Wire, WireEvents } from '../node/index.ts';

export class OpenWires {
  /** In no order. An array, because what a `Set` outgrows keeps closed connections from being collected. */
  readonly #wires: TrackedWire[] = [];

  /** Passes what happens on a wire to `events`, and knows it, once it is set, until it is closed. */
  track(events: WireEvents): TrackedWire {
    return new TrackedWire(events, this.#wires);
  }

  destroyAll(): void {
    for (const { wire } of [...this.#wires]) wire?.destroy();
  }
}

export class TrackedWire implements WireEvents {
  wire: Wire | undefined;
  readonly #events: WireEvents;
  readonly #all: TrackedWire[];
  #place: number;

  constructor(events: WireEvents, all: TrackedWire[]) {
    this.#events = events;
    this.#all = all;
    this.#place = all.push(this) - 1;
  }

  opened(): void {
    this.#events.opened?.();
  }

  data(buf: Buffer, size: number): void {
    this.#events.data(buf, size);
  }

  drained(): void {
    this.#events.drained?.();
  }

  closed(reason: string | undefined): void {
    const last = this.#all.pop()!;
    if (last !== this) {
      this.#all[this.#place] = last;
      last.#place = this.#place;
    }
    this.#events.closed(reason);
  }
}
