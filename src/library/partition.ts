/**
 * A network that can be parted: between two groups no bytes pass and no connection opens or closes; all of it waits and
 * goes on at the healing, as packets do that are sent again. It stands at the end that opened a connection, where
 * both ends are known.
 */
import type { Network, Wire, WireEvents } from '../node/index.ts';

/** Names one side: the client port of a node. */
export type Side = number;

export class PartitionableNetwork {
  /** By client port and by bus port: the side that listens there. */
  readonly #sideOfPort: Map<number, Side> = new Map<number, Side>();
  #groupOf: ReadonlyMap<Side, number> = new Map<Side, number>();
  readonly #wires: Set<CutWire> = new Set<CutWire>();

  addSide(side: Side, busPort: number): void {
    this.#sideOfPort.set(side, side);
    this.#sideOfPort.set(busPort, side);
  }

  /** Parts the groups from each other; a side in no group reaches everybody. Replaces an earlier partition. */
  part(groups: readonly (readonly Side[])[]): void {
    const groupOf = new Map<Side, number>();
    for (const [group, sides] of groups.entries()) {
      for (const side of sides) groupOf.set(side, group);
    }
    this.#groupOf = groupOf;
    for (const wire of [...this.#wires]) wire.setCut(this.#isCut(wire.from, wire.to));
  }

  heal(): void {
    this.part([]);
  }

  /** The connections of one side, which has died, are no longer kept. */
  forget(side: Side): void {
    for (const wire of this.#wires) if (wire.from === side) this.#wires.delete(wire);
  }

  /** The network as `from` sees it. */
  network(from: Side, outer: Network): Network {
    return {
      connect: (target, events) => {
        const to = this.#sideOfPort.get(target.port) ?? target.port;
        const wire: CutWire = new CutWire({
          from,
          to,
          target,
          events,
          connect: (inner) => outer.connect(target, inner),
          onGone: () => void this.#wires.delete(wire),
        });
        this.#wires.add(wire);
        wire.begin(this.#isCut(from, to));
        return wire;
      },
    };
  }

  #isCut(from: Side, to: Side): boolean {
    const a = this.#groupOf.get(from);
    const b = this.#groupOf.get(to);
    return a !== undefined && b !== undefined && a !== b;
  }
}

interface CutWireInit {
  readonly from: Side;
  readonly to: Side;
  readonly target: { readonly host: string; readonly port: number };
  readonly events: WireEvents;
  readonly connect: (events: WireEvents) => Wire;
  readonly onGone: () => void;
}

/** A connection that somebody opened, through the place where it can be cut. */
class CutWire implements Wire {
  readonly from: Side;
  readonly to: Side;
  readonly isUnixSocket = false;
  readonly #init: CutWireInit;
  /** Undefined while the connection could not even be tried. */
  #inner: Wire | undefined;
  #isCut = false;
  /** Events that wait, in order. */
  #heldEvents: (() => void)[] = [];
  /** Bytes that wait to be sent. */
  #heldBytes: Buffer[] = [];
  #heldSize = 0;
  /** We stopped reading, because bytes came while cut. */
  #isStopped = false;
  /** The owner stopped reading. */
  #isPaused = false;
  #farewell: 'end' | 'destroy' | undefined;
  #hasClosed = false;

  constructor(init: CutWireInit) {
    this.#init = init;
    this.from = init.from;
    this.to = init.to;
  }

  begin(isCut: boolean): void {
    this.#isCut = isCut;
    if (!isCut) this.#open();
  }

  setCut(isCut: boolean): void {
    if (isCut === this.#isCut) return;
    this.#isCut = isCut;
    if (!isCut) this.#heal();
  }

  get remoteIp(): string {
    return this.#inner?.remoteIp ?? this.#init.target.host;
  }

  get remotePort(): number {
    return this.#inner?.remotePort ?? this.#init.target.port;
  }

  get localIp(): string {
    return this.#inner?.localIp ?? '';
  }

  get localPort(): number {
    return this.#inner?.localPort ?? 0;
  }

  get fd(): number {
    return this.#inner?.fd ?? -1;
  }

  get pendingBytes(): number {
    return this.#heldSize + (this.#inner?.pendingBytes ?? 0);
  }

  write(buf: Buffer, size: number): boolean {
    if (this.#farewell !== undefined) return true;
    if (!this.#isCut && this.#inner !== undefined) return this.#inner.write(buf, size);
    this.#heldBytes.push(Buffer.from(buf.subarray(0, size)));
    this.#heldSize += size;
    return true;
  }

  pause(): void {
    this.#isPaused = true;
    this.#inner?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (!this.#isStopped) this.#inner?.resume();
  }

  end(): void {
    this.#leave('end');
  }

  destroy(): void {
    this.#leave('destroy');
  }

  /** While cut the owner is told that it is closed, and the peer hears of it at the healing. */
  #leave(how: 'end' | 'destroy'): void {
    if (this.#farewell === 'destroy') return;
    this.#farewell = how;
    if (!this.#isCut) return this.#inner?.[how]();
    this.#heldEvents = [];
    if (this.#inner === undefined) this.#init.onGone();
    setImmediate(() => this.#close(undefined));
  }

  #open(): void {
    this.#inner = this.#init.connect({
      opened: () => this.#pass(() => this.#init.events.opened?.()),
      data: (buf, size) => {
        if (!this.#isCut) return this.#deliver(buf, size);
        const copy = Buffer.from(buf.subarray(0, size));
        this.#isStopped = true;
        this.#inner?.pause();
        this.#pass(() => this.#deliver(copy, size));
      },
      drained: () => this.#pass(() => this.#init.events.drained?.()),
      closed: (reason) => this.#pass(() => this.#close(reason)),
    });
  }

  #deliver(buf: Buffer, size: number): void {
    if (this.#farewell === undefined) this.#init.events.data(buf, size);
  }

  #heal(): void {
    const farewell = this.#farewell;
    if (this.#inner === undefined) this.#open();
    const inner = this.#inner;
    for (const bytes of this.#heldBytes) inner?.write(bytes, bytes.length);
    this.#heldBytes = [];
    this.#heldSize = 0;
    if (this.#isStopped && !this.#isPaused) inner?.resume();
    this.#isStopped = false;
    const held = this.#heldEvents;
    this.#heldEvents = [];
    for (const run of held) run();
    if (farewell !== undefined) inner?.[farewell]();
  }

  #pass(run: () => void): void {
    if (this.#isCut) this.#heldEvents.push(run);
    else run();
  }

  #close(reason: string | undefined): void {
    if (!this.#isCut) this.#init.onGone();
    if (this.#hasClosed) return;
    this.#hasClosed = true;
    this.#init.events.closed(reason);
  }
}
