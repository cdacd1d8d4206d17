/**
 * Reads along on the cluster bus, from outside: what every node says, and what it has been told, as whole packets. The
 * checkers judge by this alone, so a node cannot hide behind its own view.
 */
import { invariant } from '../src/base/index.ts';
import { type Packet, PacketReader } from '../src/bus/index.ts';
import type { WireTap } from './network.ts';
import type { SimWire } from './wire.ts';

export interface BusListener {
  /** The host behind `from` sent a whole packet. */
  said(from: SimWire, packet: Packet): void;
  /** The process behind `to` is about to read the packet's last byte. */
  heard(to: SimWire, packet: Packet): void;
}

/** One direction of a connection, kept by its sending end. */
interface Stream {
  readonly reader: PacketReader;
  sentBytes: number;
  deliveredBytes: number;
  /** Packets sent and not yet delivered, with the stream position behind each. */
  readonly packets: { readonly packet: Packet; readonly end: number }[];
}

export class BusObserver implements WireTap {
  readonly #listener: BusListener;
  readonly #streams = new WeakMap<SimWire, Stream>();

  constructor(listener: BusListener) {
    this.#listener = listener;
  }

  sent(from: SimWire, bytes: Buffer): void {
    if (from.purpose !== 'bus') return;
    const stream = this.#streamOf(from);
    stream.reader.feed(bytes);
    stream.sentBytes += bytes.length;
    for (;;) {
      const read = stream.reader.next();
      if (read.kind === 'more') return;
      invariant(read.kind === 'packet', 'a node sends sound packets');
      // Nodes send whole packets; one cut in two ends where its last byte was sent.
      stream.packets.push({ packet: read.packet, end: stream.sentBytes });
      this.#listener.said(from, read.packet);
    }
  }

  delivered(to: SimWire, size: number): void {
    const from = to.peer;
    if (from === undefined || to.purpose !== 'bus') return;
    const stream = this.#streamOf(from);
    stream.deliveredBytes += size;
    for (;;) {
      const next = stream.packets[0];
      if (next === undefined || next.end > stream.deliveredBytes) return;
      stream.packets.shift();
      this.#listener.heard(to, next.packet);
    }
  }

  #streamOf(wire: SimWire): Stream {
    let stream = this.#streams.get(wire);
    if (stream === undefined) {
      stream = { reader: new PacketReader(), sentBytes: 0, deliveredBytes: 0, packets: [] };
      this.#streams.set(wire, stream);
    }
    return stream;
  }
}
