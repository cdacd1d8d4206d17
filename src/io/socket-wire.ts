/** A `Wire` over an open socket of the runtime, which was made paused. */
import type { Socket } from 'node:net';
import type { Wire, WireEvents } from '../node/index.ts';
import { plainIp } from './plain-ip.ts';

export class SocketWire implements Wire {
  readonly #socket: Socket;
  readonly #unixPath: string | undefined;
  #reason: string | undefined;
  #isEnded = false;

  constructor(socket: Socket, unixPath?: string) {
    this.#socket = socket;
    this.#unixPath = unixPath;
  }

  /** Begins to read; `events` gets all that happens from here on. */
  start(events: WireEvents): void {
    const socket = this.#socket;
    socket.on('data', (chunk: Buffer) => {
      if (!this.#isEnded) events.data(chunk, chunk.length);
    });
    socket.on('drain', () => {
      if (!this.#isEnded) events.drained?.();
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

  get fd(): number {
    return (this.#socket as unknown as { _handle: { fd?: number } | null })._handle?.fd ?? -1;
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
    this.#socket.destroySoon();
  }

  destroy(): void {
    this.#isEnded = true;
    this.#socket.destroy();
  }
}
