/**
 * One end of a simulated TCP connection. Bytes of a connection arrive in order, in any cut; loss shows as delay, and in
 * the end as a reset that one side may see long before the other.
 */
import { type Rng, invariant } from '../src/base/index.ts';
import type { Wire, WireEvents } from '../src/node/index.ts';
import type { World } from './world.ts';

export type Purpose = 'bus' | 'data' | 'client';

/** A computer on the network. */
export interface Host {
  readonly name: string;
  readonly ip: string;
  /** `refusing`: the system runs, the process does not. `gone`: nobody answers at all. */
  readonly reach: 'listening' | 'refusing' | 'gone';
  /** Runs it now, or when the process runs again; never if the process ends before. */
  deliver(run: () => void): void;
  /** A connection came in. Undefined: nobody listens on this port. */
  accept(wire: SimWire, purpose: Purpose): WireEvents;
  /** The process is about to send. */
  beforeSend(): void;
  /** Whether the port is open. */
  listensOn(port: number): boolean;
}

export type Item =
  | { readonly kind: 'data'; readonly bytes: Buffer; readonly sentAtUs: number }
  | { readonly kind: 'close'; readonly reason: string | undefined };

/** What a wire needs of the network around it. */
export interface Carrier {
  readonly world: World;
  readonly rng: Rng;
  isBlocked(from: Host, to: Host): boolean;
  /** Microseconds that the next bytes take. */
  delayUs(purpose: Purpose): number;
  /** Whether bytes that arrived together are read in two pieces. */
  splits(): boolean;
  sent(from: SimWire, bytes: Buffer): void;
  delivered(to: SimWire, size: number): void;
  /** Bytes of this end wait for a partition to end. */
  hold(wire: SimWire): void;
  forget(wire: SimWire): void;
  /** A buffer of at least this size, lent for one call. */
  scratch(size: number): Buffer;
}

/** Bytes that the system takes for a connection before it makes the process wait. */
const SOCKET_BUFFER_BYTES = 256 * 1024;
/** What a buffer holds after the call it was valid for. */
const POISON = 0xa5;

export class SimWire implements Wire {
  readonly isUnixSocket = false;
  readonly fd: number;
  readonly remoteIp: string;
  readonly remotePort: number;
  readonly localIp: string;
  readonly localPort: number;
  readonly host: Host;
  readonly purpose: Purpose;
  peer: SimWire | undefined;
  events: WireEvents | undefined;
  /** When the bytes being delivered left the peer. */
  sentAtUs = 0;
  /** The process behind this end is gone without a word. */
  isAbandoned = false;
  /** Bytes came for an end that is gone: its system will answer with a reset once it runs. */
  owesReset = false;
  readonly #carrier: Carrier;
  #isOpen = false;
  /** We closed, or the peer's close was delivered. */
  #isClosed = false;
  /** Broken on this side: whatever the peer still sends is answered with a reset. */
  #isReset = false;
  #isReadPaused = false;
  #inFlightBytes = 0;
  #wantsDrained = false;
  #lastArrivalUs = 0;
  /** Written before the stream was open. */
  #early: Item[] = [];
  /** On its way to the peer, held up by a partition. */
  #stalled: Item[] = [];
  /** Arrived, not read. */
  #unread: Item[] = [];

  constructor(
    carrier: Carrier,
    host: Host,
    init: {
      readonly purpose: Purpose;
      readonly fd: number;
      readonly localPort: number;
      readonly remoteIp: string;
      readonly remotePort: number;
    },
  ) {
    this.#carrier = carrier;
    this.host = host;
    this.purpose = init.purpose;
    this.fd = init.fd;
    this.localIp = host.ip;
    this.localPort = init.localPort;
    this.remoteIp = init.remoteIp;
    this.remotePort = init.remotePort;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get pendingBytes(): number {
    return Math.max(0, this.#inFlightBytes - SOCKET_BUFFER_BYTES);
  }

  write(buf: Buffer, size: number): boolean {
    invariant(size <= buf.length, 'no more is written than there is');
    if (this.#isClosed || size === 0) return true;
    this.host.beforeSend();
    const bytes = Buffer.from(buf.subarray(0, size));
    this.#carrier.sent(this, bytes);
    this.#inFlightBytes += size;
    if (this.pendingBytes > 0) this.#wantsDrained = true;
    this.#send({ kind: 'data', bytes, sentAtUs: this.#carrier.world.nowUs });
    return true;
  }

  pause(): void {
    this.#isReadPaused = true;
  }

  resume(): void {
    if (!this.#isReadPaused) return;
    this.#isReadPaused = false;
    const unread = this.#unread;
    this.#unread = [];
    this.#carrier.world.after(0, () => {
      for (const item of unread) this.#receive(item);
    });
  }

  end(): void {
    this.#close();
  }

  destroy(): void {
    this.#close();
  }

  /** The connection attempt succeeded. */
  open(): void {
    this.#isOpen = true;
    for (const item of this.#early.splice(0)) this.#send(item);
  }

  /** Tells our process; a connection that the process closed already stays closed. */
  opened(): void {
    this.host.deliver(() => {
      if (!this.#isClosed) this.events?.opened?.();
    });
  }

  /** The network breaks the connection on this side. */
  reset(reason: string): void {
    this.#isReset = true;
    this.#receive({ kind: 'close', reason });
  }

  /** The process ended. With `isAnnounced` its system closes the connection, else the peer learns nothing. */
  abandon(isAnnounced: boolean): void {
    if (this.isAbandoned) return;
    this.isAbandoned = true;
    if (isAnnounced && !this.#isClosed) this.#send({ kind: 'close', reason: 'read ECONNRESET' });
    this.#isClosed = true;
    this.#carrier.forget(this);
  }

  /** The path is open again: everything held up goes on, in order. */
  unstall(): void {
    const { peer } = this;
    if (peer === undefined || this.#carrier.isBlocked(this.host, peer.host)) return;
    for (const item of this.#stalled.splice(0)) peer.#receive(item);
  }

  get isStalled(): boolean {
    return this.#stalled.length > 0;
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#send({ kind: 'close', reason: undefined });
    this.#carrier.world.after(this.#carrier.delayUs(this.purpose), () =>
      this.host.deliver(() => this.#tellClosed(undefined)),
    );
  }

  #send(item: Item): void {
    if (!this.#isOpen) {
      this.#early.push(item);
      return;
    }
    const { world } = this.#carrier;
    const atUs = Math.max(this.#lastArrivalUs, world.nowUs + this.#carrier.delayUs(this.purpose));
    this.#lastArrivalUs = atUs;
    world.at(atUs, () => this.#arrive(item));
  }

  #arrive(item: Item): void {
    const { peer } = this;
    if (peer === undefined) return;
    if (!this.isStalled && !this.#carrier.isBlocked(this.host, peer.host)) {
      return peer.#receive(item);
    }
    this.#stalled.push(item);
    this.#carrier.hold(this);
  }

  #receive(item: Item): void {
    if (this.isAbandoned || this.#isReset) {
      if (item.kind === 'data') return this.#answerForTheDead();
      if (this.isAbandoned) return;
    }
    if (this.#isReadPaused && item.kind === 'data') {
      this.#unread.push(item);
      return;
    }
    this.host.deliver(() => {
      if (item.kind === 'data') this.#read(item.bytes, item.sentAtUs);
      else this.#hearClose(item.reason);
    });
  }

  /** A system that runs answers bytes for a connection it does not know with a reset. */
  #answerForTheDead(): void {
    this.owesReset = true;
    if (this.host.reach !== 'gone') this.payReset();
  }

  payReset(): void {
    if (!this.owesReset) return;
    this.owesReset = false;
    const { peer } = this;
    const delayUs = this.#carrier.delayUs(this.purpose);
    this.#carrier.world.after(delayUs, () => peer?.reset('read ECONNRESET'));
  }

  #hearClose(reason: string | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#tellClosed(reason);
  }

  #tellClosed(reason: string | undefined): void {
    if (this.isAbandoned) return;
    this.#carrier.forget(this);
    this.events?.closed(reason);
  }

  #read(bytes: Buffer, sentAtUs: number): void {
    if (this.peer !== undefined) this.peer.#taken(bytes.length);
    if (this.#isClosed || this.isAbandoned) return;
    const cut =
      bytes.length > 1 && this.#carrier.splits()
        ? 1 + this.#carrier.rng.below(bytes.length - 1)
        : bytes.length;
    this.#hand(bytes.subarray(0, cut), sentAtUs);
    if (cut < bytes.length) this.#hand(bytes.subarray(cut), sentAtUs);
  }

  /** The process gets a buffer that is wrong as soon as the call is over, so that nobody keeps a view of it. */
  #hand(bytes: Buffer, sentAtUs: number): void {
    if (this.#isClosed || this.isAbandoned) return;
    const buf = this.#carrier.scratch(bytes.length);
    bytes.copy(buf);
    this.sentAtUs = sentAtUs;
    this.#carrier.delivered(this, bytes.length);
    this.events?.data(buf, bytes.length);
    buf.fill(POISON, 0, bytes.length);
  }

  #taken(size: number): void {
    this.#inFlightBytes -= size;
    if (!this.#wantsDrained || this.#inFlightBytes > 0 || this.#isClosed) return;
    this.#wantsDrained = false;
    this.#carrier.world.after(0, () => {
      if (!this.#isClosed) this.host.deliver(() => this.events?.drained?.());
    });
  }
}
