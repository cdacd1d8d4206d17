/**
 * Reads along on the connections that Sentinels open, from outside: the votes that Sentinels answer with, and the hello
 * messages that they publish. What is said on the wire cannot be taken back, so the checker judges by it.
 */
import { invariant } from '../src/base/index.ts';
import { type Reply, decodeReply } from '../src/resp/index.ts';
import { HELLO_CHANNEL } from '../src/sentinel/index.ts';
import { replyText } from './client.ts';
import type { WireTap } from './network.ts';
import type { SimWire } from './wire.ts';

/** A Sentinel's word about itself and the master. */
export interface Hello {
  readonly currentEpoch: number;
  readonly masterAddress: string;
  readonly configEpoch: number;
}

export interface SentinelListener {
  /** The host behind `from` answered with the vote that it has given. */
  voted(from: SimWire, vote: { readonly leader: string; readonly epoch: number }): void;
  saidHello(from: SimWire, hello: Hello): void;
}

/** A connection, kept by the end that opened it. */
interface Talk {
  /** Bytes that are no whole message yet. */
  requests: Buffer;
  replies: Buffer;
  /** Names of the requests that are not answered yet. */
  readonly pending: string[];
  /** Messages come on it that answer nothing. */
  isSubscribed: boolean;
}

const NO_BYTES: Buffer = Buffer.alloc(0);

export class SentinelObserver implements WireTap {
  readonly #listener: SentinelListener;
  readonly #isSentinel: (ip: string) => boolean;
  readonly #talks = new WeakMap<SimWire, Talk>();

  constructor(listener: SentinelListener, isSentinel: (ip: string) => boolean) {
    this.#listener = listener;
    this.#isSentinel = isSentinel;
  }

  sent(from: SimWire, bytes: Buffer): void {
    const isAnswer = from.host.listensOn(from.localPort);
    const opener = isAnswer ? from.peer : from;
    if (opener === undefined || !this.#isSentinel(opener.host.ip)) return;
    const talk = this.#talkOf(opener);
    if (isAnswer) this.#answered(from, talk, bytes);
    else this.#asked(from, talk, bytes);
  }

  delivered(): void {
    // Only what is said counts.
  }

  #asked(from: SimWire, talk: Talk, bytes: Buffer): void {
    talk.requests = eachMessage(Buffer.concat([talk.requests, bytes]), (message) => {
      invariant(Array.isArray(message), 'a request is an array');
      const words = (message as readonly Reply[]).map(replyText);
      talk.pending.push(words.slice(0, 2).join(' '));
      if (words[0] === 'SUBSCRIBE') talk.isSubscribed = true;
      if (words[0] !== 'PUBLISH' || words[1] !== HELLO_CHANNEL) return;
      const fields = (words[2] ?? '').split(',');
      this.#listener.saidHello(from, {
        currentEpoch: Number(fields[3]),
        masterAddress: `${fields[5]}:${fields[6]}`,
        configEpoch: Number(fields[7]),
      });
    });
  }

  #answered(from: SimWire, talk: Talk, bytes: Buffer): void {
    if (talk.isSubscribed) return;
    talk.replies = eachMessage(Buffer.concat([talk.replies, bytes]), (message) => {
      const asked = talk.pending.shift();
      if (asked !== 'SENTINEL is-master-down-by-addr' || !Array.isArray(message)) return;
      const [, leader, epoch] = message as readonly Reply[];
      const id = replyText(leader);
      if (id !== '*') this.#listener.voted(from, { leader: id, epoch: Number(epoch) });
    });
  }

  #talkOf(opener: SimWire): Talk {
    let talk = this.#talks.get(opener);
    if (talk === undefined) {
      talk = { requests: NO_BYTES, replies: NO_BYTES, pending: [], isSubscribed: false };
      this.#talks.set(opener, talk);
    }
    return talk;
  }
}

/** Calls for each whole message; the bytes that are left. */
function eachMessage(bytes: Buffer, take: (message: Reply) => void): Buffer {
  let at = 0;
  for (;;) {
    const decoded = decodeReply(bytes, at);
    invariant(decoded.kind !== 'malformed', 'servers speak RESP');
    if (decoded.kind === 'more') return bytes.subarray(at);
    at = decoded.end;
    take(decoded.value);
  }
}
