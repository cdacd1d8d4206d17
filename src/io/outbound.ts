/** Connections that the node opens. */
import { Socket, connect } from 'node:net';
import { type ConnectionOptions, TLSSocket, connect as connectTls } from 'node:tls';
import type { Network, Wire, WireEvents, WirePurpose } from '../node/index.ts';
import { type WireBuffers, wireOnHandle } from './handle-wire.ts';
import { SocketWire } from './socket-wire.ts';
import { wireOnTls } from './tls-wire.ts';

/** A connection that is neither made nor refused by then is given up. */
const CONNECT_MS_MAX = 30_000;

export interface OutboundOptions {
  readonly buffers: WireBuffers;
  /** The local address to connect from; undefined for the system's choice. */
  readonly sourceIp: () => string | undefined;
  /** How a connection is encrypted; undefined for one that is not. */
  readonly tls: (purpose: WirePurpose) => ConnectionOptions | undefined;
}

export function outboundNetwork({ buffers, sourceIp, tls }: OutboundOptions): Network {
  return {
    connect: ({ host, port, purpose }, events) => {
      const localAddress = sourceIp();
      const from = localAddress === undefined ? {} : { localAddress };
      const encryption = tls(purpose);
      const socket = begin(() =>
        encryption === undefined
          ? connect({ host, port, noDelay: true, ...from })
          : connectTls({ host, port, ...from, ...encryption }).setNoDelay(true),
      );
      // The handle is taken before anything is read.
      if (encryption === undefined) socket.pause();
      return new OutboundWire(socket, buffers, events);
    },
  };
}

/** What Node.js throws at once, as for a `bind-source-addr` that is no address, comes as any other failure to connect. */
function begin(open: () => Socket): Socket {
  try {
    return open();
  } catch (error) {
    return new Socket().destroy(error as Error);
  }
}

/** What is written before the connection is made. */
interface Waiting {
  readonly buf: Buffer;
  readonly size: number;
}

class OutboundWire implements Wire {
  readonly isUnixSocket: boolean = false;
  readonly #socket: Socket;
  readonly #events: WireEvents;
  #waiting: Waiting[] = [];
  #wire: Wire | undefined;
  #isPaused = false;
  /** The owner has closed it, or will have once what waits is out: only `closed` may follow. */
  #isEnding = false;

  constructor(socket: Socket, buffers: WireBuffers, events: WireEvents) {
    this.#socket = socket;
    this.#events = events;
    let reason: string | undefined;
    const fail = (why: string): void => {
      reason ??= why;
      socket.destroy();
    };
    const timer = setTimeout(() => fail('ETIMEDOUT'), CONNECT_MS_MAX);
    const failed = (error: NodeJS.ErrnoException): void => fail(error.code ?? error.message);
    const closed = (): void => {
      clearTimeout(timer);
      events.closed(reason);
    };
    socket.on('error', failed);
    socket.on('close', closed);
    socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer);
      socket.off('error', failed);
      socket.off('close', closed);
      this.#open(buffers);
    });
  }

  get remoteIp(): string {
    return this.#wire?.remoteIp ?? '';
  }

  get remotePort(): number {
    return this.#wire?.remotePort ?? 0;
  }

  get localIp(): string {
    return this.#wire?.localIp ?? '';
  }

  get localPort(): number {
    return this.#wire?.localPort ?? 0;
  }

  get fd(): number {
    return this.#wire?.fd ?? -1;
  }

  get pendingBytes(): number {
    return this.#wire?.pendingBytes ?? this.#waiting.reduce((sum, { size }) => sum + size, 0);
  }

  write(buf: Buffer, size: number): boolean {
    if (this.#wire !== undefined) return this.#wire.write(buf, size);
    if (this.#isEnding) return true;
    this.#waiting.push({ buf, size });
    return false;
  }

  pause(): void {
    this.#isPaused = true;
    this.#wire?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#wire?.resume();
  }

  end(): void {
    this.#isEnding = true;
    this.#wire?.end();
  }

  destroy(): void {
    this.#isEnding = true;
    if (this.#wire === undefined) this.#socket.destroy();
    else this.#wire.destroy();
  }

  #open(buffers: WireBuffers): void {
    const socket = this.#socket;
    const onHandle =
      socket instanceof TLSSocket
        ? wireOnTls(socket, buffers)
        : wireOnHandle(socket, { buffers, unixPath: undefined });
    const wire = onHandle ?? new SocketWire(socket);
    this.#wire = wire;
    wire.start(this.#events);
    if (this.#isPaused) wire.pause();
    for (const { buf, size } of this.#waiting) wire.write(buf, size);
    this.#waiting = [];
    if (this.#isEnding) wire.end();
    else this.#events.opened?.();
  }
}
