/**
 * A `Wire` over an encrypted connection that has come to terms. The socket goes on to own it, with its errors and its
 * end; the bytes go by its handle, because the stream around it costs as much as the encryption: see stream-handle.ts.
 */
import type { TLSSocket } from 'node:tls';
import type { Wire, WireEvents } from '../node/index.ts';
import type { WireBuffers } from './handle-wire.ts';
import { plainIp } from './plain-ip.ts';
import {
  type SocketInside,
  type StreamBinding,
  HandleReader,
  type TlsHandle,
  binding,
} from './stream-handle.ts';

/** Encrypted bytes that the handle gives the system at once. Source: Node.js, tls_wrap.cc: ten buffers of 16 KiB. */
const AT_ONCE_BYTES = 128 * 1024;

/** Undefined where that is not possible. */
export function wireOnTls(socket: TLSSocket, buffers: WireBuffers): TlsWire | undefined {
  const handle = (socket as unknown as SocketInside<TlsHandle>)._handle;
  // What the stream has taken in already would be lost.
  const isFresh = socket.readableLength === 0 && socket.writableLength === 0;
  if (binding === undefined || handle === null || !isFresh) return undefined;
  if (typeof handle.useUserBuffer !== 'function') return undefined;
  return new TlsWire({ socket, handle, binding, buffers });
}

interface TlsWireInit {
  readonly socket: TLSSocket;
  readonly handle: TlsHandle;
  readonly binding: StreamBinding;
  readonly buffers: WireBuffers;
}

export class TlsWire implements Wire {
  readonly isTls: boolean = true;
  readonly isUnixSocket: boolean = false;
  readonly remoteIp: string;
  readonly remotePort: number;
  readonly localIp: string;
  readonly localPort: number;
  readonly fd: number;
  readonly #socket: TLSSocket;
  readonly #handle: TlsHandle;
  readonly #binding: StreamBinding;
  readonly #buffers: WireBuffers;
  readonly #reader: HandleReader;
  #events: WireEvents | undefined;
  #reason: string | undefined;
  /** The handle takes one write at a time; what comes meanwhile waits. */
  #isWriting = false;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** `end` was called: what waits is written still. */
  #isEnding = false;
  #isOver = false;
  readonly #completed = (status: number): void => this.#written(status);

  constructor({ socket, handle, binding: streams, buffers }: TlsWireInit) {
    this.#socket = socket;
    this.#handle = handle;
    this.#binding = streams;
    this.#buffers = buffers;
    this.#reader = new HandleReader(buffers.receive);
    this.remoteIp = plainIp(socket.remoteAddress);
    this.remotePort = socket.remotePort ?? 0;
    this.localIp = plainIp(socket.localAddress);
    this.localPort = socket.localPort ?? 0;
    this.fd = handle.fd;
  }

  /** Begins to read; `events` gets all that happens from here on. */
  start(events: WireEvents): void {
    this.#events = events;
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#reason ??= error.code ?? error.message;
    });
    this.#socket.on('close', () => {
      this.#isOver = true;
      events.closed(this.#reason);
    });
    this.#reader.start(this.#handle, this.#binding, {
      data: (buf, size) => {
        if (!this.#isEnding && !this.#isOver) events.data(buf, size);
      },
      ended: (reason) => this.#fail(reason),
    });
  }

  write(buf: Buffer, size: number): boolean {
    if (this.#isOver || this.#isEnding) return true;
    if (this.#isWriting) {
      this.#waiting.push(size === buf.length ? buf : buf.subarray(0, size));
      this.#waitingBytes += size;
      return false;
    }
    // Encrypted, and so copied, before the call returns.
    this.#send(this.#buffers.outgoing(buf, size));
    return true;
  }

  get pendingBytes(): number {
    if (this.#isOver) return 0;
    const { _parent: plain, writeQueueSize } = this.#handle;
    // The handle hears a turn later that the system has taken all.
    const isTaken = plain?.writeQueueSize === 0 && writeQueueSize <= AT_ONCE_BYTES;
    return this.#waitingBytes + (isTaken ? 0 : writeQueueSize);
  }

  readInto(buf: Buffer): void {
    this.#reader.readInto(buf);
  }

  pause(): void {
    if (!this.#isOver) this.#handle.readStop();
  }

  resume(): void {
    if (!this.#isOver) this.#handle.readStart();
  }

  end(): void {
    if (this.#isEnding || this.#isOver) return;
    this.#isEnding = true;
    if (!this.#isWriting) this.#socket.destroySoon();
  }

  destroy(): void {
    this.#fail(undefined);
  }

  #send(bytes: Buffer): void {
    const request = new this.#binding.WriteWrap();
    request.oncomplete = this.#completed;
    const error = this.#handle.writeBuffer(request, bytes);
    if (error !== 0) this.#fail(`write error ${error}`);
    else this.#isWriting = this.#binding.streamBaseState[this.#binding.kLastWriteWasAsync] !== 0;
  }

  #written(status: number): void {
    this.#isWriting = false;
    if (this.#isOver) return;
    if (status < 0) return this.#fail(`write error ${status}`);
    while (this.#waiting.length > 0 && !this.#isWriting && !this.#isOver) {
      const next = this.#waiting.shift()!;
      this.#waitingBytes -= next.length;
      this.#send(next);
    }
    if (this.#isWriting || this.#isOver) return;
    if (this.#isEnding) this.#socket.destroySoon();
    else this.#events?.drained?.();
  }

  #fail(reason: string | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#reason ??= reason;
    this.#socket.destroy();
  }
}
