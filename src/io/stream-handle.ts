/**
 * The runtime's own handles of streams, and the binding through which they are written and read without a stream
 * object around them. These are internals of Node.js, so they are used only where they are as we know them.
 */

/** What the runtime's stream binding gives. */
export interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest;
  readonly ShutdownWrap: new () => { oncomplete: (status: number) => void };
  /** Results of the last call, at the indexes below. */
  readonly streamBaseState: Int32Array;
  readonly kReadBytesOrError: number;
  readonly kLastWriteWasAsync: number;
}

export interface WriteRequest {
  oncomplete: (status: number) => void;
  /** Keeps the bytes alive while the system reads them. */
  bytes: Buffer | undefined;
}

export interface StreamHandle {
  readonly fd: number;
  readonly writeQueueSize: number;
  /** Called after each read; what it returns takes the place of the buffer that is read into. */
  onread: (() => Buffer | undefined) | undefined;
  useUserBuffer(buf: Buffer): void;
  readStart(): number;
  readStop(): number;
  writeBuffer(request: WriteRequest, bytes: Buffer): number;
  shutdown(request: object): number;
  close(done?: () => void): void;
}

/** The handle of an encrypted connection, over that of the plain one. */
export interface TlsHandle extends StreamHandle {
  readonly _parent?: Pick<StreamHandle, 'writeQueueSize'>;
}

export interface SocketInside<Handle extends StreamHandle = StreamHandle> {
  _handle: Handle | null;
}

/** One end of a connection, as its handle fills it in. */
export interface Endpoint {
  address?: string;
  port?: number;
}

/** A connection that a server has accepted. Local sockets have none of these functions. */
export interface AcceptedHandle extends StreamHandle {
  getpeername?(end: Endpoint): number;
  getsockname?(end: Endpoint): number;
  setNoDelay?(isOn: boolean): number;
  setKeepAlive?(isOn: boolean, seconds: number): number;
}

type OnConnection = (error: number, accepted: AcceptedHandle | undefined) => void;

/** A server that listens. */
export interface ServerInside {
  readonly _handle: { onconnection: OnConnection } | null;
}

/** Source: libuv, UV_EOF. */
const UV_EOF = -4095;

/** What comes out of a handle. */
export interface HandleEvents {
  /** So many bytes are in the buffer, until the call returns. */
  readonly data: (buf: Buffer, size: number) => void;
  /** The peer has ended, or why nothing more can be read. */
  readonly ended: (reason: string | undefined) => void;
}

/** Reads a handle, into a buffer that it shares with others unless it is told another. */
export class HandleReader {
  readonly #shared: Buffer;
  /** What the handle reads into. It knows only the address: the memory must stay alive here. */
  #into: Buffer;
  #next: Buffer;

  constructor(shared: Buffer) {
    this.#shared = shared;
    this.#into = shared;
    this.#next = shared;
  }

  start(
    handle: StreamHandle,
    { streamBaseState, kReadBytesOrError }: StreamBinding,
    { data, ended }: HandleEvents,
  ): void {
    handle.onread = () => {
      const size = streamBaseState[kReadBytesOrError]!;
      this.#next = this.#shared;
      if (size > 0) data(this.#into, size);
      else if (size < 0) ended(size === UV_EOF ? undefined : `read error ${size}`);
      if (this.#next === this.#into) return undefined;
      this.#into = this.#next;
      return this.#into;
    };
    handle.useUserBuffer(this.#into);
    handle.readStart();
  }

  /** The next read goes there. Said at another time than while `data` is at work, it has no effect. */
  readInto(buf: Buffer): void {
    this.#next = buf;
  }
}

/** Undefined in a runtime that is not as we know it. */
export const binding: StreamBinding | undefined = findBinding();

function findBinding(): StreamBinding | undefined {
  const ask = (process as unknown as { binding?: (name: string) => Partial<StreamBinding> })
    .binding;
  try {
    const found = ask?.('stream_wrap');
    const isWhole =
      typeof found?.WriteWrap === 'function' &&
      typeof found.ShutdownWrap === 'function' &&
      found.streamBaseState instanceof Int32Array &&
      typeof found.kReadBytesOrError === 'number' &&
      typeof found.kLastWriteWasAsync === 'number';
    return isWhole ? (found as StreamBinding) : undefined;
  } catch {
    // A runtime without this door: sockets will do.
    return undefined;
  }
}
