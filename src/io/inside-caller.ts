/**
 * A client of the node in its own process: commands go in and replies come out without a socket, whatever passwords and
 * addresses the settings ask of others.
 */
import type { Node, Wire, WireEvents } from '../node/index.ts';
import { type Reply, decodeReply, encodeRequest } from '../resp/index.ts';
import { SILENT_WIRE } from './silent-wire.ts';

const NO_BYTES: Buffer = Buffer.alloc(0);

/** Replies in the order of the commands, error replies as values. Rejects when the node ends before it answers. */
export async function askInside(
  node: Node,
  commands: readonly (readonly string[])[],
): Promise<Reply[]> {
  const caller = new InsideCaller(node);
  try {
    return await caller.ask(commands);
  } finally {
    caller.close();
  }
}

interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

class InsideCaller {
  readonly #events: WireEvents;
  readonly #waiting: Waiting[] = [];
  #held: Buffer = NO_BYTES;

  constructor(node: Node) {
    this.#events = node.accept(this.#wire(), true);
  }

  ask(commands: readonly (readonly string[])[]): Promise<Reply[]> {
    const replies = commands.map(
      () => new Promise<Reply>((resolve, reject) => void this.#waiting.push({ resolve, reject })),
    );
    for (const words of commands) {
      const request = encodeRequest(words.map((word) => Buffer.from(word)));
      this.#events.data(request, request.length);
    }
    return Promise.all(replies);
  }

  #take(bytes: Buffer): void {
    this.#held = Buffer.concat([this.#held, bytes]);
    let at = 0;
    while (at < this.#held.length) {
      const decoded = decodeReply(this.#held, at);
      if (decoded.kind !== 'value') break;
      at = decoded.end;
      this.#waiting.shift()?.resolve(decoded.value);
    }
    this.#held = this.#held.subarray(at);
  }

  close(): void {
    this.#events.closed(undefined);
  }

  #giveUp(): void {
    for (const { reject } of this.#waiting.splice(0)) reject(new Error('The node has ended'));
  }

  /** The node's end of it. What is written is copied at once, so that nothing is ever pending. */
  #wire(): Wire {
    return {
      ...SILENT_WIRE,
      write: (buf, size) => {
        this.#take(Buffer.from(buf.subarray(0, size)));
        return true;
      },
      end: () => this.#giveUp(),
      destroy: () => this.#giveUp(),
    };
  }
}
