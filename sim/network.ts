/**
 * The network between hosts. What a packet network does to TCP is delay, stalls (retransmission), partitions that hold
 * bytes back, and resets, sometimes seen by one side only. The cluster bus is TCP too: reordering and duplicates exist
 * there only across connections, and come from cutting them.
 */
import { type Rng, invariant } from '../src/base/index.ts';
import type { WireEvents } from '../src/node/index.ts';
import { type Carrier, type Host, type Purpose, SimWire } from './wire.ts';
import { US_PER_MS, type World } from './world.ts';

/** How the network behaves; times in microseconds. */
export interface Weather {
  readonly delayMinUs: number;
  /** Uniform, exclusive; 0: none. */
  readonly jitterUs: number;
  /** Added on connections between master and replica: a replica far away, or one that cannot keep up. */
  readonly replicationLagUs: number;
  /** One write in so many waits for a retransmission; 0: none. */
  readonly stallOneIn: number;
  /** One read in so many comes in two pieces; 0: none. */
  readonly splitOneIn: number;
}

export const FAIR_WEATHER: Weather = {
  delayMinUs: 100,
  jitterUs: 400,
  replicationLagUs: 0,
  stallOneIn: 0,
  splitOneIn: 0,
};

/** Source: the usual minimum of TCP's retransmission timer, 200 ms. */
const RETRANSMIT_MS = 200;
const CONNECT_RETRY_MS = 1000;
/** Attempts to connect before the system gives up. */
const CONNECT_TRIES = 60;
/** Connections across a partition are reset within this time, unless it heals before. */
const RESET_WITHIN_MS = 8000;
const EPHEMERAL_PORT = 32_768;

/** Watches the bytes of all connections. */
export interface WireTap {
  sent(from: SimWire, bytes: Buffer): void;
  delivered(to: SimWire, size: number): void;
}

export class Network implements Carrier {
  readonly world: World;
  readonly rng: Rng;
  weather: Weather = FAIR_WEATHER;
  tap: WireTap | undefined;
  readonly #hosts = new Map<string, Host>();
  /** Ends that are open, in the order of their making. */
  readonly #wires = new Set<SimWire>();
  /** Ends whose process is gone; only until their peer noticed. */
  #halfOpen: SimWire[] = [];
  /** Directed pairs "from>to" of addresses between which nothing passes. */
  readonly #cut = new Set<string>();
  readonly #held = new Set<SimWire>();
  #scratch: Buffer = Buffer.alloc(64 * 1024);
  #nextFd = 8;
  #nextPort = EPHEMERAL_PORT;

  constructor(world: World) {
    this.world = world;
    this.rng = world.branch();
  }

  add(host: Host): void {
    invariant(!this.#hosts.has(host.ip), 'an address belongs to one host');
    this.#hosts.set(host.ip, host);
  }

  connect(
    from: Host,
    target: { readonly host: string; readonly port: number; readonly purpose: Purpose },
    events: WireEvents,
  ): SimWire {
    const wire = this.#wire(from, {
      purpose: target.purpose,
      localPort: this.#nextPort++,
      remoteIp: target.host,
      remotePort: target.port,
    });
    wire.events = events;
    this.#knock(wire, CONNECT_TRIES);
    return wire;
  }

  /** Nothing passes between the two sides any more, or only from `b` to `a` with `isOneWay`. */
  separate(a: readonly Host[], b: readonly Host[], isOneWay: boolean): void {
    for (const x of a) {
      for (const y of b) {
        this.#cut.add(`${x.ip}>${y.ip}`);
        if (!isOneWay) this.#cut.add(`${y.ip}>${x.ip}`);
      }
    }
    for (const wire of this.#wires) {
      const isCrossing = wire.peer !== undefined && this.isBlocked(wire.host, wire.peer.host);
      if (isCrossing && this.rng.below(3) === 0) this.#resetLater(wire);
    }
  }

  heal(): void {
    this.#cut.clear();
    for (const wire of this.#held) {
      this.world.afterMs(this.rng.below(RETRANSMIT_MS), () => wire.unstall());
    }
    this.#held.clear();
  }

  /** Breaks one connection of the kind; the two sides notice at different times. */
  breakOne(purpose: Purpose): void {
    const open = [...this.#wires].filter((wire) => wire.purpose === purpose && !wire.isClosed);
    const wire = open[this.rng.below(Math.max(1, open.length))];
    if (wire === undefined) return;
    this.world.note('break', wire.fd);
    for (const side of [wire, wire.peer]) {
      this.world.afterMs(this.rng.below(50), () => side?.reset('read ECONNRESET'));
    }
  }

  /** The host's system runs again: it resets what it does not know. */
  rebooted(host: Host): void {
    const mine = this.#halfOpen.filter((wire) => wire.host === host);
    this.#halfOpen = this.#halfOpen.filter((wire) => wire.host !== host);
    for (const wire of mine) {
      this.world.afterMs(this.rng.below(RETRANSMIT_MS * 5), () => wire.payReset());
    }
  }

  /** The process of the host ended. */
  abandon(host: Host, isAnnounced: boolean): void {
    for (const wire of [...this.#wires]) {
      if (wire.host !== host) continue;
      wire.abandon(isAnnounced);
      if (!isAnnounced) this.#halfOpen.push(wire);
    }
  }

  isBlocked(from: Host, to: Host): boolean {
    return this.#cut.size > 0 && this.#cut.has(`${from.ip}>${to.ip}`);
  }

  delayUs(purpose: Purpose): number {
    const { delayMinUs, jitterUs, stallOneIn, replicationLagUs } = this.weather;
    let us = purpose === 'data' ? delayMinUs + replicationLagUs : delayMinUs;
    if (jitterUs > 0) us += this.rng.below(jitterUs);
    if (stallOneIn > 0 && this.rng.below(stallOneIn) === 0) {
      us += (RETRANSMIT_MS + this.rng.below(RETRANSMIT_MS)) * US_PER_MS;
    }
    return us;
  }

  splits(): boolean {
    const { splitOneIn } = this.weather;
    return splitOneIn > 0 && this.rng.below(splitOneIn) === 0;
  }

  sent(from: SimWire, bytes: Buffer): void {
    this.world.trace.add(this.world.nowUs);
    this.world.trace.add(from.fd);
    this.world.trace.add(bytes.length);
    this.tap?.sent(from, bytes);
  }

  delivered(to: SimWire, size: number): void {
    this.tap?.delivered(to, size);
  }

  hold(wire: SimWire): void {
    this.#held.add(wire);
  }

  scratch(size: number): Buffer {
    if (this.#scratch.length < size) this.#scratch = Buffer.alloc(size * 2);
    return this.#scratch;
  }

  forget(wire: SimWire): void {
    this.#wires.delete(wire);
  }

  #wire(
    host: Host,
    init: {
      readonly purpose: Purpose;
      readonly localPort: number;
      readonly remoteIp: string;
      readonly remotePort: number;
    },
  ): SimWire {
    const wire = new SimWire(this, host, { ...init, fd: this.#nextFd++ });
    this.#wires.add(wire);
    return wire;
  }

  /** Asks for the connection; an unanswered attempt is repeated as TCP does. */
  #knock(wire: SimWire, tries: number): void {
    this.world.after(this.delayUs(wire.purpose), () => {
      if (wire.isClosed) return;
      const to = this.#hosts.get(wire.remoteIp);
      const isLost =
        to === undefined ||
        to.reach === 'gone' ||
        this.isBlocked(wire.host, to) ||
        this.isBlocked(to, wire.host);
      if (isLost) {
        if (tries === 0) return wire.reset('connect ETIMEDOUT');
        this.world.afterMs(CONNECT_RETRY_MS, () => this.#knock(wire, tries - 1));
        return;
      }
      if (to.reach === 'refusing' || !to.listensOn(wire.remotePort)) {
        const delayUs = this.delayUs(wire.purpose);
        this.world.after(delayUs, () => wire.reset('connect ECONNREFUSED'));
        return;
      }
      this.#join(wire, to);
    });
  }

  #join(wire: SimWire, to: Host): void {
    const answer = this.#wire(to, {
      purpose: wire.purpose,
      localPort: wire.remotePort,
      remoteIp: wire.host.ip,
      remotePort: wire.localPort,
    });
    answer.peer = wire;
    wire.peer = answer;
    answer.open();
    to.deliver(() => {
      answer.events = to.accept(answer, wire.purpose);
    });
    this.world.after(this.delayUs(wire.purpose), () => {
      if (wire.isClosed) {
        answer.reset('read ECONNRESET');
        return;
      }
      wire.open();
      wire.opened();
    });
  }

  #resetLater(wire: SimWire): void {
    this.world.afterMs(this.rng.below(RESET_WITHIN_MS), () => {
      const { peer } = wire;
      if (peer !== undefined && this.isBlocked(wire.host, peer.host)) wire.reset('read ETIMEDOUT');
    });
  }
}
