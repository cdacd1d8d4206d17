/**
 * A `Wire` directly on the runtime's stream handle. `net.Socket` would put two stream objects and
 * their events between a request and its reply, which costs a third of the work of a small command;
 * see stream-handle.ts.
 */
import type { Socket } from 'node:net';
import { invariant } from '../base/index.ts';
import type { Wire, WireEvents } from '../node/index.ts';
import { plainIp } from './plain-ip.ts';
import {
  type AcceptedHandle,
  type Endpoint,
  type SocketInside,
  type StreamBinding,
  HandleReader,
  type StreamHandle,
  type WriteRequest,
  binding,
} from './stream-handle.ts';

/** A request up to this size is read in place; less would have larger ones copied once more. */
const RECEIVE_BYTES = 256 * 1024;
/** Replies shorter than this are copied into one buffer with views that are kept. */
const KEPT_VIEWS = 256;

/** What the wires of one process share. */
export class WireBuffers {
  /** All wires read into it: requests are consumed before the next read. */
  readonly receive: Buffer = Buffer.allocUnsafeSlow(RECEIVE_BYTES);
  #request: WriteRequest | undefined;
  #small: Buffer = Buffer.allocUnsafeSlow(KEPT_VIEWS);
  #views: (Buffer | undefined)[] = Array.from({ length: KEPT_VIEWS }, () => undefined);

  /** The bytes of `buf[0, size)`, valid until the next call. Making a view costs more than copying a small reply. */
  outgoing(buf: Buffer, size: number): Buffer {
    if (size >= KEPT_VIEWS) return buf.subarray(0, size);
    const small = this.#small;
    for (let i = 0; i < size; i++) small[i] = buf[i]!;
    return (this.#views[size] ??= small.subarray(0, size));
  }

  /** For a write; used again and again while writes are taken at once. */
  request({ WriteWrap }: StreamBinding): WriteRequest {
    return (this.#request ??= new WriteWrap());
  }

  /** The last write was not: the next ones need another. */
  giveRequestAway(): void {
    this.#request = undefined;
  }

  /** The last small reply is kept by somebody: the next ones go elsewhere. */
  giveSmallAway(): void {
    this.#small = Buffer.allocUnsafeSlow(KEPT_VIEWS);
    this.#views.fill(undefined);
  }
}

export interface HandleOwner {
  readonly buffers: WireBuffers;
  readonly unixPath: string | undefined;
}

type Addresses = Pick<Wire, 'remoteIp' | 'remotePort' | 'localIp' | 'localPort'>;

/** A wire on the handle of an open socket, which is left without one, or undefined where that is not possible. */
export function wireOnHandle(socket: Socket, owner: HandleOwner): HandleWire | undefined {
  const { unixPath } = owner;
  const inside = socket as unknown as SocketInside;
  const handle = inside._handle;
  if (binding === undefined || handle === null || typeof handle.useUserBuffer !== 'function') {
    return undefined;
  }
  const addresses: Addresses = {
    remoteIp: unixPath ?? plainIp(socket.remoteAddress),
    remotePort: socket.remotePort ?? 0,
    localIp: unixPath ?? plainIp(socket.localAddress),
    localPort: socket.localPort ?? 0,
  };
  inside._handle = null;
  return new HandleWire({ handle, binding, addresses, ...owner });
}

/** A wire on what a server has just accepted. The runtime must be as we know it. */
export function wireOnAccepted(handle: AcceptedHandle, owner: HandleOwner): HandleWire {
  invariant(binding !== undefined, 'handles are accepted where there is a binding for them');
  const { unixPath } = owner;
  const peer: Endpoint = {};
  const local: Endpoint = {};
  handle.getpeername?.(peer);
  handle.getsockname?.(local);
  const addresses: Addresses = {
    remoteIp: unixPath ?? plainIp(peer.address),
    remotePort: peer.port ?? 0,
    localIp: unixPath ?? plainIp(local.address),
    localPort: local.port ?? 0,
  };
  return new HandleWire({ handle, binding, addresses, ...owner });
}

interface HandleWireInit extends HandleOwner {
  readonly handle: StreamHandle;
  readonly binding: StreamBinding;
  readonly addresses: Addresses;
}

export class HandleWire implements Wire {
  readonly remoteIp: string;
  readonly remotePort: number;
  readonly localIp: string;
  readonly localPort: number;
  readonly isUnixSocket: boolean;
  readonly fd: number;
  readonly #handle: StreamHandle;
  readonly #binding: StreamBinding;
  readonly #buffers: WireBuffers;
  readonly #reader: HandleReader;
  #events: WireEvents | undefined;
  #writesUnderWay = 0;
  #isEnding = false;
  #isClosed = false;

  constructor(init: HandleWireInit) {
    this.#handle = init.handle;
    this.#binding = init.binding;
    this.#buffers = init.buffers;
    this.#reader = new HandleReader(init.buffers.receive);
    this.isUnixSocket = init.unixPath !== undefined;
    this.remoteIp = init.addresses.remoteIp;
    this.remotePort = init.addresses.remotePort;
    this.localIp = init.addresses.localIp;
    this.localPort = init.addresses.localPort;
    this.fd = init.handle.fd;
  }

  start(events: WireEvents): void {
    this.#events = events;
    this.#reader.start(this.#handle, this.#binding, {
      data: (buf, size) => {
        if (!this.#isEnding) events.data(buf, size);
      },
      ended: (reason) => this.#close(reason),
    });
  }

  write(buf: Buffer, size: number): boolean {
    if (this.#isClosed || this.#isEnding) return true;
    const bytes = this.#buffers.outgoing(buf, size);
    const request = this.#buffers.request(this.#binding);
    const error = this.#handle.writeBuffer(request, bytes);
    if (error !== 0) {
      this.#buffers.giveRequestAway();
      this.#close(`write error ${error}`);
      return true;
    }
    if (this.#binding.streamBaseState[this.#binding.kLastWriteWasAsync] === 0) return true;
    request.bytes = bytes;
    request.oncomplete = (status) => this.#written(status);
    this.#writesUnderWay++;
    this.#buffers.giveRequestAway();
    if (size >= KEPT_VIEWS) return false;
    this.#buffers.giveSmallAway();
    return true;
  }

  get pendingBytes(): number {
    return this.#isClosed ? 0 : this.#handle.writeQueueSize;
  }

  readInto(buf: Buffer): void {
    this.#reader.readInto(buf);
  }

  pause(): void {
    if (!this.#isClosed) this.#handle.readStop();
  }

  resume(): void {
    if (!this.#isClosed) this.#handle.readStart();
  }

  end(): void {
    if (this.#isEnding || this.#isClosed) return;
    this.#isEnding = true;
    const request = new this.#binding.ShutdownWrap();
    // The system sends what is queued, then the end of the stream; then nothing holds us.
    request.oncomplete = () => this.#close(undefined);
    if (this.#handle.shutdown(request) !== 0) this.#close(undefined);
  }

  destroy(): void {
    this.#close(undefined);
  }

  #written(status: number): void {
    this.#writesUnderWay--;
    if (status < 0) return this.#close(`write error ${status}`);
    if (this.#writesUnderWay === 0 && !this.#isClosed && !this.#isEnding) this.#events?.drained?.();
  }

  #close(reason: string | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#handle.readStop();
    this.#handle.close();
    // Never from inside a call of the wire's owner.
    setImmediate(() => this.#events?.closed(reason));
  }
}
