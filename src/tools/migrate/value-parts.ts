/** The parts of one large value as commands that add them to a key, which is emptied first. */
import { invariant } from '../../base/index.ts';
import { RequestBuffer } from '../../client/index.ts';
import {
  type Bytes,
  type ContainerKind,
  ListpackReader,
  LISTPACK_HEADER_BYTES,
  type ValueSink,
  intsetCount,
  intsetGet,
  intsetWidth,
  isListpackEnd,
} from '../../rdb/index.ts';
import type { Abilities } from '../flow/index.ts';

/** Elements, and bytes, of one command of a large value. */
const PART_ELEMENTS = 512;
const PART_BYTES: number = 64 * 1024;
/** HSET takes one field only before Redis 4. */
const ADDING: Readonly<Record<ContainerKind, string>> = {
  list: 'RPUSH',
  set: 'SADD',
  hash: 'HMSET',
  zset: 'ZADD',
};

/** A field that expires, written and without that yet. */
interface Expiring {
  readonly name: Buffer;
  readonly expireAtUnixMs: number;
}

export interface ValuePartsOptions {
  /** Where the commands go; undefined: nowhere. */
  readonly lane: () => RequestBuffer | undefined;
  readonly abilities: Pick<Abilities, 'unlink'>;
  /** Asked for each field that expires. */
  readonly keepsExpiry: () => boolean;
}

/** The commands about one key after the other. */
export class ValueParts implements ValueSink {
  readonly #arguments: RequestBuffer = new RequestBuffer();
  readonly #listpack: ListpackReader = new ListpackReader();
  readonly #options: ValuePartsOptions;
  readonly #expiring: Expiring[] = [];
  #key: Bytes | undefined;
  #kind: ContainerKind = 'list';
  #count = 0;
  #hasBegun = false;

  constructor(options: ValuePartsOptions) {
    this.#options = options;
  }

  begin(key: Bytes): void {
    this.#key = key;
    this.#count = 0;
    this.#hasBegun = false;
  }

  finish(): void {
    this.#flush();
  }

  string(value: Bytes): void {
    this.#command('SET', 1)?.argument(value.buf, value.at, value.size);
  }

  container(kind: ContainerKind): void {
    this.#kind = kind;
    if (!this.#hasBegun) this.#command(this.#options.abilities.unlink, 0);
    this.#hasBegun = true;
  }

  element(value: Bytes): boolean {
    this.#argument(value.buf, value.at, value.size);
    this.#flushFull();
    return true;
  }

  field(name: Bytes, value: Bytes): boolean {
    this.#argument(name.buf, name.at, name.size);
    return this.element(value);
  }

  expiringField(name: Bytes, value: Bytes, expireAtUnixMs: number): boolean {
    if (this.#options.keepsExpiry()) {
      const copy = Buffer.from(name.buf.subarray(name.at, name.at + name.size));
      this.#expiring.push({ name: copy, expireAtUnixMs });
    }
    return this.field(name, value);
  }

  scored(member: Bytes, score: number): boolean {
    this.#word(scoreWord(score));
    return this.element(member);
  }

  listpack(kind: ContainerKind, { buf, at }: Bytes): void {
    this.container(kind);
    const reader = this.#listpack;
    for (let pos = at + LISTPACK_HEADER_BYTES; !isListpackEnd(buf, pos);) {
      pos = reader.read(buf, pos);
      const first = Buffer.from(reader.buf.subarray(reader.at, reader.at + reader.size));
      if (kind === 'zset') {
        // The score comes second there and first in ZADD.
        pos = reader.read(buf, pos);
        this.#argument(asBuffer(reader.buf), reader.at, reader.size);
        this.#argument(first, 0, first.length);
      } else {
        this.#argument(first, 0, first.length);
        if (kind === 'hash') {
          pos = reader.read(buf, pos);
          this.#argument(asBuffer(reader.buf), reader.at, reader.size);
        }
      }
      this.#flushFull();
    }
  }

  intset({ buf, at }: Bytes): void {
    this.container('set');
    const width = intsetWidth(buf, at);
    for (let i = 0; i < intsetCount(buf, at); i++) {
      this.#word(String(intsetGet(buf, at, width, i)));
      this.#flushFull();
    }
  }

  stream(): void {
    this.#never();
  }

  streamNode(): void {
    this.#never();
  }

  streamFacts(): void {
    this.#never();
  }

  streamGroup(): boolean {
    return this.#never();
  }

  streamPending(): boolean {
    return this.#never();
  }

  streamConsumer(): boolean {
    return this.#never();
  }

  streamConsumerPending(): boolean {
    return this.#never();
  }

  streamGroupEnd(): boolean {
    return this.#never();
  }

  #never(): never {
    invariant(false, 'streams come whole');
  }

  #argument(buf: Buffer, at: number, size: number): void {
    this.#arguments.argument(buf, at, size);
    this.#count++;
  }

  #word(text: string): void {
    this.#arguments.word(text);
    this.#count++;
  }

  #flushFull(): void {
    if (this.#count >= PART_ELEMENTS || this.#arguments.byteCount >= PART_BYTES) this.#flush();
  }

  #flush(): void {
    const count = this.#count;
    if (count === 0) return;
    this.#count = 0;
    const bytes = this.#arguments.take();
    this.#command(ADDING[this.#kind], count)?.raw(bytes, 0, bytes.length, 0);
    for (const { name, expireAtUnixMs } of this.#expiring.splice(0)) {
      const out = this.#command('HPEXPIREAT', 4);
      out?.word(String(expireAtUnixMs));
      out?.word('FIELDS');
      out?.word('1');
      out?.argument(name, 0, name.length);
    }
  }

  /** Begins a command about the key with so many arguments more; undefined where it is not to be written. */
  #command(name: string, more: number): RequestBuffer | undefined {
    const [out, key] = [this.#options.lane(), this.#key];
    if (out === undefined || key === undefined) return undefined;
    out.begin(2 + more);
    out.word(name);
    out.argument(key.buf, key.at, key.size);
    return out;
  }
}

function scoreWord(score: number): string {
  if (score === Infinity) return 'inf';
  return score === -Infinity ? '-inf' : String(score);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
