/** Values of the keyspace as RDB has them: small containers as the bytes they are, large ones element by element. */
import { invariant } from '../base/index.ts';
import {
  EMPTY_LISTPACK_BYTES,
  LISTPACK_END,
  LISTPACK_HEADER_BYTES,
  NODE_PACKED,
  TYPE_HASH as RDB_HASH,
  TYPE_HASH_LISTPACK as RDB_HASH_LISTPACK,
  TYPE_LIST_QUICKLIST_2 as RDB_LIST,
  TYPE_SET as RDB_SET,
  TYPE_SET_INTSET as RDB_SET_INTSET,
  TYPE_STREAM_LISTPACKS_2 as RDB_STREAM,
  TYPE_STRING as RDB_STRING,
  TYPE_ZSET_2 as RDB_ZSET,
  TYPE_ZSET_LISTPACK as RDB_ZSET_LISTPACK,
  type RdbWriter,
  type RdbWriterOptions,
  lendDump,
  writeListpackHeader,
} from '../rdb/index.ts';
import { NONE, type Ref } from './arena.ts';
import {
  type BytesView,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
  TYPE_STREAM,
  TYPE_STRING,
  TYPE_ZSET,
} from './entry.ts';
import type { Store } from './store.ts';
import { StreamSaver } from './stream-saver.ts';
import { ZsetCursor } from './zset-cursor.ts';

/** RDB types by type: of a value that is a blob, and of a large one. */
const RDB_TYPES: Readonly<Record<number, readonly [blob: number, large: number]>> = {
  [TYPE_STRING]: [RDB_STRING, RDB_STRING],
  [TYPE_LIST]: [RDB_LIST, RDB_LIST],
  [TYPE_SET]: [RDB_SET_INTSET, RDB_SET],
  [TYPE_ZSET]: [RDB_ZSET_LISTPACK, RDB_ZSET],
  [TYPE_HASH]: [RDB_HASH_LISTPACK, RDB_HASH],
  [TYPE_STREAM]: [RDB_STREAM, RDB_STREAM],
};

/** Writes one value at a time; a large one in as many steps as the caller likes, while it does not change. */
export class ValueSaver {
  readonly #writer: RdbWriter;
  readonly #streams: StreamSaver;
  readonly #putMember: (member: BytesView) => void;
  readonly #putField: (field: BytesView, value: BytesView) => void;
  #store: Store | undefined;
  #ref: Ref = NONE;
  /** Of a table where its scan goes on; of a list the next chunk; of a sorted set how many members are left. */
  #cursor = 0;
  #members: ZsetCursor | undefined;
  #node: Buffer = Buffer.alloc(0);

  constructor(writer: RdbWriter) {
    this.#writer = writer;
    this.#streams = new StreamSaver(writer);
    this.#putMember = ({ buf, at, size }) => writer.string(buf, at, size);
    this.#putField = (field, value) => {
      writer.string(field.buf, field.at, field.size);
      writer.string(value.buf, value.at, value.size);
    };
  }

  /** The type that an entry's value is written as. */
  typeOf({ entries }: Store, ref: Ref): number {
    const types = RDB_TYPES[entries.type(ref)];
    invariant(types !== undefined, 'every type that a database holds can be written');
    return types[entries.isLarge(ref) ? 1 : 0];
  }

  /** Writes an entry's value, without its type. */
  save(store: Store, ref: Ref): void {
    if (this.begin(store, ref)) this.next(Infinity);
    // Who keeps the saver does not keep the store.
    this.#store = undefined;
  }

  /** Begins with an entry's value; whether `next` has to go on. */
  begin(store: Store, ref: Ref): boolean {
    const { entries } = store;
    const writer = this.#writer;
    this.#store = store;
    this.#ref = ref;
    this.#cursor = 0;
    const type = entries.type(ref);
    if (!entries.isLarge(ref)) {
      if (type === TYPE_LIST) {
        writer.length(1);
        writer.length(NODE_PACKED);
      }
      const { buf, at, size } = entries.stringView(ref);
      writer.string(buf, at, size);
      return false;
    }
    switch (type) {
      case TYPE_LIST:
        writer.length(store.lists.chunkCount(ref));
        this.#cursor = store.lists.firstChunk(ref);
        return true;
      case TYPE_SET:
        writer.length(store.sets.size(ref));
        return true;
      case TYPE_HASH:
        writer.length(store.hashes.size(ref));
        return true;
      case TYPE_ZSET:
        this.#cursor = store.zsets.size(ref);
        writer.length(this.#cursor);
        this.#members = new ZsetCursor(entries, store.zsets.large, store.zsets.packed);
        return true;
      default:
        this.#streams.begin(store.streams, entries.firstWord(ref));
        return true;
    }
  }

  /** Writes about `max` elements more; whether there are still more. */
  next(max: number): boolean {
    const store = this.#store;
    invariant(store !== undefined, 'a value is begun before it goes on');
    switch (store.entries.type(this.#ref)) {
      case TYPE_LIST:
        return this.#nextOfList(store, max);
      case TYPE_SET:
        this.#cursor = store.sets.scan(this.#ref, this.#cursor, max, this.#putMember);
        return this.#cursor !== 0;
      case TYPE_HASH:
        this.#cursor = store.hashes.scan(this.#ref, this.#cursor, max, this.#putField);
        return this.#cursor !== 0;
      case TYPE_ZSET:
        return this.#nextOfZset(max);
      default:
        return this.#streams.next(max);
    }
  }

  #nextOfList({ lists }: Store, max: number): boolean {
    const writer = this.#writer;
    for (let left = max; left > 0 && this.#cursor !== NONE;) {
      const { buf, at, size, count } = lists.runOf(this.#cursor);
      const total = size + EMPTY_LISTPACK_BYTES;
      if (this.#node.length < total) this.#node = Buffer.allocUnsafe(total + (total >>> 1));
      writeListpackHeader(this.#node, 0, total, count);
      this.#node.set(buf.subarray(at, at + size), LISTPACK_HEADER_BYTES);
      this.#node[total - 1] = LISTPACK_END;
      writer.length(NODE_PACKED);
      writer.string(this.#node, 0, total);
      left -= count;
      this.#cursor = lists.nextChunk(this.#cursor);
    }
    if (this.#cursor !== NONE) return true;
    // The room of one very large element is not worth keeping.
    if (this.#node.length > NODE_KEPT_BYTES) this.#node = Buffer.alloc(0);
    return false;
  }

  /** From the last member to the first, as Redis does: what reads it in adds each at the front. */
  #nextOfZset(max: number): boolean {
    const members = this.#members;
    if (members === undefined) return false;
    const writer = this.#writer;
    members.seek(this.#ref, this.#cursor - 1);
    let left = max;
    for (; left > 0 && this.#cursor > 0; left--, this.#cursor--) {
      writer.string(members.buf, members.at, members.size);
      writer.double(members.score);
      members.previous();
    }
    if (this.#cursor > 0) return true;
    this.#members = undefined;
    return false;
  }
}

const NODE_KEPT_BYTES = 1 << 20;

/** The payload that DUMP answers. */
export function dumpValue(store: Store, ref: Ref, options: RdbWriterOptions): Buffer {
  return Buffer.from(lendValue(store, ref, options));
}

/** The same, lent until the next call of either. */
export function lendValue(store: Store, ref: Ref, options: RdbWriterOptions): Buffer {
  return lendDump((writer) => {
    let saver = SAVERS.get(writer);
    if (saver === undefined) SAVERS.set(writer, (saver = new ValueSaver(writer)));
    writer.type(saver.typeOf(store, ref));
    saver.save(store, ref);
  }, options);
}

/** One for each writer that payloads are written with. */
const SAVERS = new WeakMap<RdbWriter, ValueSaver>();
