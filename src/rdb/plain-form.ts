/**
 * A value written anew in a form that an older server, or one of another family, reads: containers as a count and their
 * elements, streams as Redis 5 had them, without the counts that came later.
 */
import { RdbCursor } from './cursor.ts';
import { createDecoders } from './decoders.ts';
import { createForeignDecoders } from './foreign-decoders.ts';
import {
  TYPE_HASH,
  TYPE_HASH_FIELD_EXPIRY,
  TYPE_HASH_FIELD_EXPIRY_TABLE,
  TYPE_LIST,
  TYPE_SET,
  TYPE_STREAM_LISTPACKS,
  TYPE_STRING,
  TYPE_ZSET,
  TYPE_ZSET_2,
} from './format.ts';
import { intsetCount, intsetGet, intsetWidth } from './intset.ts';
import { LISTPACK_HEADER_BYTES, ListpackReader, isListpackEnd } from './listpack.ts';
import { payloadVersionOf } from './payload-versions.ts';
import { parseScore } from './scores.ts';
import type { Bytes, ContainerKind, StreamFacts, StreamId, ValueSink } from './value.ts';
import type { ValueDecoders } from './value-decoder.ts';
import { RdbWriter } from './writer.ts';

/** What whoever reads it has. */
export interface PlainLimits {
  /** Whether scores may be doubles (Redis 4); text otherwise. */
  readonly hasDoubles: boolean;
  /** In whose form fields keep their expiry; undefined: they lose it. */
  readonly fieldExpiry: 'redis' | 'valkey' | undefined;
}

/** Type and value of a payload. */
export interface PlainForm {
  readonly type: number;
  /** The caller's own. */
  readonly bytes: Buffer;
  /** Fields that were to expire, whether they still are or not. */
  readonly expiringFields: number;
}

interface ExpiringField {
  readonly name: Buffer;
  readonly value: Buffer;
  readonly expireAtUnixMs: number;
}

const ID_BYTES = 16;
const TEXT_POSITIVE_INFINITY = 254;
const TEXT_NEGATIVE_INFINITY = 255;
const NEVER: Buffer = Buffer.alloc(8, 0xff);

/** Writes values anew, one after the other. */
export class PlainForms {
  readonly #limits: PlainLimits;
  readonly #decoders: ValueDecoders = new Map([...createDecoders(), ...createForeignDecoders()]);
  readonly #out: RdbWriter = new RdbWriter({ compression: false, checksum: false });

  constructor(limits: PlainLimits) {
    this.#limits = limits;
  }

  /** `value`: the bytes behind the type of a payload. A text says what is wrong with them. */
  write(type: number, { buf, at, size }: Bytes): PlainForm | string {
    const decoder = this.#decoders.get(type);
    if (decoder === undefined || payloadVersionOf(type) === undefined) {
      return `Unknown RDB encoding type ${type}`;
    }
    const cursor = new RdbCursor();
    cursor.buf = buf;
    cursor.at = at;
    cursor.end = at + size;
    const sink = new PlainSink(this.#limits, this.#out);
    decoder.begin(type);
    const outcome = decoder.read(cursor, sink);
    if (outcome === 'done') return sink.form();
    return outcome === 'empty' ? 'empty key' : cursor.problem || 'Unexpected end of the payload';
  }
}

class PlainSink implements ValueSink {
  readonly #limits: PlainLimits;
  readonly #reader: ListpackReader = new ListpackReader();
  readonly #out: RdbWriter;
  #type = TYPE_STRING;
  /** Elements of a container, nodes of a stream, entries of a group or consumer. */
  #count = 0;
  /** Of a stream: what is complete, of all groups, of the last one, and of its consumers. */
  #stream: Buffer = Buffer.alloc(0);
  readonly #groups: Buffer[] = [];
  readonly #group: Buffer[] = [];
  readonly #consumers: Buffer[] = [];
  #consumerCount = 0;
  /** All fields of a hash, since the form depends on whether any expires. */
  readonly #fields: ExpiringField[] = [];

  constructor(limits: PlainLimits, out: RdbWriter) {
    this.#limits = limits;
    this.#out = out;
    out.reset();
  }

  form(): PlainForm {
    if (this.#type === TYPE_HASH) return this.#hash();
    if (this.#type === TYPE_STREAM_LISTPACKS) {
      this.#out.length(this.#groups.length);
      const bytes = Buffer.concat([this.#stream, this.#cut(), ...this.#groups]);
      return { type: this.#type, bytes, expiringFields: 0 };
    }
    const bytes = this.#type === TYPE_STRING ? this.#cut() : Buffer.concat(this.#counted());
    return { type: this.#type, bytes, expiringFields: 0 };
  }

  /** A copy of what was written since the last time. */
  #cut(): Buffer {
    return Buffer.from(this.#out.lend());
  }

  /** The same behind how much of it there is. */
  #counted(): readonly [Buffer, Buffer] {
    const part = this.#cut();
    this.#out.length(this.#count);
    this.#count = 0;
    return [this.#cut(), part];
  }

  #hash(): PlainForm {
    const fields = this.#fields;
    const times = fields.map((each) => each.expireAtUnixMs).filter((time) => time >= 0);
    const form = times.length > 0 ? this.#limits.fieldExpiry : undefined;
    const out = this.#out;
    const earliest = times.reduce((least, time) => Math.min(least, time), Infinity);
    if (form === 'redis') out.milliseconds(earliest);
    out.length(fields.length);
    for (const { name, value, expireAtUnixMs } of fields) {
      if (form === 'redis') out.length(expireAtUnixMs < 0 ? 0 : expireAtUnixMs - earliest + 1);
      out.string(name, 0, name.length);
      out.string(value, 0, value.length);
      if (form !== 'valkey') continue;
      if (expireAtUnixMs < 0) out.raw(NEVER, 0, NEVER.length);
      else out.milliseconds(expireAtUnixMs);
    }
    const types = { redis: TYPE_HASH_FIELD_EXPIRY_TABLE, valkey: TYPE_HASH_FIELD_EXPIRY };
    const type = form === undefined ? TYPE_HASH : types[form];
    return { type, bytes: this.#cut(), expiringFields: times.length };
  }

  string({ buf, at, size }: Bytes): void {
    this.#type = TYPE_STRING;
    this.#out.string(buf, at, size);
  }

  container(kind: ContainerKind): void {
    const zset = this.#limits.hasDoubles ? TYPE_ZSET_2 : TYPE_ZSET;
    this.#type = { list: TYPE_LIST, set: TYPE_SET, hash: TYPE_HASH, zset }[kind];
  }

  element({ buf, at, size }: Bytes): boolean {
    this.#count++;
    this.#out.string(buf, at, size);
    return true;
  }

  field(name: Bytes, value: Bytes): boolean {
    return this.expiringField(name, value, -1);
  }

  expiringField(name: Bytes, value: Bytes, expireAtUnixMs: number): boolean {
    this.#fields.push({ name: copied(name), value: copied(value), expireAtUnixMs });
    return true;
  }

  scored({ buf, at, size }: Bytes, score: number): boolean {
    this.#count++;
    this.#out.string(buf, at, size);
    if (this.#type === TYPE_ZSET_2) this.#out.double(score);
    else writeTextScore(this.#out, score);
    return true;
  }

  listpack(kind: ContainerKind, { buf, at }: Bytes): void {
    this.container(kind);
    for (let pos = at + LISTPACK_HEADER_BYTES; !isListpackEnd(buf, pos);) {
      pos = this.#reader.read(buf, pos);
      const first = this.#element();
      if (kind === 'list' || kind === 'set') {
        this.element(first);
        continue;
      }
      pos = this.#reader.read(buf, pos);
      const second = this.#element();
      if (kind === 'hash') this.field(first, second);
      else this.scored(first, parseScore(second.buf, second.at, second.size));
    }
  }

  /** A copy of what the reader is at. */
  #element(): Bytes {
    const { buf, at, size } = this.#reader;
    return whole(Buffer.from(buf.subarray(at, at + size)));
  }

  intset({ buf, at }: Bytes): void {
    this.container('set');
    const width = intsetWidth(buf, at);
    for (let i = 0; i < intsetCount(buf, at); i++) {
      this.element(whole(Buffer.from(String(intsetGet(buf, at, width, i)))));
    }
  }

  stream(): void {
    this.#type = TYPE_STREAM_LISTPACKS;
  }

  streamNode(id: StreamId, blob: Bytes): void {
    this.#count++;
    this.#out.string(id.buf, id.at, ID_BYTES);
    this.#out.string(blob.buf, blob.at, blob.size);
  }

  streamFacts({ length, lastId }: StreamFacts): void {
    const nodes = this.#counted();
    this.#out.length(length);
    writeId(this.#out, lastId);
    this.#stream = Buffer.concat([...nodes, this.#cut()]);
  }

  streamGroup({ buf, at, size }: Bytes, lastId: StreamId): boolean {
    this.#out.string(buf, at, size);
    writeId(this.#out, lastId);
    this.#group.push(this.#cut());
    return true;
  }

  streamPending(
    { buf, at }: StreamId,
    deliveredAtUnixMs: number | bigint,
    deliveryCount: number | bigint,
  ): boolean {
    this.#count++;
    this.#out.raw(buf, at, ID_BYTES);
    this.#out.milliseconds(deliveredAtUnixMs);
    this.#out.signedLength(deliveryCount);
    return true;
  }

  streamConsumer({ buf, at, size }: Bytes, seenAtUnixMs: number | bigint): boolean {
    this.#endPending();
    this.#consumerCount++;
    this.#out.string(buf, at, size);
    this.#out.milliseconds(seenAtUnixMs);
    this.#consumers.push(this.#cut());
    return true;
  }

  streamConsumerPending({ buf, at }: StreamId): boolean {
    this.#count++;
    this.#out.raw(buf, at, ID_BYTES);
    return true;
  }

  streamGroupEnd(): boolean {
    this.#endPending();
    this.#out.length(this.#consumerCount);
    this.#consumerCount = 0;
    this.#groups.push(
      Buffer.concat([...this.#group.splice(0), this.#cut(), ...this.#consumers.splice(0)]),
    );
    return true;
  }

  /** No more pending entries of the group, before its first consumer, or else of the last consumer. */
  #endPending(): void {
    const list = this.#consumerCount === 0 ? this.#group : this.#consumers;
    list.push(...this.#counted());
  }
}

function copied({ buf, at, size }: Bytes): Buffer {
  return Buffer.from(buf.subarray(at, at + size));
}

function whole(buf: Buffer): Bytes {
  return { buf, at: 0, size: buf.length };
}

/** An id as two lengths. */
function writeId(out: RdbWriter, { buf, at }: StreamId): void {
  for (const half of [at, at + 8]) {
    const [high, low] = [buf.readUInt32BE(half), buf.readUInt32BE(half + 4)];
    out.wideLength(high, low);
  }
}

function writeTextScore(out: RdbWriter, score: number): void {
  if (Number.isFinite(score)) {
    const text = Buffer.from(String(score));
    out.raw(Buffer.of(text.length), 0, 1);
    out.raw(text, 0, text.length);
    return;
  }
  const mark = score > 0 ? TEXT_POSITIVE_INFINITY : TEXT_NEGATIVE_INFINITY;
  out.raw(Buffer.of(mark), 0, 1);
}
