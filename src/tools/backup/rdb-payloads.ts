/**
 * The keys of an RDB as DUMP payloads, which RESTORE takes: the bytes of a value are the same in both, so that they are
 * checked on the way but not written anew.
 */
import {
  type Bytes,
  DUMP_FOOTER_BYTES,
  NO_SINK,
  type RdbHandler,
  type RdbEntry,
  RdbReader,
  createDecoders,
  createForeignDecoders,
  sealDump,
} from '../../rdb/index.ts';

export interface Payload {
  readonly dbIndex: number;
  readonly key: Buffer;
  readonly payload: Buffer;
  /** Unix milliseconds, or -1 when the key does not expire. */
  readonly expireAtUnixMs: number;
}

export class RdbPayloads {
  readonly #reader: RdbReader;
  readonly #skipped: Set<string> = new Set();
  /** The bytes from `#chunksAt` on: what belongs to the value in hand may begin some chunks ago. */
  #chunks: Buffer[] = [];
  #chunksAt = 0;
  #read = 0;
  #valueAt: number | undefined;
  #found: Payload[] = [];
  readonly #libraries: Buffer[] = [];

  constructor() {
    const handler: RdbHandler = {
      sink: NO_SINK,
      begin: () => {
        this.#valueAt = this.#reader.position;
        return undefined;
      },
      end: (entry) => this.#take(entry),
      empty: () => (this.#valueAt = undefined),
      library: (code) => {
        this.#libraries.push(copied(code));
        return undefined;
      },
      skipped: (what) => this.#skipped.add(what),
    };
    const decoders = new Map([...createDecoders(), ...createForeignDecoders()]);
    this.#reader = new RdbReader(handler, decoders);
  }

  /** Codes of the libraries of functions that came since the last call. */
  takeLibraries(): readonly Buffer[] {
    return this.#libraries.splice(0);
  }

  /** What the file holds beside keys and libraries and is passed over. */
  get skipped(): readonly string[] {
    return [...this.#skipped];
  }

  /** Why the bytes are no RDB, or one that is not whole; undefined when it was read to its end. */
  get flaw(): string | undefined {
    const { state, failure } = this.#reader;
    if (state === 'done') return undefined;
    if (failure === undefined) return 'it ends in the middle';
    return failure.kind === 'unsupported'
      ? `key ${JSON.stringify(failure.key.toString())} is of an unknown type: ${failure.what}`
      : `${failure.reason} at byte ${failure.at}`;
  }

  /** The keys that are complete with these bytes. */
  push(chunk: Buffer): readonly Payload[] {
    this.#chunks.push(chunk);
    this.#reader.push(chunk, 0, chunk.length);
    this.#read += chunk.length;
    const needed = this.#valueAt ?? this.#read;
    for (let first = this.#chunks[0]; first !== undefined; [first] = this.#chunks) {
      if (this.#chunksAt + first.length > needed) break;
      this.#chunksAt += first.length;
      this.#chunks.shift();
    }
    const found = this.#found;
    this.#found = [];
    return found;
  }

  #take({ dbIndex, key, type, expireAtUnixMs }: RdbEntry): void {
    const from = this.#valueAt ?? 0;
    const size = this.#reader.position - from;
    this.#valueAt = undefined;
    const payload = Buffer.allocUnsafe(1 + size + DUMP_FOOTER_BYTES);
    payload[0] = type;
    this.#copy(from, size, payload, 1);
    sealDump(payload, 0, 1 + size, this.#reader.version);
    this.#found.push({ dbIndex, key: copied(key), payload, expireAtUnixMs });
  }

  /** Input bytes `[from, from + size)` to `into` at `at`. */
  #copy(from: number, size: number, into: Buffer, at: number): void {
    let start = this.#chunksAt;
    for (const chunk of this.#chunks) {
      const begin = Math.max(from, start);
      const end = Math.min(from + size, start + chunk.length);
      if (begin < end) chunk.copy(into, at + begin - from, begin - start, end - start);
      start += chunk.length;
    }
  }
}

function copied({ buf, at, size }: Bytes): Buffer {
  return Buffer.from(buf.subarray(at, at + size));
}
