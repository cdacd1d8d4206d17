/** A connection to another server of which we are the client: requests out, replies in. */
import { type Reply, decodeReply } from '../resp/index.ts';
import type { Network, Wire, WirePurpose } from './ports.ts';

export interface ReplyListener {
  opened(): void;
  /** Bulk strings are valid until the call returns. */
  reply(reply: Reply): void;
  /** The connection is gone, also when what it sent was no reply. */
  closed(): void;
}

const NO_BYTES: Buffer = Buffer.alloc(0);

export class ReplyConnection {
  readonly #wire: Wire;
  #input: Buffer = NO_BYTES;
  /** Who hears of what happens; nobody while the connection rests. */
  listener: ReplyListener | undefined;
  isOpen = false;
  isClosed = false;

  constructor(
    network: Network,
    target: { readonly host: string; readonly port: number; readonly purpose: WirePurpose },
  ) {
    this.#wire = network.connect(target, {
      opened: () => {
        this.isOpen = true;
        this.listener?.opened();
      },
      data: (buf, size) => this.#data(buf, size),
      closed: () => this.#leave(),
    });
  }

  get localIp(): string {
    return this.#wire.localIp;
  }

  send(bytes: Buffer): void {
    if (!this.isClosed) this.#wire.write(bytes, bytes.length);
  }

  close(): void {
    this.listener = undefined;
    this.isClosed = true;
    this.#wire.destroy();
  }

  #data(buf: Buffer, size: number): void {
    const bytes = buf.subarray(0, size);
    const input = this.#input.length === 0 ? bytes : Buffer.concat([this.#input, bytes]);
    let at = 0;
    while (!this.isClosed && at < input.length) {
      const decoded = decodeReply(input, at);
      if (decoded.kind === 'more') break;
      if (decoded.kind === 'malformed') {
        this.#wire.destroy();
        return this.#leave();
      }
      at = decoded.end;
      this.listener?.reply(decoded.value);
    }
    // Of what is left a copy: the buffer is only lent.
    this.#input = at < input.length ? Buffer.from(input.subarray(at)) : NO_BYTES;
  }

  #leave(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.listener?.closed();
  }
}
