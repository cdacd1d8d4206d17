/** A `Wire` over a TCP or unix socket. */
import { Socket, type Server } from 'node:net';
import type { Wire, WireEvents } from '../node/index.ts';

/**
 * Size of the buffer that all sockets of a process read into. Requests are parsed in place and
 * consumed before the next read, so one is enough.
 */
const RECEIVE_BYTES = 64 * 1024;

const receiveBuffer: Buffer = Buffer.allocUnsafeSlow(RECEIVE_BYTES);

interface SocketInside {
  _handle: { readonly fd?: number } | null;
  _server?: Server;
  server?: Server;
}

/** What a socket made on a handle takes beside the documented options. */
interface TakeOverOptions {
  readonly handle: object;
  readonly onread: {
    readonly buffer: Buffer;
    readonly callback: (size: number, buf: Buffer) => boolean;
  };
}

const TakingSocket = Socket as unknown as new (options: TakeOverOptions) => Socket;

export class SocketWire implements Wire {
  readonly remoteIp: string;
  readonly remotePort: number;
  readonly localIp: string;
  readonly localPort: number;
  readonly isUnixSocket: boolean;
  readonly fd: number;
  #socket: Socket;
  #events: WireEvents | undefined;
  #reason: string | undefined;
  #isClosed = false;
  #isEnded = false;

  constructor(socket: Socket, unixPath?: string) {
    this.#socket = socket;
    this.isUnixSocket = unixPath !== undefined;
    this.remoteIp = unixPath ?? plainIp(socket.remoteAddress);
    this.remotePort = socket.remotePort ?? 0;
    this.localIp = unixPath ?? plainIp(socket.localAddress);
    this.localPort = socket.localPort ?? 0;
    this.fd = (socket as unknown as SocketInside)._handle?.fd ?? -1;
  }

  /** Begins to read; `events` gets all that happens from here on. */
  start(events: WireEvents): void {
    this.#events = events;
    this.#socket = this.#takeOver(this.#socket);
    const socket = this.#socket;
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#reason = error.code ?? error.message;
    });
    socket.on('close', () => this.#close());
    socket.on('drain', () => events.drained?.());
    socket.resume();
  }

  write(buf: Buffer, size: number): boolean {
    const socket = this.#socket;
    if (this.#isEnded || socket.destroyed) return true;
    socket.write(size === buf.length ? buf : buf.subarray(0, size));
    return socket.writableLength === 0;
  }

  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#socket.end();
    this.#socket.destroySoon();
  }

  destroy(): void {
    this.#isEnded = true;
    this.#socket.destroy();
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#events?.closed(this.#reason);
  }

  /**
   * An accepted connection, moved to a socket that reads into the shared buffer: this saves a buffer
   * and a stream event a read. A server cannot be asked for it; where the runtime does not let us,
   * the socket stays as it is.
   */
  #takeOver(socket: Socket): Socket {
    const inside = socket as unknown as SocketInside;
    const handle = inside._handle;
    if (handle === null || typeof handle !== 'object' || !('useUserBuffer' in handle)) {
      socket.on('data', (chunk: Buffer) => this.#events?.data(chunk, chunk.length));
      return socket;
    }
    inside._handle = null;
    const taking = new TakingSocket({
      handle,
      onread: {
        buffer: receiveBuffer,
        callback: (size) => {
          this.#events?.data(receiveBuffer, size);
          return true;
        },
      },
    });
    const takingInside = taking as unknown as SocketInside;
    // The server counts its connections through these.
    if (inside._server !== undefined) takingInside._server = inside._server;
    if (inside.server !== undefined) takingInside.server = inside.server;
    return taking;
  }
}

/** An IPv4 address that came through an IPv6 socket, without its prefix. */
export function plainIp(address: string | undefined): string {
  if (address === undefined) return '';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
