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
  onread: (() => void) | undefined;
  useUserBuffer(buf: Buffer): void;
  readStart(): number;
  readStop(): number;
  writeBuffer(request: WriteRequest, bytes: Buffer): number;
  shutdown(request: object): number;
  close(done?: () => void): void;
}

export interface SocketInside {
  _handle: StreamHandle | null;
}

/** Source: libuv, UV_EOF. */
export const UV_EOF: number = -4095;

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
