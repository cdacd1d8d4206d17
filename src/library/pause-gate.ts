/**
 * SIGSTOP for a node that is not a process: while the gate is shut nothing reaches the node, no bytes, no connection,
 * no timer; connections stay open and their bytes wait in the system, as far as it takes them. Once it is gone, after
 * kill -9, nothing reaches it ever again.
 */
import type { Entrance } from '../io/index.ts';
import type { Network, Wire, WireEvents } from '../node/index.ts';

export class PauseGate {
  #state: 'open' | 'shut' | 'gone' = 'open';
  /** What happened while shut, in order. */
  #held: (() => void)[] = [];
  /** Wires on which bytes came while shut: they are not read until the gate opens. */
  readonly #stopped: Set<Wire> = new Set<Wire>();

  get isShut(): boolean {
    return this.#state === 'shut';
  }

  shut(): void {
    if (this.#state === 'open') this.#state = 'shut';
  }

  open(): void {
    if (this.#state !== 'shut') return;
    this.#state = 'open';
    const held = this.#held;
    this.#held = [];
    for (const wire of this.#stopped) wire.resume();
    this.#stopped.clear();
    for (const run of held) this.#pass(run);
  }

  /** The node is dead. */
  forget(): void {
    this.#state = 'gone';
    this.#held = [];
    this.#stopped.clear();
  }

  entrance(node: Entrance): Entrance {
    return {
      accept: (wire) => this.#admit(wire, () => node.accept(wire)),
      acceptBus: (wire) => this.#admit(wire, () => node.acceptBus(wire)),
      wake: () => this.#pass(() => node.wake()),
      work: () => this.#pass(() => node.work()),
      send: () => this.#pass(() => node.send()),
    };
  }

  /** Connections that the node opens; it asks for them only while it runs. */
  network(outer: Network): Network {
    return {
      connect: (target, events) => {
        const wire: Wire = outer.connect(
          target,
          this.#guarded(
            () => wire,
            () => events,
          ),
        );
        return wire;
      },
    };
  }

  #admit(wire: Wire, begin: () => WireEvents): WireEvents {
    let events: WireEvents | undefined;
    this.#pass(() => {
      events = begin();
    });
    return this.#guarded(
      () => wire,
      () => events,
    );
  }

  /** `events` answers when the first of them is passed on, which is after the connection itself was. */
  #guarded(wire: () => Wire, events: () => WireEvents | undefined): WireEvents {
    return {
      opened: () => this.#pass(() => events()?.opened?.()),
      data: (buf, size) => {
        if (this.#state === 'open') return events()?.data(buf, size);
        const copy = Buffer.from(buf.subarray(0, size));
        this.#stop(wire());
        this.#pass(() => events()?.data(copy, size));
      },
      drained: () => this.#pass(() => events()?.drained?.()),
      closed: (reason) => {
        this.#stopped.delete(wire());
        this.#pass(() => events()?.closed(reason));
      },
    };
  }

  #stop(wire: Wire): void {
    if (this.#state !== 'shut') return;
    this.#stopped.add(wire);
    wire.pause();
  }

  #pass(run: () => void): void {
    if (this.#state === 'open') run();
    else if (this.#state === 'shut') this.#held.push(run);
  }
}
