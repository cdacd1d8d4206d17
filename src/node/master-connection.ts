/** The socket to our master. Once dropped, nothing of it is reported any more. */
import type { Network, Wire, WireEvents, WireFacts } from './ports.ts';

export interface MasterListener {
  connected(): void;
  connectFailed(reason: string): void;
  /** `buf[0, size)` arrived; valid until the call returns. */
  received(buf: Buffer, size: number): void;
  closed(): void;
}

export class MasterConnection implements WireEvents {
  readonly #listener: MasterListener;
  readonly #wire: Wire;
  #isOpen = false;
  #isDropped = false;

  constructor(
    network: Network,
    target: { readonly host: string; readonly port: number },
    listener: MasterListener,
  ) {
    this.#listener = listener;
    this.#wire = network.connect({ ...target, purpose: 'data' }, this);
  }

  get facts(): WireFacts {
    return this.#wire;
  }

  /** `bytes` are the connection's from now on. */
  send(bytes: Buffer): void {
    if (!this.#isDropped) this.#wire.write(bytes, bytes.length);
  }

  /** Reads no more until `resume`. */
  pause(): void {
    this.#wire.pause();
  }

  resume(): void {
    if (!this.#isDropped) this.#wire.resume();
  }

  drop(): void {
    if (this.#isDropped) return;
    this.#isDropped = true;
    this.#wire.destroy();
  }

  opened(): void {
    if (this.#isDropped) return;
    this.#isOpen = true;
    this.#listener.connected();
  }

  data(buf: Buffer, size: number): void {
    if (!this.#isDropped) this.#listener.received(buf, size);
  }

  closed(reason: string | undefined): void {
    if (this.#isDropped) return;
    this.#isDropped = true;
    if (this.#isOpen) this.#listener.closed();
    else this.#listener.connectFailed(reason ?? 'connection closed');
  }
}
