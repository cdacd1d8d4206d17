/**
 * What goes on to replicas: the changed command as it came, rewritten, or several. Several of one
 * call or transaction are wrapped in MULTI and EXEC, so that replicas apply them together.
 */
import { encodeRequest } from '../resp/index.ts';

/** Who gets what is passed on, as bits: scripts may choose. */
export const FEED_AOF = 1;
export const FEED_REPLICAS = 2;
export const FEED_ALL: number = FEED_AOF | FEED_REPLICAS;

interface Waiting {
  readonly dbIndex: number;
  readonly targets: number;
  readonly bytes: Buffer;
}

/** Where propagated bytes go: backlog and replicas. */
export interface PropagationSink {
  /** False while nobody could want the stream; then nothing is encoded or kept. */
  readonly isListening: boolean;
  feed(dbIndex: number, buf: Buffer, at: number, size: number, targets?: number): void;
}

const MULTI: Buffer = encodeRequest(['MULTI']);
const EXEC: Buffer = encodeRequest(['EXEC']);

export class Propagation {
  readonly #sink: PropagationSink;
  #waiting: Waiting[] = [];
  /** Inside a call or transaction; what comes is held until it ends. */
  #depth = 0;

  constructor(sink: PropagationSink) {
    this.#sink = sink;
  }

  /** Begins a unit: all that is added until its `end` is applied together. Units nest; the outermost counts. */
  begin(): void {
    this.#depth++;
  }

  end(): void {
    this.#depth--;
    if (this.#depth === 0 && this.#waiting.length > 0) this.#send();
  }

  /** A command as bytes that stay valid only now. */
  addBytes(what: {
    readonly dbIndex: number;
    readonly buf: Buffer;
    readonly at: number;
    readonly size: number;
    /** FEED_ bits. */
    readonly targets: number;
  }): void {
    const { dbIndex, buf, at, size, targets } = what;
    if (!this.#sink.isListening || targets === 0) return;
    if (this.#depth === 0) this.#sink.feed(dbIndex, buf, at, size, targets);
    else this.#waiting.push({ dbIndex, targets, bytes: Buffer.from(buf.subarray(at, at + size)) });
  }

  addArgs(dbIndex: number, args: readonly (Buffer | string)[], targets: number = FEED_ALL): void {
    if (!this.#sink.isListening || targets === 0) return;
    const bytes = encodeRequest(args);
    if (this.#depth === 0) this.#sink.feed(dbIndex, bytes, 0, bytes.length, targets);
    else this.#waiting.push({ dbIndex, targets, bytes });
  }

  get isHolding(): boolean {
    return this.#waiting.length > 0;
  }

  #send(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const isGroup = waiting.length > 1;
    if (isGroup) this.#sink.feed(waiting[0]!.dbIndex, MULTI, 0, MULTI.length);
    for (const { dbIndex, targets, bytes } of waiting) {
      this.#sink.feed(dbIndex, bytes, 0, bytes.length, targets);
    }
    if (isGroup) this.#sink.feed(waiting.at(-1)!.dbIndex, EXEC, 0, EXEC.length);
  }
}
