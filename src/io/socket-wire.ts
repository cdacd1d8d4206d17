/** A `Wire` over an open socket of the runtime, which was made paused. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Wire, WireEvents } from '../node/index.ts';
import { plainIp } from './plain-ip.ts';

export class SocketWire implements Wire {
  readonly #socket: Socket;
  readonly #unixPath: string | undefined;
  #reason: string | undefined;
  #isEnded = false;
  /** `write` said that bytes are pending. */
  #isBehind = false;
  #events: WireEvents | undefined;

  constructor(socket: Socket, unixPath?: string) {
    this.#socket = socket;
    this.#unixPath = unixPath;
  }

  /** Begins to read; `events` gets all that happens from here on. */
  start(events: WireEvents): void {
    const socket = this.#socket;
    this.#events = events;
    socket.on('data', (chunk: Buffer) => {
      if (!this.#isEnded) events.data(chunk, chunk.length);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#reason ??= error.code ?? error.message;
    });
    socket.on('close', () => events.closed(this.#reason));
    socket.resume();
  }

  get remoteIp(): string {
    return this.#unixPath ?? plainIp(this.#socket.remoteAddress);
  }

  get remotePort(): number {
    return this.#socket.remotePort ?? 0;
  }

  get localIp(): string {
    return this.#unixPath ?? plainIp(this.#socket.localAddress);
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  get isUnixSocket(): boolean {
    return this.#unixPath !== undefined;
  }

  get isTls(): boolean {
    return this.#socket instanceof TLSSocket;
  }

  get fd(): number {
    return (this.#socket as unknown as { _handle: { fd?: number } | null })._handle?.fd ?? -1;
  }

  write(buf: Buffer, size: number): boolean {
    const socket = this.#socket;
    if (this.#isEnded || socket.destroyed) return true;
    socket.write(size === buf.length ? buf : buf.subarray(0, size), () => this.#written());
    this.#isBehind = socket.writableLength > 0;
    return !this.#isBehind;
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
    this.#socket.destroySoon();
  }

  destroy(): void {
    this.#isEnded = true;
    this.#socket.destroy();
  }

  /** The socket's own `drain` comes only after more than it likes to hold. */
  #written(): void {
    if (!this.#isBehind || this.#isEnded || this.#socket.writableLength > 0) return;
    this.#isBehind = false;
    this.#events?.drained?.();
  }
}
