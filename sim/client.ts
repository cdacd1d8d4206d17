/** A client's computer and its RESP connections. */
import { invariant } from '../src/base/index.ts';
import type { WireEvents } from '../src/node/index.ts';
import { type Reply, ReplyError, decodeReply, encodeRequest } from '../src/resp/index.ts';
import type { Network } from './network.ts';
import type { Host, SimWire } from './wire.ts';

export class ClientHost implements Host {
  readonly name: string;
  readonly ip: string;
  readonly reach = 'listening';

  constructor(network: Network, name: string, ip: string) {
    this.name = name;
    this.ip = ip;
    network.add(this);
  }

  deliver(run: () => void): void {
    run();
  }

  beforeSend(): void {
    // Clients never crash.
  }

  listensOn(): boolean {
    return false;
  }

  accept(): WireEvents {
    invariant(false, 'nobody connects to a client');
  }
}

/** What came of a request: its reply, or a connection that closed before one came. */
export type Answer =
  | { readonly kind: 'reply'; readonly reply: Reply; readonly sentAtUs: number }
  | { readonly kind: 'closed' };

/** One connection; requests may be pipelined, each is answered exactly once, in order. */
export class RespConnection {
  readonly ip: string;
  readonly port: number;
  isClosed = false;
  readonly #wire: SimWire;
  #received: Buffer = Buffer.alloc(0);
  #waiting: ((answer: Answer) => void)[] = [];

  constructor(network: Network, from: ClientHost, target: { ip: string; port: number }) {
    this.ip = target.ip;
    this.port = target.port;
    this.#wire = network.connect(
      from,
      { host: target.ip, port: target.port, purpose: 'client' },
      {
        data: (buf, size) => this.#data(buf, size),
        closed: () => this.#closed(),
      },
    );
  }

  request(args: readonly (string | Buffer)[], answered: (answer: Answer) => void): void {
    if (this.isClosed) return answered({ kind: 'closed' });
    this.#waiting.push(answered);
    const bytes = encodeRequest(args);
    this.#wire.write(bytes, bytes.length);
  }

  close(): void {
    if (this.isClosed) return;
    this.#wire.destroy();
    this.#closed();
  }

  #closed(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    for (const answered of this.#waiting.splice(0)) answered({ kind: 'closed' });
  }

  #data(buf: Buffer, size: number): void {
    this.#received = Buffer.concat([this.#received, buf.subarray(0, size)]);
    let at = 0;
    for (;;) {
      const decoded = decodeReply(this.#received, at);
      invariant(decoded.kind !== 'malformed', 'a node answers in RESP');
      if (decoded.kind === 'more') break;
      at = decoded.end;
      const answered = this.#waiting.shift();
      invariant(answered !== undefined, 'every reply answers a request');
      answered({ kind: 'reply', reply: decoded.value, sentAtUs: this.#wire.sentAtUs });
      if (this.isClosed) return;
    }
    this.#received = this.#received.subarray(at);
  }
}

/** A reply as text, for comparing and for messages. */
export function replyText(reply: Reply | undefined): string {
  if (Buffer.isBuffer(reply)) return reply.toString('latin1');
  if (reply instanceof ReplyError) return reply.message;
  return typeof reply === 'string' ? reply : (JSON.stringify(reply) ?? 'no answer');
}
