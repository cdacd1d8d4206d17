/**
 * The commands that make one value anew: those of BGREWRITEAOF. A large value in as many steps as the caller likes,
 * while it does not change.
 * Source: what BGREWRITEAOF of redis-server 7.0.15 writes.
 */
import { formatDouble, invariant } from '../base/index.ts';
import {
  type BytesView,
  NONE,
  type Ref,
  type Store,
  StreamCursor,
  StreamId,
  type Streams,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
  TYPE_STRING,
  TYPE_ZSET,
  ZsetCursor,
} from '../keyspace/index.ts';

/** Elements of one command. Source: 7.0 aof.c, AOF_REWRITE_ITEMS_PER_CMD. */
const ITEMS_MAX = 64;
const NO_ID = '0-0';

export type Argument = Buffer | string;
type Put = (...args: readonly Argument[]) => void;

/** One value after the other: `begin`, then `next` until it has no more. */
export class ValueCommands {
  readonly #put: Put;
  #store: Store | undefined;
  #ref: Ref = NONE;
  #key: Buffer = Buffer.alloc(0);
  /** Of a list the next index, of a table where its scan goes on. */
  #cursor = 0;
  #members: ZsetCursor | undefined;
  #stream: StreamCursor | undefined;
  /** Arguments of the command that is being filled, and how many elements they are. */
  #args: Argument[] = [];
  #items = 0;

  constructor(put: Put) {
    this.#put = put;
  }

  begin(store: Store, ref: Ref): void {
    this.#store = store;
    this.#ref = ref;
    this.#key = bytes(store.entries.key(ref));
    this.#cursor = 0;
    this.#members = undefined;
    this.#stream = undefined;
    this.#items = 0;
  }

  /** Puts commands for about `max` elements more; whether there are still more. With the last goes the expiry time. */
  next(max: number): boolean {
    const store = this.#store;
    invariant(store !== undefined, 'a value is begun before it goes on');
    const hasMore = this.#some(store, max);
    this.#endCommand();
    if (hasMore) return true;
    const expireAt = store.entries.expireAt(this.#ref);
    if (expireAt >= 0) this.#put('PEXPIREAT', this.#key, String(expireAt));
    return false;
  }

  #some(store: Store, max: number): boolean {
    const ref = this.#ref;
    switch (store.entries.type(ref)) {
      case TYPE_STRING:
        this.#put('SET', this.#key, bytes(store.entries.stringView(ref)));
        return false;
      case TYPE_LIST:
        return this.#elements(store, max);
      case TYPE_SET:
        this.#cursor = store.sets.scan(ref, this.#cursor, max, (member) =>
          this.#item('SADD', bytes(member)),
        );
        return this.#cursor !== 0;
      case TYPE_HASH:
        this.#cursor = store.hashes.scan(ref, this.#cursor, max, (field, value) =>
          this.#item('HMSET', bytes(field), bytes(value)),
        );
        return this.#cursor !== 0;
      case TYPE_ZSET:
        return this.#scored(store, max);
      default:
        return this.#streamed(store, max);
    }
  }

  #item(command: string, ...item: readonly Argument[]): void {
    if (this.#items === ITEMS_MAX) this.#endCommand();
    if (this.#items === 0) this.#args = [command, this.#key];
    this.#args.push(...item);
    this.#items++;
  }

  #endCommand(): void {
    if (this.#items > 0) this.#put(...this.#args);
    this.#items = 0;
  }

  #elements({ lists }: Store, max: number): boolean {
    const end = Math.min(lists.size(this.#ref), this.#cursor + max);
    lists.cursor.seek(this.#ref, this.#cursor);
    for (; this.#cursor < end; this.#cursor++) {
      this.#item('RPUSH', bytes(lists.cursor.readForward()));
    }
    return this.#cursor < lists.size(this.#ref);
  }

  #scored({ entries, zsets }: Store, max: number): boolean {
    if (this.#members === undefined) {
      this.#members = new ZsetCursor(entries, zsets.large, zsets.packed);
      this.#members.seek(this.#ref, 0);
    }
    const members = this.#members;
    for (let left = max; left > 0 && members.isHere; left--, members.next()) {
      this.#item('ZADD', formatDouble(members.score), bytes(members));
    }
    return members.isHere;
  }

  #streamed({ entries, streams }: Store, max: number): boolean {
    const stream = entries.firstWord(this.#ref);
    if (this.#stream === undefined) {
      this.#stream = new StreamCursor(streams.arena, streams, streams.blocks);
      this.#stream.open(stream, new StreamId().setZero(), new StreamId().setMax(), false);
    }
    const cursor = this.#stream;
    for (let left = max; left > 0; left--) {
      if (!cursor.next()) {
        this.#endOfStream(streams, stream);
        return false;
      }
      const args: Argument[] = ['XADD', this.#key, cursor.id.text()];
      for (let i = cursor.fieldCount; i > 0; i--) {
        cursor.nextField();
        args.push(bytes(cursor.name), bytes(cursor.value));
      }
      this.#cursor++;
      this.#put(...args);
    }
    return true;
  }

  /** What a stream has besides entries. */
  #endOfStream(streams: Streams, stream: Ref): void {
    const key = this.#key;
    const id = new StreamId();
    const lastId = streams.readLastId(stream, id).text();
    // A stream can be empty: an entry that is trimmed at once makes one.
    if (this.#cursor === 0) {
      this.#put('XADD', key, 'MAXLEN', '0', lastId === NO_ID ? '0-1' : lastId, 'x', 'y');
    }
    const deletedId = streams.readMaxDeletedId(stream, id).text();
    const added = ['ENTRIESADDED', String(streams.entriesAdded(stream))];
    this.#put('XSETID', key, lastId, ...added, 'MAXDELETEDID', deletedId);
    const { groups } = streams;
    for (let i = 0; i < groups.count(stream); i++) this.#group(groups, groups.at(stream, i));
  }

  #group(groups: Streams['groups'], group: Ref): void {
    const key = this.#key;
    const name = bytes(groups.name(group));
    const id = new StreamId();
    const lastId = groups.readLastId(group, id).text();
    const read = ['ENTRIESREAD', String(groups.entriesRead(group))];
    this.#put('XGROUP', 'CREATE', key, name, lastId, ...read);
    for (let i = 0; i < groups.consumerCount(group); i++) {
      const consumer = groups.consumerAt(group, i);
      const owner = bytes(groups.consumerName(consumer));
      this.#put('XGROUP', 'CREATECONSUMER', key, name, owner);
      const walk = groups.walkConsumerPending(consumer, id.setZero());
      for (; walk.ref !== NONE; walk.next()) {
        const pending = groups.readPendingId(walk.ref, id).text();
        const time = ['TIME', String(groups.deliveryTime(walk.ref))];
        const retries = ['RETRYCOUNT', String(groups.deliveryCount(walk.ref))];
        const rest = [pending, ...time, ...retries, 'JUSTID', 'FORCE'];
        this.#put('XCLAIM', key, name, owner, '0', ...rest);
      }
    }
  }
}

/** A copy of a view that the next call reuses. */
function bytes({ buf, at, size }: Readonly<BytesView>): Buffer {
  return Buffer.from(buf.subarray(at, at + size));
}
